// SPDX-License-Identifier: Apache-2.0
// npm run bench -- broker: whole handshakes with TDX evidence and warm endorsements. Brokers and clients are processes of
// their own.

import { availableParallelism } from "node:os";
import { hasPostgres, startPostgres } from "@adyton/testing/postgres";
import {
  type Helper,
  type LoadOrder,
  type LoadResult,
  type ServerOrder,
  type ServerReady,
  type ServerUsage,
  startHelper,
} from "./broker-messages.ts";
import { benchSteps, type StepsReport } from "./broker-steps.ts";
import { type BrokerWorld, createWorld } from "./broker-world.ts";
import type { Effort } from "./measure.ts";

export interface BrokerBenchOptions {
  readonly effort: Effort;
  /** Seconds that each load lasts. */
  readonly seconds: number;
  /** How many handshakes to watch the memory over. */
  readonly handshakes: number;
  /** Folder for CPU profiles of the brokers. */
  readonly profiles?: string;
}

export interface LoadReport {
  /** Clients at the same time; absent where they come at a rate. */
  readonly concurrency?: number;
  readonly handshakes: number;
  readonly perSecond: number;
  /** Handshakes for each second that processors worked for the brokers: what a core would do that has nothing else to do. */
  readonly perCore: number;
  /** Milliseconds of a whole handshake. */
  readonly p50: number;
  readonly p99: number;
}

export interface StoreReport {
  readonly store: "sqlite" | "postgres";
  readonly brokers: number;
  readonly levels: readonly LoadReport[];
  /** At 80 % of the most that the levels reached, clients coming on their own. */
  readonly at80: LoadReport;
}

export interface MemoryReport {
  readonly handshakes: number;
  readonly sessionSeconds: number;
  /** After a collection, at even distances; the first is before. */
  readonly heapMegabytes: readonly number[];
  readonly residentMegabytes: readonly number[];
}

export interface BrokerReport {
  readonly node: string;
  readonly cores: number;
  readonly stores: readonly StoreReport[];
  readonly memory: MemoryReport;
  readonly steps: StepsReport;
}

type Server = Helper<ServerOrder | "usage", ServerReady | ServerUsage>;
type Client = Helper<LoadOrder, LoadResult>;

interface Pair {
  readonly server: Server;
  readonly client: Client;
  readonly load: (order: Omit<LoadOrder, "url" | "seed">) => Promise<LoadResult>;
}

const LEVELS = [1, 8, 64, 256] as const;
const SESSION_SECONDS = 300;
/** Short, so that as many sessions end as begin while the memory is watched. */
const MEMORY_SESSION_SECONDS = 10;
const SAMPLES = 20;
const WARM_UP = 300;
const LOADED = 0.8;
const MEGABYTE = 1024 * 1024;

export async function benchBroker(
  options: BrokerBenchOptions,
  say: (line: string) => void,
): Promise<BrokerReport> {
  const world = await createWorld();
  const cores = availableParallelism();
  try {
    const stores: StoreReport[] = [];
    for (const brokers of new Set([1, cores])) {
      say(`measuring ${brokers} on SQLite …`);
      stores.push(await benchStore(world, options, "sqlite", brokers));
    }
    if (hasPostgres) {
      for (const brokers of new Set([1, cores])) {
        say(`measuring ${brokers} on PostgreSQL …`);
        const postgres = await startPostgres();
        try {
          stores.push(await benchStore(world, options, "postgres", brokers, postgres.url));
        } finally {
          await postgres.remove();
        }
      }
    }
    say("watching memory …");
    const memory = await watchMemory(world, options);
    say("measuring steps …");
    return {
      node: process.versions.node,
      cores,
      stores,
      memory,
      steps: await benchSteps(world, options.effort),
    };
  } finally {
    world.remove();
  }
}

