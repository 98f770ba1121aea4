// SPDX-License-Identifier: Apache-2.0
// What a handshake costs step by step, inside one process and without a socket, beside the bare cryptography it contains.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { createBroker, openBrokerState } from "@adyton/broker";
import { createCache, verifyEvidence } from "@adyton/evidence";
import { createRecorder, runChecks } from "./bare.ts";
import { Guest } from "./broker-guest.ts";
import type { BrokerWorld } from "./broker-world.ts";
import { type Contender, type Effort, measure } from "./measure.ts";

/** Medians in microseconds, of one run. */
export interface StepsReport {
  /** Of the broker alone. */
  readonly auth: number;
  readonly attest: number;
  readonly resource: number;
  readonly handshake: number;
  /** The same cryptography and nothing else. */
  readonly bare: {
    /** How many signatures the evidence needs, and their checks. */
    readonly evidenceChecks: number;
    readonly evidence: number;
    /** The result signed (ES256), and checked again where it opens the secret. */
    readonly result: number;
    /** The TEE's key read twice, ECDH-ES with a fresh key. */
    readonly agreement: number;
    /** Two checkpoints of the audit log (Ed25519). */
    readonly checkpoints: number;
    /** Sessions, explanation and secret sealed and opened, the JWE; the hashes of all these. */
    readonly symmetric: number;
    readonly sum: number;
  };
  /** `handshake` by `bare.sum`. */
  readonly ratio: number;
  /** One quote to another thread, and the claims back: what verification there would cost besides itself. */
  readonly thread: number;
  /** The warm verification of the quote. */
  readonly verification: number;
}

const BASE = "https://broker.bench";
/** About what a session with its token weighs. */
const SEALED_BYTES = 6_000;
const SEALS = 3;
const OPENS = 4;
/** SHA-256 and SHA-384 over small things: report data, keys, log leaves and nodes. */
const HASHES = 12;
const STEPS = ["auth", "attest", "resource"] as const;

export async function benchSteps(world: BrokerWorld, effort: Effort): Promise<StepsReport> {
  const state = await openBrokerState(world.newFolder());
  const broker = createBroker({ ...state, allowSimulated: true, rateLimit: false, sessionSeconds: 5 });
  const thread = await createThread(world, new Guest(world.seed));
  try {
    const fetch = (url: string, init: RequestInit) => broker.fetch(new Request(url, init));
    await world.furnish(BASE, state.adminToken, fetch);
    const guest = new Guest(world.seed);
    const samples: Record<(typeof STEPS)[number], number[]> = { auth: [], attest: [], resource: [] };
    const contenders = [
      { name: "handshake", run: () => handshake(fetch, guest, samples) },
      { name: "thread", run: thread.ask },
      { name: "verification", run: await warmVerification(world, guest) },
      ...(await bareContenders(world, guest)),
    ];
    const timings = await measure(contenders, effort);
    const medianOf = (name: string): number =>
      timings.find((timing) => timing.name === name)?.median ?? Number.NaN;
    const [auth, attest, resource] = STEPS.map((step) => median(samples[step])) as [number, number, number];
    const bare = {
      evidence: medianOf("evidence"),
      result: medianOf("result"),
      agreement: medianOf("agreement"),
      checkpoints: medianOf("checkpoints"),
      symmetric: medianOf("symmetric"),
    };
    const sum = Object.values(bare).reduce((total, value) => total + value, 0);
    const total = auth + attest + resource;
    const evidenceChecks = (await warmChecks(world, guest)).length;
    return {
      auth,
      attest,
      resource,
      handshake: total,
      bare: { evidenceChecks, ...bare, sum },
      ratio: total / sum,
      thread: medianOf("thread"),
      verification: medianOf("verification"),
    };
  } finally {
    await thread.stop();
    await broker.close();
  }
}

