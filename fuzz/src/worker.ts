// SPDX-License-Identifier: Apache-2.0
// One target in one thread: mutate, run, keep what reached code that nothing before it reached.

import { isMainThread, parentPort, workerData } from "node:worker_threads";
import { loadTarget, readCorpus, readFixtures } from "./corpus.ts";
import { type Coverage, startCoverage } from "./coverage.ts";
import { MAX_INPUT, mutate, wordsOf } from "./mutate.ts";
import { createRandom } from "./random.ts";
import type { Target } from "./target.ts";

/** What main.ts hands over. */
export interface Job {
  readonly target: string;
  readonly seconds: number;
  readonly seed: number;
  /** Where the running input stands, for the day it never comes back: 8 bytes of counter and length, then the bytes. */
  readonly shared: SharedArrayBuffer;
}

/** What comes back. */
export type Message =
  | { readonly kind: "finding"; readonly input: Uint8Array; readonly reason: string }
  | {
      readonly kind: "done";
      readonly executions: number;
      readonly covered: number;
      readonly entries: number;
      /** Small enough and free of real evidence: what may be committed. */
      readonly corpus: readonly Uint8Array[];
    };

interface Entry {
  readonly data: Uint8Array;
  /** Grown from the simulator and from bytes made by hand alone. */
  readonly free: boolean;
}

/** An input that takes longer, three times in a row, is a finding. */
const SLOW_MS = 1_000;
/** Between two looks at the coverage. */
const [LEAST_BATCH, MOST_BATCH] = [8, 1_024];
/** What is committed stays small. */
const CORPUS_ENTRY = 4_096;
const CORPUS_ENTRIES = 40;

if (!isMainThread) await work(workerData as Job);

async function work({ target: name, seconds, seed, shared }: Job): Promise<void> {
  // First of all: V8 counts blocks only in functions that it compiles from now on.
  const coverage = startCoverage();
  const target = await loadTarget(name);
  const random = createRandom(seed);
  const free = [...readCorpus(name), ...((await target.seeds?.()) ?? []), new Uint8Array()];
  const real = readFixtures(target.fixtures ?? [], MAX_INPUT);
  const words = wordsOf(free);
  const starts: Entry[] = [
    ...free.map((data) => ({ data, free: true })),
    ...real.map((data) => ({ data, free: false })),
  ];
  const watched = watch(target, shared);
  const corpus: Entry[] = [];
  coverage.reset();
  for (const entry of starts) {
    await watched.run(entry.data);
    if (coverage.learn() || corpus.length === 0) corpus.push(entry);
  }
  const until = performance.now() + seconds * 1_000;
  let batchSize = LEAST_BATCH;
  while (performance.now() < until) {
    const batch: Entry[] = [];
    for (let i = 0; i < batchSize && performance.now() < until; i++) {
      const parent = random.pick(corpus);
      const other = random.pick(corpus);
      const data = mutate(parent.data, random, other.data, words);
      batch.push({ data, free: parent.free && other.free });
      await watched.run(data);
    }
    // A look costs as much as many runs: one for the batch, and more only where the batch found something.
    if (coverage.look()) {
      await keepFinders(batch, corpus, watched, coverage);
      batchSize = Math.max(LEAST_BATCH, batchSize >> 2);
    } else batchSize = Math.min(MOST_BATCH, batchSize * 2);
  }
  const { executions } = watched;
  const { covered } = coverage;
  const committed = await smallest(corpus, watched, coverage);
  post({ kind: "done", executions, covered, entries: corpus.length, corpus: committed });
}

/** Adds to the corpus what in the batch reaches new code: halves it, and the halves that do, down to single inputs. */
async function keepFinders(
  batch: readonly Entry[],
  corpus: Entry[],
  watched: Watched,
  coverage: Coverage,
): Promise<void> {
  const [only, ...more] = batch;
  if (only !== undefined && more.length === 0) {
    await watched.run(only.data);
    if (coverage.learn()) corpus.push(only);
    return;
  }
  const middle = batch.length >> 1;
  for (const half of [batch.slice(0, middle), batch.slice(middle)]) {
    for (const { data } of half) await watched.run(data);
    if (coverage.look()) await keepFinders(half, corpus, watched, coverage);
  }
}

/** Smallest first, only what adds code that the ones before did not reach. */
async function smallest(
  corpus: readonly Entry[],
  watched: Watched,
  coverage: Coverage,
): Promise<Uint8Array[]> {
  const candidates = corpus
    .filter(({ data, free }) => free && data.length <= CORPUS_ENTRY)
    .sort((a, b) => a.data.length - b.data.length);
  const kept: Uint8Array[] = [];
  coverage.reset();
  for (const { data } of candidates) {
    if (kept.length === CORPUS_ENTRIES) break;
    await watched.run(data);
    if (coverage.learn()) kept.push(data);
  }
  return kept;
}

interface Watched {
  run(data: Uint8Array): Promise<void>;
  readonly executions: number;
}

/** Runs inputs and reports those that break the target, each reason once. */
function watch(target: Target, shared: SharedArrayBuffer): Watched {
  const head = new Int32Array(shared, 0, 2);
  const slot = new Uint8Array(shared, 8);
  const reported = new Set<string>();
  let executions = 0;
  const report = (input: Uint8Array, reason: string): void => {
    const key = reason.split("\n").slice(0, 2).join();
    if (reported.has(key)) return;
    reported.add(key);
    post({ kind: "finding", input, reason });
  };
  const timed = async (data: Uint8Array): Promise<number> => {
    const started = performance.now();
    const running = target.fuzz(data.slice());
    if (running !== undefined) await running;
    return performance.now() - started;
  };
  return {
    async run(data) {
      const known = data.subarray(0, slot.length);
      slot.set(known);
      Atomics.store(head, 1, known.length);
      Atomics.add(head, 0, 1);
      executions++;
      try {
        // Once may be the machine's fault.
        for (let i = 0; i < 3; i++) if ((await timed(data)) <= SLOW_MS) return;
        report(data, `slower than ${SLOW_MS} ms, three times`);
      } catch (error) {
        report(data, error instanceof Error ? (error.stack ?? error.message) : String(error));
      }
    },
    get executions() {
      return executions;
    },
  };
}

function post(message: Message): void {
  parentPort?.postMessage(message);
}