async function benchStore(
  world: BrokerWorld,
  { seconds, profiles }: BrokerBenchOptions,
  store: StoreReport["store"],
  brokers: number,
  postgres?: string,
): Promise<StoreReport> {
  const pairs = await startPairs(world, brokers, SESSION_SECONDS, profiles, postgres);
  try {
    const levels: LoadReport[] = [];
    for (const concurrency of LEVELS) {
      const share = Math.ceil(concurrency / brokers);
      levels.push({ concurrency, ...(await loaded(pairs, { concurrency: share, seconds })) });
    }
    const rate = (LOADED * Math.max(...levels.map(({ perSecond }) => perSecond))) / brokers;
    const at80 = await loaded(pairs, { concurrency: 0, rate, seconds });
    return { store, brokers, levels, at80 };
  } finally {
    await stopPairs(pairs);
  }
}

/** A client for each broker: with SQLite each broker has sessions of its own, and so a folder of its own. */
async function startPairs(
  world: BrokerWorld,
  brokers: number,
  sessionSeconds: number,
  profiles: string | undefined,
  postgres?: string,
): Promise<Pair[]> {
  const flags = [
    "--expose-gc",
    ...(profiles === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`]),
  ];
  const shared = world.newFolder();
  const pairs: Pair[] = [];
  for (let n = 0; n < brokers; n++) {
    const folder = postgres === undefined ? world.newFolder() : shared;
    const server: Server = startHelper("broker-server", flags);
    const ready = (await server.ask({
      folder,
      sessionSeconds,
      ...(postgres === undefined ? {} : { postgres }),
    })) as ServerReady;
    if (postgres === undefined || n === 0) await world.furnish(ready.url, ready.adminToken);
    const client: Client = startHelper("broker-load");
    const load: Pair["load"] = async (order) =>
      checked(await client.ask({ ...order, url: ready.url, seed: world.seed }));
    pairs.push({ server, client, load });
    await load({ concurrency: 8, handshakes: WARM_UP });
  }
  return pairs;
}

async function stopPairs(pairs: readonly Pair[]): Promise<void> {
  for (const { client, server } of pairs) {
    await client.stop();
    await server.stop();
  }
}

async function loaded(
  pairs: readonly Pair[],
  order: Omit<LoadOrder, "url" | "seed">,
): Promise<Omit<LoadReport, "concurrency">> {
  const before = await cpuOf(pairs);
  const results = await Promise.all(pairs.map(({ load }) => load(order)));
  const cpu = (await cpuOf(pairs)) - before;
  const latencies = Float64Array.from(results.flatMap(({ latencies }) => [...latencies])).sort();
  const at = (share: number): number => latencies[Math.floor(share * (latencies.length - 1))] ?? Number.NaN;
  return {
    handshakes: latencies.length,
    perSecond: results.reduce((sum, result) => sum + result.latencies.length / result.seconds, 0),
    perCore: latencies.length / cpu,
    p50: at(0.5),
    p99: at(0.99),
  };
}

/** A refusal must not look fast. */
function checked(result: LoadResult): LoadResult {
  const [first] = result.failures;
  if (first !== undefined) throw new Error(`a handshake failed: ${first}`);
  return result;
}

async function cpuOf(pairs: readonly Pair[]): Promise<number> {
  const usages = await Promise.all(pairs.map(({ server }) => server.ask("usage") as Promise<ServerUsage>));
  return usages.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
}

async function watchMemory(world: BrokerWorld, { handshakes }: BrokerBenchOptions): Promise<MemoryReport> {
  const pairs = await startPairs(world, 1, MEMORY_SESSION_SECONDS, undefined);
  const [pair] = pairs;
  if (pair === undefined) throw new Error("no broker to watch");
  const { load, server } = pair;
  try {
    const usages = [(await server.ask("usage")) as ServerUsage];
    for (let n = 0; n < SAMPLES; n++) {
      await load({ concurrency: 64, handshakes: Math.ceil(handshakes / SAMPLES) });
      usages.push((await server.ask("usage")) as ServerUsage);
    }
    return {
      handshakes,
      sessionSeconds: MEMORY_SESSION_SECONDS,
      heapMegabytes: usages.map(({ heapBytes }) => heapBytes / MEGABYTE),
      residentMegabytes: usages.map(({ residentBytes }) => residentBytes / MEGABYTE),
    };
  } finally {
    await stopPairs(pairs);
  }
}
