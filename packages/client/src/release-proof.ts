// SPDX-License-Identifier: Apache-2.0
// The proof that a release stands in the broker's audit log, which comes with the secret.

import { fromBase64Url, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, parseJson } from "@adyton/core/json";
import { checkLogProof, parseLogProof } from "@adyton/core/log-proof";
import type { NoteKey } from "@adyton/core/note";
import { calculateJwkThumbprint, type JWK } from "jose";
import { ClientError } from "./errors.ts";
import type { TeeKeyPair } from "./tee-key.ts";

export interface ReleaseProofOptions {
  /** What the log signs with (`parseNoteKey`); a secret without a proof under it is not given out. */
  readonly logKey: NoteKey;
  /** Gets each proof as a file, to be kept or shown to others. */
  readonly keep?: (name: string, file: string) => void | Promise<void>;
}

export const PROOF_HEADER = "adyton-log-proof";

/**
 * The proof file in an answer's header, once it proves that the release of `name` to this key is logged. Throws
 * `PROOF_REFUSED`.
 */
export async function checkReleaseProof(
  header: string | null,
  name: string,
  { publicJwk }: TeeKeyPair,
  logKey: NoteKey,
): Promise<string> {
  if (header === null) throw refused(name, "the broker sent no proof");
  let file: string;
  let said: unknown;
  try {
    file = toUtf8(fromBase64Url(header));
    said = parseJson(toUtf8(checkLogProof(parseLogProof(file), logKey).entry));
  } catch (error) {
    throw error instanceof AdytonError ? refused(name, error.message, error) : error;
  }
  const event = isJsonObject(said) && isJsonObject(said.event) ? said.event : {};
  const key = await calculateJwkThumbprint(publicJwk as JWK);
  const is = { type: "resource.release", decision: "allow", resource: name, key };
  for (const [member, expected] of Object.entries(is))
    if (event[member] !== expected) throw refused(name, `its ${member} is another`);
  return file;
}

function refused(name: string, why: string, cause?: unknown): ClientError {
  return new ClientError(
    "PROOF_REFUSED",
    "not-authentic",
    `Cannot accept ${name}: its release is not proven to be logged: ${why}`,
    { cause, hint: "Check that the key is that of the broker's audit log." },
  );
}
