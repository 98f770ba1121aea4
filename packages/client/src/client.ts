// SPDX-License-Identifier: Apache-2.0
// What a workload calls: prove what runs here, get a token, get secrets. KBS protocol 0.4.0.

import type { Attester } from "@adyton/attester";
import { fromBase64, toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { type Envelope, reportDataOf, schemeOf } from "@adyton/evidence";
import { decodeJwt } from "jose";
import {
  type CertificateRequest,
  certificateKey,
  certificateRequest,
  type IssuedCertificate,
  issueCall,
  issuedIn,
  rootsCall,
} from "./certificate.ts";
import { ClientError, invalidAnswer } from "./errors.ts";
import {
  type NebulaCredential,
  type NebulaRequest,
  type PluginCalls,
  pluginCalls,
  type Transit,
} from "./plugins.ts";
import { checkReleaseProof, PROOF_HEADER, type ReleaseProofOptions } from "./release-proof.ts";
import { resourcePath } from "./resource-path.ts";
import { decryptAnswer, newTeeKeyPair, type TeeKeyPair } from "./tee-key.ts";
import { type Answer, type Call, jsonIn, objectIn, Wire, type WireOptions } from "./wire.ts";

export interface ClientOptions extends WireOptions {
  /** Collects the evidence. Default: what `detectAttester` of `@adyton/attester` finds on this machine. */
  readonly attester?: ClientAttester;
  /**
   * The TEE key's private half can be exported, to hand a token on together with what opens its secrets. Default false.
   */
  readonly exportableKey?: boolean;
  /** Take no secret whose release the broker cannot prove to have logged. */
  readonly proof?: ReleaseProofOptions;
  /** Waits between tries; tests do without the waiting. */
  readonly wait?: (milliseconds: number) => Promise<void>;
  /** The time, to know when a token has expired. */
  readonly now?: () => Date;
}

/** Collects evidence for a client. */
export interface ClientAttester extends Pick<Attester, "tee" | "collect"> {
  /**
   * Answers the verifier's request, over 64 bytes of the caller's. Needed for TEEs whose evidence answers one (IBM Secure
   * Execution: the JSON of `SeAttestationRequest`); others are asked to `collect`.
   */
  readonly answer?: (request: JsonValue, reportData: Uint8Array) => Promise<Envelope>;
}

/** What a broker says of this workload, and the key that it is said of. */
export interface Attestation {
  /** EAR, a JWT. Whoever holds it can ask for secrets, and only `keyPair` opens them. */
  readonly token: string;
  readonly keyPair: TeeKeyPair;
}

export interface Client extends PluginCalls {
  /**
   * A token that still holds: the last one, or a new one through attestation. `fresh` demands a new one. Rejects with
   * a `ClientError`, or with what the attester throws.
   */
  getToken(options?: { readonly fresh?: boolean }): Promise<Attestation>;
  /**
   * The secret called `repository/type/tag` (or `type/tag`, or `kbs:///repository/type/tag`): its newest version, unless
   * one is named, which only our brokers know. Rejects with
   * `RELEASE_REFUSED` when policy says no, `RESOURCE_MISSING`, `PROOF_REFUSED`, or as `getToken`.
   */
  getResource(name: string, options?: { readonly version?: number }): Promise<Uint8Array>;
  /**
   * A certificate of the broker's mesh CA, and the key that the evidence binds: a fresh one each time, attested for this
   * alone, unless a request of your own is given. Rejects with `RELEASE_REFUSED` when policy says no, `RESOURCE_MISSING`
   * where there is no such CA, `REQUEST_REFUSED` for a request that it does not take, `INVALID_ANSWER` for a certificate of
   * another key or identity, `INVALID_NAME`, or as `getToken`.
   */
  requestCertificate(request: CertificateRequest): Promise<IssuedCertificate>;
}

const PREFIX = "/kbs/v0";
const VERSION = "0.4.0";
const HASHES: readonly string[] = ["sha256", "sha384", "sha512"];
// Numbers of tries and the pause as guest-components' client has them.
const ATTEST_TRIES = 5;
const RESOURCE_TRIES = 3;
const PAUSE_MILLISECONDS = 1_000;
const MAX_PAUSE_SECONDS = 30;
const NONCE_BYTES = { min: 16, max: 1024 };
/** A request of IBM Secure Execution with slots for many machines stays far below. */
const MAX_REQUEST = 1024 * 1024;
/** A token is not used in its last seconds: it has to arrive before it expires. */
const MARGIN_SECONDS = 10;

/** Throws `INVALID_URL`. */
export function createClient(options: ClientOptions): Client {
  return new KbsClient(options);
}

class KbsClient implements Client {
  readonly #wire: Wire;
  readonly #wait: (milliseconds: number) => Promise<void>;
  readonly #now: () => Date;
  readonly #proof: ReleaseProofOptions | undefined;
  readonly #exportableKey: boolean;
  readonly #plugins: PluginCalls;
  #attester: ClientOptions["attester"];
  #held: { readonly attestation: Attestation; readonly expires: number } | undefined;
  /** One attestation at a time, shared by everyone who waits for it. */
  #pending: Promise<Attestation> | undefined;

  constructor(options: ClientOptions) {
    this.#wire = new Wire(options);
    this.#attester = options.attester;
    this.#exportableKey = options.exportableKey ?? false;
    this.#proof = options.proof;
    this.#wait =
      options.wait ?? ((milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)));
    this.#now = options.now ?? (() => new Date());
    this.#plugins = pluginCalls((call, read) => this.#asAttested(call, read));
  }

  async getToken({ fresh = false }: { readonly fresh?: boolean } = {}): Promise<Attestation> {
    const held = this.#held;
    if (!fresh && held !== undefined && held.expires > this.#now().getTime() / 1000) return held.attestation;
    this.#pending ??= this.#attestAndHold().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  async getResource(name: string, { version }: { readonly version?: number } = {}): Promise<Uint8Array> {
    const path = resourcePath(name);
    const proof = this.#proof;
    const call: Call = {
      method: "GET",
      path: `${PREFIX}/resource/${path}${version === undefined ? "" : `?version=${version}`}`,
      what: `get ${path}`,
      ...(proof === undefined ? {} : { headers: { [PROOF_HEADER]: "1" } }),
    };
    return this.#asAttested(call, async (answer, keyPair) => {
      if (proof !== undefined) {
        const file = await checkReleaseProof(answer.headers.get(PROOF_HEADER), path, keyPair, proof.logKey);
        await proof.keep?.(path, file);
      }
      return decryptAnswer(jsonIn(answer, "resource"), keyPair);
    });
  }

  get transit(): Transit {
    return this.#plugins.transit;
  }

  async unwrapKey(key: string, wrapped: Uint8Array): Promise<Uint8Array> {
    return this.#plugins.unwrapKey(key, wrapped);
  }

  async nebulaCredential(request: NebulaRequest): Promise<NebulaCredential> {
    return this.#plugins.nebulaCredential(request);
  }

  async diskKey(path: string): Promise<Uint8Array> {
    return this.#plugins.diskKey(path);
  }

  async requestCertificate(request: CertificateRequest): Promise<IssuedCertificate> {
    const { csr } = request;
    if (csr !== undefined) {
      const answer = await this.#asAttested(issueCall(request, csr), (got) => got);
      return issuedIn(answer, await this.#wire.call(rootsCall(request)), request, undefined);
    }
    const keyPair = await newTeeKeyPair(true);
    const own = await certificateKey(keyPair);
    const call = issueCall(request, await certificateRequest(own.key));
    const { token } = await this.#attestPatiently(keyPair);
    const answer = await this.#wire.call(withToken(call, token));
    return issuedIn(answer, await this.#wire.call(rootsCall(request)), request, own);
  }

  /** With a token that holds; with a new one when the broker does not take it. */
  async #asAttested<T>(
    call: Call,
    read: (answer: Answer, keyPair: TeeKeyPair) => T | Promise<T>,
  ): Promise<T> {
    let fresh = false;
    for (let tried = 1; ; tried++) {
      const before = this.#held?.attestation;
      const attestation = await this.getToken({ fresh });
      try {
        const answer = await this.#wire.call(withToken(call, attestation.token));
        return await read(answer, attestation.keyPair);
      } catch (error) {
        if (!(error instanceof ClientError) || error.detail.status !== 401 || tried === RESOURCE_TRIES)
          throw error;
        // What is refused to a token that was made for this call is refused to the next one too.
        if (attestation !== before && isFinal(error)) throw error;
        fresh = true;
      }
    }
  }

  async #attestAndHold(): Promise<Attestation> {
    const attestation = await this.#attestPatiently();
    this.#held = { attestation, expires: expiryOf(attestation.token) - MARGIN_SECONDS };
    return attestation;
  }

  /** Attests; when the broker cannot answer, again after a pause. A refusal is final. */
  async #attestPatiently(keyPair?: TeeKeyPair): Promise<Attestation> {
    for (let tried = 1; ; tried++) {
      try {
        return await this.#attest(keyPair ?? (await newTeeKeyPair(this.#exportableKey)));
      } catch (error) {
        if (!(error instanceof ClientError) || error.category !== "unavailable" || tried === ATTEST_TRIES)
          throw error;
        const { retryAfterSeconds } = error.detail;
        const seconds =
          typeof retryAfterSeconds === "number" ? Math.min(retryAfterSeconds, MAX_PAUSE_SECONDS) : 0;
        await this.#wait(Math.max(PAUSE_MILLISECONDS, seconds * 1000));
      }
    }
  }

  /** Request, challenge, attestation, result. */
  async #attest(keyPair: TeeKeyPair): Promise<Attestation> {
    this.#attester ??= await (await import("@adyton/attester")).detectAttester();
    const { tee } = this.#attester;
    const challenge = await this.#wire.call({
      method: "POST",
      path: `${PREFIX}/auth`,
      what: "get a challenge",
      headers: JSON_BODY,
      body: JSON.stringify({
        version: VERSION,
        tee,
        "extra-params": { "supported-hash-algorithms": HASHES },
      }),
    });
    const { request, runtimeDataHash, toKbs } = schemeOf(tee);
    const nonce = request === undefined ? nonceIn(challenge) : requestIn(challenge);
    const reportData = await reportDataOf(
      { nonce, teePubkey: keyPair.publicJwk, additionalEvidence: "" },
      defaultCrypto,
      runtimeDataHash,
    );
    const envelope =
      request === undefined
        ? await this.#attester.collect(reportData)
        : await answerOf(this.#attester, nonce, reportData);
    const body = {
      "init-data":
        envelope.initData === undefined ? null : { format: "toml", body: toUtf8(envelope.initData) },
      "runtime-data": { nonce, "tee-pubkey": keyPair.publicJwk },
      "tee-evidence": { primary_evidence: toKbs(envelope), additional_evidence: "" },
    };
    const answer = await this.#wire.call({
      method: "POST",
      path: `${PREFIX}/attest`,
      what: "attest",
      headers: { ...JSON_BODY, ...cookieOf(challenge.headers) },
      body: JSON.stringify(body),
    });
    return { token: tokenIn(answer), keyPair };
  }
}

