// SPDX-License-Identifier: Apache-2.0
// The TPM's half of credential activation: TPM2_ActivateCredential under the endorsement key's policy, TPM2_StartAuthSession
// and TPM2_PolicySecret. TPM 2.0 Library 1.59, part 3, sections 11.1, 12.5 and 23.4.

import { concat } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { Reader, Writer } from "@adyton/core/cursor";
import {
  ALGORITHM,
  type CredentialSession,
  encodeSized,
  idOfHash,
  OBJECT_ATTRIBUTE,
  type TpmHash,
} from "@adyton/evidence/tpm";
import { type Tpm, withLoaded } from "./connection.ts";
import { COMMAND, HANDLE } from "./constants.ts";
import { asResponse } from "./error.ts";
import { NO_AUTH, type TpmAuthorization, u16 } from "./frame.ts";
import { readSized, type TpmKey } from "./keys.ts";

export interface ActivationRequest {
  /** Both held by the TPM. */
  readonly ek: TpmKey;
  readonly ak: TpmKey;
  /** From whoever wants to know that they are in one TPM. */
  readonly challenge: Pick<CredentialSession, "credentialBlob" | "encryptedSecret">;
  /** For the endorsement hierarchy, which rules over the endorsement key. Default: nobody set a secret. */
  readonly endorsementAuthorization?: TpmAuthorization;
  readonly akAuthorization?: TpmAuthorization;
  readonly crypto?: Pick<CryptoProvider, "randomBytes">;
}

const NONCE_SIZE = 16;
const POLICY_SESSION = 1;
const NONE = new Uint8Array();

/**
 * The secret in a challenge, which proves that the TPM of `ek` holds `ak`. It is the answer to the challenge and nothing
 * else: send it and forget it. Throws `TPM_REFUSED`, with `TPM_RC_INTEGRITY` or `TPM_RC_VALUE` when the challenge is not
 * for these keys.
 */
export async function activateCredential(tpm: Tpm, request: ActivationRequest): Promise<Uint8Array> {
  const { ek } = request;
  // Endorsement keys of the high range may also be used with their own secret, which is empty.
  if (ek.public.attributes & OBJECT_ATTRIBUTE.userWithAuth) return activate(tpm, request, NO_AUTH);
  const { endorsementAuthorization = NO_AUTH, crypto = defaultCrypto } = request;
  const started = startPolicySession(tpm, ek.public.nameHash, crypto.randomBytes(NONCE_SIZE));
  return withLoaded(tpm, started, async ({ handle }) => {
    await satisfyPolicySecret(tpm, handle, endorsementAuthorization);
    return activate(tpm, request, { session: handle });
  });
}

async function activate(
  tpm: Tpm,
  { ek, ak, challenge, akAuthorization = NO_AUTH }: ActivationRequest,
  ekAuthorization: TpmAuthorization,
): Promise<Uint8Array> {
  const name = "TPM2_ActivateCredential";
  const { parameters } = await tpm.run({
    name,
    code: COMMAND.activateCredential,
    handles: [ak.handle, ek.handle],
    authorizations: [akAuthorization, ekAuthorization],
    parameters: concat(encodeSized(challenge.credentialBlob), encodeSized(challenge.encryptedSecret)),
  });
  return asResponse(name, () => {
    const reader = new Reader(parameters, name);
    const secret = readSized(reader, "certInfo");
    reader.end();
    return secret;
  });
}

/** A session that gathers what a policy asks for; it protects nothing that travels. Flush it. */
export async function startPolicySession(
  tpm: Tpm,
  hash: TpmHash,
  nonce: Uint8Array,
): Promise<{ readonly handle: number }> {
  const name = "TPM2_StartAuthSession";
  const { handle, parameters } = await tpm.run({
    name,
    code: COMMAND.startAuthSession,
    handles: [HANDLE.null, HANDLE.null],
    parameters: concat(
      encodeSized(nonce),
      encodeSized(NONE),
      new Writer(1).u8(POLICY_SESSION).finish(),
      u16(ALGORITHM.null),
      u16(idOfHash(hash)),
    ),
    givesHandle: true,
  });
  asResponse(name, () => {
    const reader = new Reader(parameters, name);
    readSized(reader, "nonceTPM");
    reader.end();
  });
  return { handle };
}

/** Shows the session that we know the endorsement hierarchy's secret. */
async function satisfyPolicySecret(
  tpm: Tpm,
  session: number,
  authorization: TpmAuthorization,
): Promise<void> {
  const name = "TPM2_PolicySecret";
  const { parameters } = await tpm.run({
    name,
    code: COMMAND.policySecret,
    handles: [HANDLE.endorsement, session],
    authorizations: [authorization],
    // No nonceTPM, no cpHashA, no policyRef, no expiration: for this session alone.
    parameters: concat(
      encodeSized(NONE),
      encodeSized(NONE),
      encodeSized(NONE),
      new Writer(4).u32be(0).finish(),
    ),
  });
  asResponse(name, () => {
    const reader = new Reader(parameters, name);
    readSized(reader, "timeout");
    reader.bytes(6, "tag and hierarchy of policyTicket");
    readSized(reader, "policyTicket");
    reader.end();
  });
}
