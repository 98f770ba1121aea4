// SPDX-License-Identifier: Apache-2.0
// Data that only this TPM gives back, and only while its PCRs are what they were: TPM2_Create of a sealed data object,
// TPM2_Load, TPM2_PolicyPCR, TPM2_Unseal. TPM 2.0 Library 1.59, part 3, sections 12.1, 12.2, 23.7 and 12.7.

import { type Bytes, concat } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { Reader, Writer } from "@adyton/core/cursor";
import {
  ALGORITHM,
  digestOf,
  encodeSized,
  idOfHash,
  OBJECT_ATTRIBUTE,
  type TpmHash,
} from "@adyton/evidence/tpm";
import { flushContext, type Tpm, withLoaded } from "./connection.ts";
import { COMMAND } from "./constants.ts";
import { startPolicySession } from "./credential.ts";
import { asResponse, invalidArgument } from "./error.ts";
import { checkEmpty, NO_AUTH, type TpmAuthorization, u16, u32 } from "./frame.ts";
import { createPrimary, readSized, skipCreation } from "./keys.ts";
import { readPcrs } from "./pcr.ts";
import { encodeSelection } from "./selection.ts";
import { storageTemplate } from "./templates.ts";

/** PCRs that have to stay as they are. None: whoever reaches the TPM has the data. */
export interface PcrSelector {
  readonly hash: TpmHash;
  readonly indices: readonly number[];
}

/** Data as it lies outside of its TPM. */
export interface SealedData {
  /** TPMT_PUBLIC. */
  readonly public: Uint8Array;
  /** TPM2B_PRIVATE's contents. */
  readonly private: Uint8Array;
}

/** TPM_ALG_KEYEDHASH. */
const KEYED_HASH = 0x0008;
/** MAX_SYM_DATA (part 2, annex A). */
const MAX_DATA = 128;
const NONCE_SIZE = 16;
const NAME_HASH: TpmHash = "SHA-256";
const NONE = new Uint8Array();

/**
 * Seals at most 128 bytes to the PCRs' present values. Throws `INVALID_TPM_ARGUMENT`, `TPM_UNSUITABLE` when the TPM has no
 * such PCR, `TPM_REFUSED`.
 */
export async function sealData(tpm: Tpm, data: Uint8Array, pcrs: PcrSelector): Promise<SealedData> {
  if (data.length === 0 || data.length > MAX_DATA)
    throw invalidArgument(`Cannot seal ${data.length} bytes: expected 1 to ${MAX_DATA}`);
  const policy = pcrs.indices.length === 0 ? NONE : await pcrPolicy(tpm, pcrs);
  const name = "TPM2_Create";
  return withLoaded(tpm, createPrimary(tpm, "owner", storageTemplate()), async ({ handle }) => {
    const { parameters } = await tpm.run({
      name,
      code: COMMAND.create,
      handles: [handle],
      authorizations: [NO_AUTH],
      parameters: concat(
        encodeSized(concat(encodeSized(NONE), encodeSized(data))),
        encodeSized(dataTemplate(policy)),
        encodeSized(NONE),
        u32(0),
      ),
    });
    return asResponse(name, () => {
      const reader = new Reader(parameters, name);
      const wrapped = readSized(reader, "outPrivate");
      const area = readSized(reader, "outPublic");
      skipCreation(reader);
      reader.end();
      return { private: wrapped, public: area };
    });
  });
}

/**
 * What `sealData` sealed. Throws `TPM_REFUSED`: with `TPM_RC_POLICY_FAIL` when a PCR is not what it was, with
 * `TPM_RC_INTEGRITY` when another TPM sealed it, or this one was cleared since.
 */
export async function unsealData(tpm: Tpm, sealed: SealedData, pcrs: PcrSelector): Promise<Uint8Array> {
  const loaded = withLoaded(tpm, createPrimary(tpm, "owner", storageTemplate()), ({ handle }) =>
    loadData(tpm, handle, sealed),
  );
  return withLoaded(tpm, loaded, async ({ handle }) => {
    if (pcrs.indices.length === 0) return unseal(tpm, handle, NO_AUTH);
    const nonce = defaultCrypto.randomBytes(NONCE_SIZE);
    return withLoaded(tpm, startPolicySession(tpm, NAME_HASH, nonce), async (session) => {
      const name = "TPM2_PolicyPCR";
      // Without a digest of ours: the TPM takes its PCRs as they are, and unsealing compares.
      const answer = await tpm.run({
        name,
        code: COMMAND.policyPcr,
        handles: [session.handle],
        parameters: concat(encodeSized(NONE), encodeSelection([pcrs])),
      });
      checkEmpty(answer, name);
      return unseal(tpm, handle, { session: session.handle });
    });
  });
}

async function loadData(tpm: Tpm, parent: number, sealed: SealedData): Promise<{ readonly handle: number }> {
  const name = "TPM2_Load";
  const { handle, parameters } = await tpm.run({
    name,
    code: COMMAND.load,
    handles: [parent],
    authorizations: [NO_AUTH],
    parameters: concat(encodeSized(sealed.private), encodeSized(sealed.public)),
    givesHandle: true,
  });
  try {
    asResponse(name, () => {
      const reader = new Reader(parameters, name);
      readSized(reader, "name");
      reader.end();
    });
  } catch (error) {
    await flushContext(tpm, handle).catch(() => undefined);
    throw error;
  }
  return { handle };
}

async function unseal(tpm: Tpm, handle: number, authorization: TpmAuthorization): Promise<Uint8Array> {
  const name = "TPM2_Unseal";
  const { parameters } = await tpm.run({
    name,
    code: COMMAND.unseal,
    handles: [handle],
    authorizations: [authorization],
  });
  return asResponse(name, () => {
    const reader = new Reader(parameters, name);
    const data = readSized(reader, "outData");
    reader.end();
    return data;
  });
}

/** The policy digest of these PCRs as they are (part 3, section 23.7.1, equation 25). */
async function pcrPolicy(
  tpm: Tpm,
  pcrs: PcrSelector,
  crypto: Pick<CryptoProvider, "digest"> = defaultCrypto,
): Promise<Bytes> {
  const indices = [...new Set(pcrs.indices)].sort((a, b) => a - b);
  const [bank] = await readPcrs(tpm, [{ hash: pcrs.hash, indices }]);
  const values = indices.map((index) => bank?.values.get(index) ?? NONE);
  const start = await digestOf(NAME_HASH, NONE, crypto);
  return digestOf(
    NAME_HASH,
    concat(
      new Uint8Array(start.length),
      u32(COMMAND.policyPcr),
      encodeSelection([pcrs]),
      await digestOf(NAME_HASH, concat(...values), crypto),
    ),
    crypto,
  );
}

/** TPMT_PUBLIC of a sealed data object: no algorithm, and nobody's secret unless there is no policy. */
function dataTemplate(policy: Uint8Array): Bytes {
  const { fixedTpm, fixedParent, userWithAuth, noDa } = OBJECT_ATTRIBUTE;
  const attributes = fixedTpm | fixedParent | noDa | (policy.length === 0 ? userWithAuth : 0);
  return concat(
    new Writer(8).u16be(KEYED_HASH).u16be(idOfHash(NAME_HASH)).u32be(attributes).finish(),
    encodeSized(policy),
    u16(ALGORITHM.null),
    encodeSized(NONE),
  );
}
