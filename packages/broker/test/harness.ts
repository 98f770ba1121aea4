// SPDX-License-Identifier: Apache-2.0
// A broker in a temporary folder with a clock to set, a software TEE to attest with, and the calls of the protocol.

import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { reportDataOf, schemeOf } from "@adyton/evidence";
import { createSampleVendor, type SampleMachine, type SampleVendor } from "@adyton/simulator";
import { type FlattenedJWE, flattenedDecrypt } from "jose";
import {
  type Broker,
  type BrokerOptions,
  type BrokerState,
  createBroker,
  type LogFacts,
  openBrokerState,
  type StateOptions,
} from "../src/index.ts";

export const DIGEST: string = "ab".repeat(48);
export const URL_BASE = "http://broker.test";
/** What the default policy needs to know of the software TEE. */
export const GOOD_VALUES: JsonObject = {
  launch_digest: [DIGEST],
  svn: ["1"],
  major_version: [1],
  minimum_minor_version: [0],
};

export interface TeePair {
  readonly jwk: JsonObject;
  readonly privateKey: KeyObject;
}

/** A challenge as a client holds it. */
export interface Challenge {
  readonly nonce: string;
  readonly cookie: string;
}

/** What may be different from an honest attestation. */
export interface AttestChanges {
  /** Evidence of further devices, bound by the processor's. */
  readonly additional?: string;
  readonly pair?: TeePair;
  /** The key that the evidence binds, when it is another. */
  readonly boundKey?: JsonObject;
  /** The nonce that the evidence binds and the body names, when they are others. */
  readonly boundNonce?: string;
  readonly nonce?: string;
  readonly launchDigest?: string;
  readonly machine?: SampleMachine;
  readonly initDataField?: Uint8Array;
  readonly initData?: JsonValue;
  readonly primary?: JsonValue;
  readonly edit?: (body: Record<string, JsonValue>) => JsonValue;
}

export interface Harness {
  readonly folder: string;
  readonly clock: { time: Date; now(): Date };
  readonly logged: { level: string; event: string; facts: LogFacts }[];
  readonly machine: SampleMachine;
  state: BrokerState;
  broker: Broker;
  /** Closes the broker and opens another over the same folder. */
  restart(options?: Partial<BrokerOptions>): Promise<void>;
  call(method: string, path: string, options?: CallOptions): Promise<Response>;
  admin(method: string, path: string, body?: string | Uint8Array): Promise<Response>;
  setReferenceValues(values: JsonObject): Promise<Response>;
  auth(body?: JsonValue): Promise<Challenge>;
  attest(challenge: Challenge, changes?: AttestChanges): Promise<Response>;
  /** Challenge and attestation; the token. */
  attested(changes?: AttestChanges): Promise<Challenge & { readonly token: string }>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

const vendors: Promise<SampleVendor>[] = [];

/** One vendor for all tests of a file: making keys is slow. */
export function vendor(index = 0): Promise<SampleVendor> {
  vendors[index] ??= createSampleVendor();
  return vendors[index];
}

export function newTeePair(namedCurve = "P-256"): TeePair {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve });
  return { jwk: { ...publicKey.export({ format: "jwk" }), alg: "ECDH-ES+A256KW" } as JsonObject, privateKey };
}

export const PAIR: TeePair = newTeePair();

/** Where the broker keeps its state, when not in a folder of its own with new keys. */
export interface HarnessState {
  readonly postgres?: Exclude<StateOptions["postgres"], undefined>;
  /** Begin with a copy of this one's state folder. */
  readonly keysOf?: Harness;
}

