// SPDX-License-Identifier: Apache-2.0
// The root keys in a blob that only this machine's TPM opens, and only while its PCRs are what they were: this firmware,
// this boot loader, this kernel.

import { openTpm, type PcrSelector, sealData, type Tpm, unsealData } from "@adyton/attester/tpm";
import { fromBase64Url, toBase64Url } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import type { TpmHash } from "@adyton/evidence/tpm";
import { type RootKeyProvider, refusedKey, strangeRecord, unavailableKey } from "./provider.ts";

export interface TpmProviderOptions {
  /** As in `ADYTON_TPM`. Default `device:/dev/tpmrm0`. */
  readonly address?: string;
  /** Which PCRs have to stay as they are now, for new records. Default 0, 2, 4 and 7 of SHA-256. None: any boot opens. */
  readonly pcrs?: PcrSelector;
}

const KIND = "tpm";
const DEFAULT_PCRS: PcrSelector = { hash: "SHA-256", indices: [0, 2, 4, 7] };
const HASHES: readonly TpmHash[] = ["SHA-1", "SHA-256", "SHA-384", "SHA-512"];

export function tpmProvider(options: TpmProviderOptions = {}): RootKeyProvider {
  const { pcrs = DEFAULT_PCRS } = options;
  return {
    kind: KIND,
    protect: (key) =>
      withTpm(options, async (tpm) => {
        const sealed = await sealData(tpm, key, pcrs);
        return {
          hash: pcrs.hash,
          pcrs: [...pcrs.indices],
          public: toBase64Url(sealed.public),
          private: toBase64Url(sealed.private),
        };
      }),
    recover: async (record) => {
      const { hash, pcrs: indices } = record;
      const known = HASHES.find((each) => each === hash);
      const list: readonly unknown[] = Array.isArray(indices) ? indices : [undefined];
      const isList = list.every((index) => typeof index === "number");
      if (
        typeof record.public !== "string" ||
        typeof record.private !== "string" ||
        known === undefined ||
        !isList
      )
        throw strangeRecord(KIND);
      const sealed = { public: fromBase64Url(record.public), private: fromBase64Url(record.private) };
      return withTpm(options, (tpm) => unsealData(tpm, sealed, { hash: known, indices: list as number[] }));
    },
  };
}

async function withTpm<T>({ address }: TpmProviderOptions, use: (tpm: Tpm) => Promise<T>): Promise<T> {
  let tpm: Tpm;
  try {
    tpm = await openTpm(address === undefined ? {} : { address });
  } catch (cause) {
    throw unavailable(cause);
  }
  try {
    return await use(tpm);
  } catch (cause) {
    const name = cause instanceof AdytonError ? cause.detail.name : undefined;
    if (name === "TPM_RC_POLICY_FAIL")
      throw refusedKey(
        "the PCRs are not what they were: other firmware, boot loader or kernel",
        "Boot what was sealed for, or open the state with recovery shares (adyton recovery open).",
        cause,
      );
    if (name === "TPM_RC_INTEGRITY" || name === "TPM_RC_SIZE")
      throw refusedKey("they are sealed by another TPM", "Open the state with recovery shares.", cause);
    throw unavailable(cause);
  } finally {
    await tpm.close();
  }
}

function unavailable(cause: unknown): Error {
  const why = cause instanceof AdytonError ? cause.message : "the TPM does not answer";
  return unavailableKey(why, "See that the TPM is there (adyton doctor).", cause);
}
