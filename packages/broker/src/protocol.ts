// SPDX-License-Identifier: Apache-2.0
// The bodies of the KBS protocol as they come in, and which versions of it are spoken. Unknown members are refused.

import type { JsonObject, JsonValue } from "@adyton/core/json";
import { isTeeName, schemeOf, type TeeName } from "@adyton/evidence";
import { z } from "zod";
import { BrokerError } from "./errors.ts";
import { readAttestation02 } from "./protocol/v0-2.ts";
import { readAttestation03 } from "./protocol/v0-3.ts";
import { readAttestation04 } from "./protocol/v0-4.ts";
import { invalid, jsonOf, matching } from "./request-body.ts";

export { invalid, jsonOf, matching };

/** The newest version, which is preferred. */
export const PROTOCOL_VERSION = "0.4.0";

/** Versions with bodies of their own; clients of 0.2 and 0.3 attest no init-data, those of 0.2 no devices. */
export const PROTOCOL_LINES = ["0.2", "0.3", "0.4"] as const;
export type ProtocolLine = (typeof PROTOCOL_LINES)[number];

export interface AuthRequest {
  readonly tee: TeeName;
  readonly line: ProtocolLine;
}

const DEFAULT_HASH = "SHA-384";
/** Of Azure's guests before kbs-types 0.14. */
const OLD_TEE_NAMES: ReadonlyMap<string, TeeName> = new Map([
  ["azsnpvtpm", "az-snp-vtpm"],
  ["aztdxvtpm", "az-tdx-vtpm"],
]);

export interface AttestRequest {
  /** The init-data document, absent when none was sent. */
  readonly initData?: string;
  readonly nonce: string;
  /** JWK, exactly as sent: its canonical form is part of what the evidence binds. */
  readonly teePubkey: JsonObject;
  readonly primaryEvidence: JsonValue;
  /** Exactly as sent; undefined where the evidence binds nonce and key alone, as in version 0.2. */
  readonly additionalEvidence: string | undefined;
}

const versioned = z.looseObject({ version: z.string().max(32) });

const authBody = z.strictObject({
  version: z.string(),
  tee: z.string().max(32),
  "extra-params": z
    .union([
      z.literal(""),
      z.strictObject({ "supported-hash-algorithms": z.array(z.string().max(32)).max(16).optional() }),
    ])
    .optional(),
});

/** Throws `PROTOCOL_VERSION`, `INVALID_REQUEST` or `UNSUPPORTED_TEE`. */
export function parseAuthRequest(
  text: string,
  spoken: readonly ProtocolLine[] = PROTOCOL_LINES,
): AuthRequest {
  const value = jsonOf(text);
  const { version } = matching(versioned, value);
  const line = lineOf(version);
  if (line === undefined || !spoken.includes(line)) throw otherVersion(version);
  const body = matching(authBody, value);
  const tee = teeNamed(body.tee);
  if (tee === undefined) throw invalid(`tee ${JSON.stringify(body.tee)} is not known`);
  const scheme = schemeOf(tee);
  // Evidence that answers a request bound no key before 0.4.
  if (line !== "0.4" && scheme.request !== undefined) throw otherVersion(version);
  const hashes =
    body["extra-params"] === "" ? undefined : body["extra-params"]?.["supported-hash-algorithms"];
  const needed = hashName(scheme.runtimeDataHash ?? DEFAULT_HASH);
  if (hashes !== undefined && !hashes.includes(needed))
    throw invalid(`supported-hash-algorithms lacks ${needed}, which binds the nonce`);
  return { tee, line };
}

/** A TEE by its present name or one that clients gave it before. */
export function teeNamed(name: string): TeeName | undefined {
  return isTeeName(name) ? name : OLD_TEE_NAMES.get(name);
}

/** Only 0.4.0 itself, as the protocol demands; patches of the older ones changed nothing on the wire. */
function lineOf(version: string): ProtocolLine | undefined {
  if (version === PROTOCOL_VERSION) return "0.4";
  const [, line] = /^(0\.[23])\.\d{1,4}$/.exec(version) ?? [];
  return PROTOCOL_LINES.find((known) => known === line);
}

function otherVersion(version: string): BrokerError {
  // Clients look for these words.
  return new BrokerError(
    "PROTOCOL_VERSION",
    "misuse",
    `KBS Client Protocol Version Mismatch: expect =${PROTOCOL_VERSION} while the request is ${version}`,
    { detail: { found: version, expected: PROTOCOL_VERSION } },
  );
}

/** The `extra-params` of a challenge: the hash that binds the nonce, where it is not the protocol's own. */
export function challengeParams(tee: TeeName): JsonValue {
  const { runtimeDataHash } = schemeOf(tee);
  return runtimeDataHash === undefined ? "" : { "selected-hash-algorithm": hashName(runtimeDataHash) };
}

const READERS: Readonly<Record<ProtocolLine, (body: JsonObject, nonce: string) => AttestRequest>> = {
  "0.2": readAttestation02,
  "0.3": readAttestation03,
  "0.4": readAttestation04,
};

/** `nonce` is the session's, for versions whose bodies do not repeat it. Throws `INVALID_REQUEST`. */
export function parseAttestRequest(text: string, line: ProtocolLine, nonce: string): AttestRequest {
  return READERS[line](jsonOf(text), nonce);
}

/** As the protocol writes hashes: sha384. */
function hashName(hash: string): string {
  return hash.replace("-", "").toLowerCase();
}
