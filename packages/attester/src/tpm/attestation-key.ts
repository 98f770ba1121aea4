// SPDX-License-Identifier: Apache-2.0
// Attestation keys: which there are, and how each comes into the TPM. What makes one trusted is for the verifier to say:
// its certificate, or credential activation.

import { isAttestationKey } from "@adyton/evidence/tpm";
import { eccCurves } from "./capability.ts";
import { type Tpm, withLoaded } from "./connection.ts";
import { RANGE } from "./constants.ts";
import { invalidArgument, unsuitable } from "./error.ts";
import { hex } from "./frame.ts";
import { createKey, createPrimary, loadKey, readPublic, type TpmKey, type WrappedKey } from "./keys.ts";
import { readNv } from "./nv.ts";
import { type AkScheme, akTemplate, storageTemplate } from "./templates.ts";

/** A key that the machine's maker put into the TPM, with its certificate. */
export interface ProvisionedKey extends TpmKey {
  /** DER, where there is one. */
  readonly certificate: Uint8Array | undefined;
}

/** Certificate and template, as Google Cloud's vTPMs hold them: P-256, then RSA 2048. */
const PROVISIONED = [
  { certificate: 0x01c10002, template: 0x01c10003 },
  { certificate: 0x01c10000, template: 0x01c10001 },
] as const;
/** TPM_ECC_NIST_P256. */
const P_256 = 3;

/** ECDSA where the TPM has P-256. */
export async function defaultAkScheme(tpm: Tpm): Promise<AkScheme> {
  return (await eccCurves(tpm)).includes(P_256) ? "ECDSA" : "RSASSA";
}

/**
 * The attestation key that this TPM's owner hierarchy gives for a scheme: the same at every call, with nothing to keep,
 * until somebody clears the TPM. Flush it: see `withLoaded`. Throws as `createPrimary`.
 */
export function deriveAttestationKey(tpm: Tpm, scheme: AkScheme): Promise<TpmKey> {
  return createPrimary(tpm, "owner", akTemplate(scheme));
}

/** A new attestation key, another at every call; keep it and `loadAttestationKey`. Throws as `createKey`. */
export function createAttestationKey(tpm: Tpm, scheme: AkScheme): Promise<WrappedKey> {
  return withLoaded(tpm, createPrimary(tpm, "owner", storageTemplate()), ({ handle }) =>
    createKey(tpm, handle, akTemplate(scheme)),
  );
}

/** What `createAttestationKey` made, in the TPM that made it. Flush it. Throws as `loadKey`. */
export function loadAttestationKey(tpm: Tpm, wrapped: WrappedKey): Promise<TpmKey> {
  return withLoaded(tpm, createPrimary(tpm, "owner", storageTemplate()), ({ handle }) =>
    loadKey(tpm, handle, wrapped),
  );
}

/**
 * The attestation key at a persistent handle, which stays where it is. Throws `INVALID_TPM_ARGUMENT` for other handles,
 * `TPM_UNSUITABLE` when the key could sign other things than its TPM's statements, and as `readPublic`.
 */
export async function persistentAttestationKey(tpm: Tpm, handle: number): Promise<TpmKey> {
  if (!Number.isInteger(handle) || handle < RANGE.persistent || handle > RANGE.persistentEnd) {
    throw invalidArgument(
      `Cannot use attestation key at ${hex(handle)}: expected a persistent handle, 81000000h to 81ffffffh`,
    );
  }
  const key = await readPublic(tpm, handle);
  if (isAttestationKey(key.public)) return key;
  throw unsuitable(
    `the key at ${hex(handle)} is no restricted signing key that is fixed to its TPM`,
    { handle, attributes: key.public.attributes },
    "Make the attestation key with the attributes fixedtpm, restricted and sign.",
  );
}

/** The key that the machine's maker provisioned, undefined where none is. Flush it. Throws as `readNv`. */
export async function provisionedAttestationKey(tpm: Tpm): Promise<ProvisionedKey | undefined> {
  for (const index of PROVISIONED) {
    const template = await readNv(tpm, index.template);
    if (template === undefined) continue;
    const certificate = await readNv(tpm, index.certificate);
    return { ...(await createPrimary(tpm, "endorsement", template)), certificate };
  }
  return undefined;
}
