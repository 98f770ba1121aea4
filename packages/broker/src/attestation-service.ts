// SPDX-License-Identifier: Apache-2.0
// Trustee's attestation service, for relying parties that bring evidence and nonce themselves: its requests as they come in,
// by REST or gRPC, and the challenges that some TEEs need.

import { fromBase64, fromBase64Url, padRight, toBase64, toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, type HashName } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { canonicalJsonBytes, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { schemeOf, type TeeName } from "@adyton/evidence";
import { z } from "zod";
import type { SentEvidence, Verifier } from "./attestation.ts";
import { BrokerError } from "./errors.ts";
import { teeNamed } from "./protocol.ts";
import { invalid, jsonObject, jsonOf, matching } from "./request-body.ts";
import { hiddenKey, openKept, sealKept, sessionsFull } from "./sessions.ts";
import type { Ephemeral } from "./store/ephemeral.ts";
import type { Vault } from "./vault.ts";

const HASHES: Readonly<Record<string, HashName>> = {
  sha256: "SHA-256",
  sha384: "SHA-384",
  sha512: "SHA-512",
};
const DEFAULT_WIDTH = 64;
const MAX_REQUESTS = 32;
/** Where challenges rest until their answers come. */
const SPACE = "as-challenge";

const individual = z.strictObject({
  tee: z.string().max(32),
  evidence: z.string(),
  runtime_data: z
    .union([z.strictObject({ raw: z.string() }), z.strictObject({ structured: jsonObject })])
    .nullish(),
  init_data: z
    .union([z.strictObject({ init_data_digest: z.string() }), z.strictObject({ init_data_toml: z.string() })])
    .nullish(),
  runtime_data_hash_algorithm: z.string().max(16).nullish(),
});
const body = z.strictObject({
  verification_requests: z.array(individual).min(1).max(MAX_REQUESTS),
  policy_ids: z.array(z.string().max(64)).max(16).optional(),
});
const challengeBody = z.strictObject({ tee: z.string().max(32), tee_params: z.string().optional() });

export interface ChallengeOptions {
  readonly ephemeral: Ephemeral;
  readonly vault: Vault;
  readonly verifier: Verifier;
  readonly lifetimeSeconds: number;
  readonly capacity: number;
}

/** Requests of the verifier's that evidence answers, for whoever asks; what they are verified with stays here. */
export class ServiceChallenges {
  readonly #options: ChallengeOptions;

  constructor(options: ChallengeOptions) {
    this.#options = options;
  }

  /** The challenge in a body `{tee, tee_params?}`; empty for TEEs that need none. Rejects with `INVALID_REQUEST` or `SESSIONS_FULL`. */
  async open(text: string, now: Date): Promise<string> {
    const { ephemeral, vault, verifier, lifetimeSeconds, capacity } = this.#options;
    const request = await verifier.request(teeIn(matching(challengeBody, jsonOf(text)).tee), now);
    if (request === undefined) return "";
    if ((await ephemeral.count(SPACE, now)) >= capacity) throw sessionsFull(capacity);
    const { nonce, verifierKeys } = request;
    const expires = new Date(now.getTime() + lifetimeSeconds * 1000);
    const kept = sealKept(vault, SPACE, nonce, { keys: verifierKeys.map(toBase64) });
    await ephemeral.put(SPACE, hiddenKey(nonce), kept, expires, now);
    return nonce;
  }

  /** What the answer to a challenge is verified with: the challenge stands in the runtime data, as a nonce does. */
  async keysFor(
    tee: TeeName,
    runtimeData: JsonObject | undefined,
    now: Date,
  ): Promise<readonly Uint8Array[]> {
    const nonce = runtimeData?.nonce;
    if (schemeOf(tee).request === undefined || typeof nonce !== "string") return [];
    const { ephemeral, vault } = this.#options;
    const sealed = await ephemeral.get(SPACE, hiddenKey(nonce), now);
    const kept =
      sealed === undefined
        ? undefined
        : openKept<{ readonly keys: readonly string[] }>(vault, SPACE, nonce, sealed);
    return (kept?.keys ?? []).map((key) => fromBase64(key));
  }
}

/** The body of a request to evaluate. Rejects with `INVALID_REQUEST`, or `POLICY_NOT_FOUND` for a policy that is not here. */
export async function readEvaluation(
  text: string,
  challenges: ServiceChallenges,
  now: Date,
): Promise<readonly SentEvidence[]> {
  const { verification_requests: requests, policy_ids: ids = [] } = matching(body, jsonOf(text));
  const [policy = "default"] = ids;
  if (policy !== "default") {
    throw new BrokerError(
      "POLICY_NOT_FOUND",
      "misuse",
      `Cannot find policy ${JSON.stringify(policy)}: there is only the default one`,
      { hint: "Name none, or default: devices are judged by the policies of their kind." },
    );
  }
  if (requests.filter(({ init_data: data }) => data != null && "init_data_toml" in data).length > 1)
    throw invalid("more than one piece of evidence comes with an init-data document");
  return Promise.all(requests.map((request) => sentOf(request, challenges, now)));
}

async function sentOf(
  request: z.infer<typeof individual>,
  challenges: ServiceChallenges,
  now: Date,
): Promise<SentEvidence> {
  const { runtime_data: runtime, init_data: init, runtime_data_hash_algorithm: algorithm } = request;
  const tee = teeIn(request.tee);
  const { reportDataWidth: width = DEFAULT_WIDTH, runtimeDataHash } = schemeOf(tee);
  const hash = hashIn(algorithm ?? "") ?? runtimeDataHash ?? "SHA-384";
  const structured = runtime != null && "structured" in runtime ? runtime.structured : undefined;
  const verifierKeys = await challenges.keysFor(tee, structured, now);
  return {
    tee,
    evidence: jsonIn(request.evidence),
    ...(runtime != null && "raw" in runtime
      ? { reportData: bytesIn("runtime_data.raw", runtime.raw) }
      : structured === undefined
        ? {}
        : { reportData: await digestOf(structured, hash, width), runtimeData: structured }),
    ...(init == null
      ? {}
      : "init_data_toml" in init
        ? { initData: init.init_data_toml }
        : { initDataDigest: bytesIn("init_data.init_data_digest", init.init_data_digest) }),
    ...(verifierKeys.length === 0 ? {} : { verifierKeys }),
  };
}

/** Cut or zero-padded to the TEE's field. */
async function digestOf(data: JsonObject, hash: HashName, width: number): Promise<Uint8Array> {
  const digest = await defaultCrypto.digest(hash, canonicalJsonBytes(data));
  return digest.length >= width ? digest.subarray(0, width) : padRight(digest, width);
}

function hashIn(name: string): HashName | undefined {
  if (name === "") return undefined;
  if (!Object.hasOwn(HASHES, name))
    throw invalid(`runtime_data_hash_algorithm is none of ${Object.keys(HASHES).join(", ")}`);
  return HASHES[name];
}

function teeIn(name: string): TeeName {
  const tee = teeNamed(name);
  if (tee === undefined) throw invalid(`tee ${JSON.stringify(name)} is not known`);
  return tee;
}

function jsonIn(evidence: string): JsonValue {
  try {
    return parseJson(toUtf8(bytesIn("evidence", evidence)));
  } catch (error) {
    if (error instanceof BrokerError || !(error instanceof AdytonError)) throw error;
    throw invalid("evidence is no base64url of JSON");
  }
}

function bytesIn(member: string, text: string): Uint8Array {
  try {
    return fromBase64Url(text);
  } catch {
    throw invalid(`${member} is no base64url`);
  }
}