const JSON_BODY: Readonly<Record<string, string>> = { "content-type": "application/json" };

function withToken(call: Call, token: string): Call {
  return { ...call, headers: { ...call.headers, authorization: `Bearer ${token}` } };
}

/** A fresh attestation would change nothing. */
function isFinal({ code }: ClientError): boolean {
  return code === "RELEASE_REFUSED" || code === "RESOURCE_MISSING" || code === "ATTESTATION_REFUSED";
}

/** The evidence that answers a verifier's request. */
async function answerOf(
  attester: ClientAttester,
  request: string,
  reportData: Uint8Array,
): Promise<Envelope> {
  if (attester.answer === undefined) {
    throw new ClientError(
      "CHALLENGE_UNANSWERABLE",
      "misuse",
      `Cannot attest as ${attester.tee}: its evidence answers a request, and the attester answers none`,
      { hint: "Pass an attester with `answer`." },
    );
  }
  let parsed: JsonValue;
  try {
    parsed = parseJson(request);
  } catch {
    throw invalidAnswer("challenge", "its request is no JSON");
  }
  return attester.answer(parsed, reportData);
}

/** The request in place of a nonce, as text: report data is over it as it was sent. */
function requestIn(answer: Answer): string {
  const { nonce } = objectIn(answer, "challenge");
  if (typeof nonce === "string" && nonce.length <= MAX_REQUEST) return nonce;
  throw invalidAnswer("challenge", "it holds no request");
}

