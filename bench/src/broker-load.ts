// SPDX-License-Identifier: Apache-2.0
// Clients in a process of their own: whole handshakes (challenge, attestation, one secret) against one broker.

import { Agent, type IncomingHttpHeaders, request } from "node:http";
import { Guest } from "./broker-guest.ts";
import type { LoadOrder, LoadResult } from "./broker-messages.ts";

interface Answer {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

interface Run {
  readonly url: string;
  readonly guest: Guest;
  readonly agent: Agent;
  readonly latencies: number[];
  readonly failures: string[];
}

/** One secret in so many is opened: what is measured is the broker. */
const OPENED = 100;
const SECRET_BYTES = 32;
const KEPT_FAILURES = 5;
const HEADERS = { "content-type": "application/json" };

process.on("message", (message: LoadOrder | "stop") => {
  if (message === "stop") process.disconnect();
  else void load(message).then((result) => process.send?.(result));
});

async function load(order: LoadOrder): Promise<LoadResult> {
  const run: Run = {
    url: order.url,
    guest: new Guest(order.seed),
    agent: new Agent({ keepAlive: true }),
    latencies: [],
    failures: [],
  };
  const start = performance.now();
  await (order.rate === undefined ? closedLoop(run, order) : openLoop(run, order, order.rate));
  const seconds = (performance.now() - start) / 1000;
  run.agent.destroy();
  return { seconds, latencies: Float64Array.from(run.latencies), failures: run.failures };
}

async function closedLoop(run: Run, { concurrency, handshakes, seconds }: LoadOrder): Promise<void> {
  const end = performance.now() + 1000 * (seconds ?? Number.POSITIVE_INFINITY);
  let left = handshakes ?? Number.POSITIVE_INFINITY;
  const worker = async (): Promise<void> => {
    while (left-- > 0 && performance.now() < end) await timed(run, performance.now());
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

async function openLoop(run: Run, { seconds = 10 }: LoadOrder, rate: number): Promise<void> {
  const running: Promise<void>[] = [];
  const end = performance.now() + 1000 * seconds;
  for (let due = performance.now(); due < end; due += (-1000 / rate) * Math.log(1 - Math.random())) {
    const wait = due - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    running.push(timed(run, due));
  }
  await Promise.all(running);
}

async function timed(run: Run, due: number): Promise<void> {
  try {
    await handshake(run);
    run.latencies.push(performance.now() - due);
  } catch (error) {
    if (run.failures.length < KEPT_FAILURES) run.failures.push(String(error));
  }
}

async function handshake({ agent, guest, latencies, url }: Run): Promise<void> {
  const kbs = `${url}/kbs/v0`;
  const challenge = await call(agent, "POST", `${kbs}/auth`, HEADERS, guest.authBody);
  const cookie = challenge.headers["set-cookie"]?.[0]?.split(";")[0] ?? "";
  const { nonce } = JSON.parse(challenge.body) as { nonce: string };
  await call(agent, "POST", `${kbs}/attest`, { ...HEADERS, cookie }, await guest.attestBody(nonce));
  const { body } = await call(agent, "GET", `${kbs}/resource/default/bench/secret`, { cookie });
  if (latencies.length % OPENED !== 0) return;
  const secret = await guest.opened(body);
  if (secret.length !== SECRET_BYTES) throw new Error("the secret is another one");
}

/** `fetch` takes several times the client's processor time. */
function call(
  agent: Agent,
  method: string,
  url: string,
  headers: Readonly<Record<string, string>>,
  body = "",
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { agent, method, headers }, (incoming) => {
      let text = "";
      incoming.setEncoding("utf8");
      incoming.on("data", (chunk: string) => {
        text += chunk;
      });
      incoming.on("error", reject);
      incoming.on("end", () => {
        if (incoming.statusCode === 200) resolve({ headers: incoming.headers, body: text });
        else reject(new Error(`${method} ${url}: ${incoming.statusCode} ${text.slice(0, 300)}`));
      });
    });
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}