async function handshake(
  fetch: (url: string, init: RequestInit) => Promise<Response>,
  guest: Guest,
  samples: Readonly<Record<(typeof STEPS)[number], number[]>>,
): Promise<void> {
  const step = async (
    name: (typeof STEPS)[number],
    path: string,
    init: RequestInit,
  ): Promise<[Headers, string]> => {
    const start = performance.now();
    const answer = await fetch(BASE + path, init);
    const text = await answer.text();
    samples[name].push(1000 * (performance.now() - start));
    if (answer.status !== 200) throw new Error(`${name}: ${answer.status} ${text}`);
    return [answer.headers, text];
  };
  const [headers, challenge] = await step("auth", "/kbs/v0/auth", { method: "POST", body: guest.authBody });
  const cookie = headers.get("set-cookie")?.split(";")[0] ?? "";
  const body = await guest.attestBody((JSON.parse(challenge) as { nonce: string }).nonce);
  await step("attest", "/kbs/v0/attest", { method: "POST", body, headers: { cookie } });
  await step("resource", "/kbs/v0/resource/default/bench/secret", { headers: { cookie } });
}

/** The signature checks of one quote whose chain and collateral were verified before. */
async function warmChecks(
  { trusted }: BrokerWorld,
  guest: Guest,
): Promise<ReturnType<ReturnType<typeof createRecorder>["checks"]>> {
  const recorder = createRecorder();
  const options = { ...trusted, tee: "tdx" as const, cache: createCache(), crypto: recorder.crypto };
  await verifyEvidence(guest.quoteOver(randomBytes(64)), options);
  recorder.clear();
  await verifyEvidence(guest.quoteOver(randomBytes(64)), options);
  return recorder.checks();
}

async function warmVerification({ trusted }: BrokerWorld, guest: Guest): Promise<() => Promise<unknown>> {
  const options = { ...trusted, tee: "tdx" as const, cache: createCache() };
  const quote = guest.quoteOver(randomBytes(64));
  const run = () => verifyEvidence(quote, options);
  await run();
  return run;
}

/** A thread that answers every quote with the claims of one. */
async function createThread(
  { trusted }: BrokerWorld,
  guest: Guest,
): Promise<{ ask(): Promise<unknown>; stop(): Promise<unknown> }> {
  const quote = guest.quoteOver(randomBytes(64));
  const { claims } = await verifyEvidence(quote, { ...trusted, tee: "tdx" });
  const program = `
    const { parentPort, workerData } = require("node:worker_threads");
    parentPort.on("message", () => parentPort.postMessage(workerData));
  `;
  const worker = new Worker(program, { eval: true, workerData: claims });
  await once(worker, "online");
  return {
    ask: () => {
      const answer = once(worker, "message");
      worker.postMessage(quote);
      return answer;
    },
    stop: () => worker.terminate(),
  };
}

async function bareContenders(world: BrokerWorld, guest: Guest): Promise<Contender[]> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const jwk = publicKey.export({ format: "jwk" });
  const log = generateKeyPairSync("ed25519").privateKey;
  const [text, small, key] = [randomBytes(SEALED_BYTES), randomBytes(300), randomBytes(32)];
  const es256 = { dsaEncoding: "ieee-p1363" } as const;
  const seal = (): [Uint8Array, Buffer, Buffer] => {
    const iv = randomBytes(12);
    const cipher = createCipheriv("aes-256-gcm", key, iv);
    return [iv, Buffer.concat([cipher.update(text), cipher.final()]), cipher.getAuthTag()];
  };
  const [iv, sealed, tag] = seal();
  const open = (): void => {
    const cipher = createDecipheriv("aes-256-gcm", key, iv);
    cipher.setAuthTag(tag);
    Buffer.concat([cipher.update(sealed), cipher.final()]);
  };
  return [
    { name: "evidence", run: runChecks(await warmChecks(world, guest)) },
    {
      name: "result",
      run: () => {
        const signature = sign("sha256", text, { key: privateKey, ...es256 });
        if (!verify("sha256", text, { key: publicKey, ...es256 }, signature)) throw new Error("no signature");
      },
    },
    {
      name: "agreement",
      run: () => {
        createPublicKey({ key: jwk, format: "jwk" });
        const peer = createPublicKey({ key: jwk, format: "jwk" });
        diffieHellman({
          privateKey: generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey,
          publicKey: peer,
        });
      },
    },
    {
      name: "checkpoints",
      run: () => {
        sign(null, small, log);
        sign(null, small, log);
      },
    },
    {
      name: "symmetric",
      run: () => {
        for (let n = 0; n < SEALS; n++) seal();
        for (let n = 0; n < OPENS; n++) open();
        for (let n = 0; n < HASHES; n++) createHash("sha256").update(small).digest();
      },
    },
  ];
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}