function nonceIn(answer: Answer): string {
  const { nonce }: JsonObject = objectIn(answer, "challenge");
  if (typeof nonce !== "string") throw invalidAnswer("challenge", "it holds no nonce");
  const length = lengthOf(nonce);
  if (length < NONCE_BYTES.min || length > NONCE_BYTES.max)
    throw invalidAnswer(
      "challenge",
      `its nonce has ${length} bytes, expected ${NONCE_BYTES.min} to ${NONCE_BYTES.max}`,
    );
  return nonce;
}

function lengthOf(base64: string): number {
  try {
    return fromBase64(base64).length;
  } catch (error) {
    throw invalidAnswer("challenge", error instanceof AdytonError ? error.message : "its nonce is no base64");
  }
}

function tokenIn(answer: Answer): string {
  const { token } = objectIn(answer, "attestation result");
  if (typeof token !== "string") throw invalidAnswer("attestation result", "it holds no token");
  return token;
}

/** Seconds since 1970. The broker checks its own token; here only its end is of interest. */
function expiryOf(token: string): number {
  try {
    return decodeJwt(token).exp ?? 0;
  } catch {
    throw invalidAnswer("attestation result", "its token is no JWT");
  }
}

/** In Node the session's cookie is sent by hand; a browser hides it from programs and sends it by itself. */
function cookieOf(headers: Headers): Readonly<Record<string, string>> {
  const pairs = headers.getSetCookie().map((line) => line.split(";")[0] ?? "");
  return pairs.length === 0 ? {} : { cookie: pairs.join("; ") };
}