export async function createHarness(
  options: Partial<BrokerOptions> = {},
  { postgres, keysOf }: HarnessState = {},
): Promise<Harness> {
  const folder = mkdtempSync(join(tmpdir(), "adyton-broker-"));
  if (keysOf !== undefined)
    cpSync(join(keysOf.folder, "state"), join(folder, "state"), {
      recursive: true,
      preserveTimestamps: true,
    });
  const clock = { time: new Date("2026-03-01T12:00:00Z"), now: () => clock.time };
  const logged: Harness["logged"] = [];
  const log =
    (level: string) =>
    (event: string, facts: LogFacts = {}) =>
      void logged.push({ level, event, facts });
  const logger = { info: log("info"), warn: log("warn"), error: log("error") };
  const sample = await vendor();
  const open = async (more: Partial<BrokerOptions>) => {
    const state = await openBrokerState(join(folder, "state"), {
      clock,
      logger,
      ...(postgres === undefined ? {} : { postgres }),
    });
    const broker = createBroker({
      ...state,
      roots: [sample.root],
      allowSimulated: true,
      clock,
      logger,
      ...options,
      ...more,
    });
    return { state, broker };
  };
  const harness: Harness = {
    folder,
    clock,
    logged,
    machine: await sample.machine(),
    ...(await open({})),
    restart: async (more = {}) => {
      await harness.broker.close();
      Object.assign(harness, await open(more));
    },
    call: (method, path, { body, headers, address } = {}) =>
      harness.broker.fetch(
        new Request(URL_BASE + path, {
          method,
          ...(body === undefined ? {} : { body: body as BodyInit }),
          ...(headers === undefined ? {} : { headers }),
        }),
        address === undefined ? {} : { remoteAddress: address },
      ),
    admin: (method, path, body) =>
      harness.call(method, path, {
        headers: { authorization: `Bearer ${harness.state.adminToken}` },
        ...(body === undefined ? {} : { body }),
      }),
    setReferenceValues: (values) =>
      harness.admin("POST", "/kbs/v0/reference-value", referenceMessage(values)),
    auth: async (body = authBody()) => {
      const response = await harness.call("POST", "/kbs/v0/auth", { body: JSON.stringify(body) });
      const { nonce } = await jsonOf(response);
      const cookie = response.headers.get("set-cookie")?.split(";")[0] ?? "";
      return { nonce: String(nonce), cookie };
    },
    attest: async (challenge, changes = {}) =>
      harness.call("POST", "/kbs/v0/attest", {
        body: JSON.stringify(await attestBody(challenge, harness.machine, changes)),
        headers: { cookie: challenge.cookie },
      }),
    attested: async (changes = {}) => {
      const challenge = await harness.auth();
      const answer = await harness.attest(challenge, changes);
      if (answer.status !== 200) throw new Error(`not attested: ${await answer.text()}`);
      const { token } = await jsonOf(answer);
      return { ...challenge, token: String(token) };
    },
    close: async () => {
      await harness.broker.close();
      rmSync(folder, { recursive: true });
    },
  };
  return harness;
}

export function authBody(changes: JsonObject = {}): JsonObject {
  return {
    version: "0.4.0",
    tee: "sample",
    "extra-params": { "supported-hash-algorithms": ["sha256", "sha384", "sha512"] },
    ...changes,
  };
}

export function referenceMessage(values: JsonValue, changes: JsonObject = {}): string {
  const payload = toBase64(fromUtf8(JSON.stringify(values)));
  return JSON.stringify({ version: "0.1.0", type: "sample", payload, ...changes });
}

/** Evidence for a challenge, in the protocol's body. */
export async function attestBody(
  challenge: Challenge,
  machine: SampleMachine,
  changes: AttestChanges,
): Promise<JsonValue> {
  const { pair = PAIR, nonce = challenge.nonce, launchDigest = DIGEST, initDataField } = changes;
  const reportData = await reportDataOf(
    {
      nonce: changes.boundNonce ?? nonce,
      teePubkey: changes.boundKey ?? pair.jwk,
      additionalEvidence: changes.additional ?? "",
    },
    defaultCrypto,
  );
  const evidence = await (changes.machine ?? machine).evidence({
    launchDigest,
    reportData,
    ...(initDataField === undefined ? {} : { initData: initDataField }),
  });
  const body: Record<string, JsonValue> = {
    "init-data": changes.initData ?? null,
    "runtime-data": { nonce, "tee-pubkey": pair.jwk },
    "tee-evidence": {
      primary_evidence: changes.primary ?? schemeOf("sample").toKbs({ evidence }),
      additional_evidence: changes.additional ?? "",
    },
  };
  return changes.edit === undefined ? body : changes.edit(body);
}

/** Opens the answer to a resource request. */
export async function openedOf(
  response: Response,
  privateKey: KeyObject = PAIR.privateKey,
): Promise<Uint8Array> {
  const jwe = (await response.json()) as FlattenedJWE;
  return (await flattenedDecrypt(jwe, privateKey)).plaintext;
}

/** `openedOf`, as text. */
export async function secretOf(response: Response, privateKey?: KeyObject): Promise<string> {
  return toUtf8(await openedOf(response, privateKey));
}

/** Status, KBS error type without its prefix, and detail. */
export async function refusalOf(
  response: Response,
): Promise<{ status: number; type: string; code: string; detail: string }> {
  const body = await jsonOf(response);
  return {
    status: response.status,
    type: String(body.type).replace("https://github.com/confidential-containers/kbs/errors/", ""),
    code: response.headers.get("adyton-error")?.split(";")[0] ?? "",
    detail: String(body.detail),
  };
}

export async function jsonOf(response: Response): Promise<JsonObject> {
  const value: unknown = await response.json();
  if (!isJsonObject(value)) throw new TypeError("the answer is no JSON object");
  return value;
}
