// SPDX-License-Identifier: Apache-2.0
// npm run fuzz -- [TARGET…] [--seconds N] [--jobs N] [--seed N]: looks for inputs that break a parser, grows the corpus.

import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import { TARGETS, writeCorpus, writeFinding } from "./corpus.ts";
import { MAX_INPUT } from "./mutate.ts";
import type { Job, Message } from "./worker.ts";

/** No input may run this long, however busy the machine is. */
const STUCK_MS = 30_000;
const MEMORY_MB = 1_024;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "30" },
    jobs: { type: "string", default: "1" },
    seed: { type: "string", default: String(Date.now() % 0x7fffffff) },
    list: { type: "boolean", default: false },
  },
});
const [seconds, jobs, seed] = [values.seconds, values.jobs, values.seed].map(Number);
const unknown = positionals.filter((name) => !TARGETS.includes(name));
if (values.list) {
  console.log(TARGETS.join("\n"));
} else if (unknown.length > 0 || !positive(seconds) || !positive(jobs) || !Number.isInteger(seed)) {
  console.error(
    unknown.length > 0
      ? `There is no target ${unknown.join(", ")}; there are ${TARGETS.join(", ")}.`
      : "Usage: npm run fuzz -- [TARGET…] [--seconds N] [--jobs N] [--seed N] [--list]",
  );
  process.exitCode = 1;
} else {
  const findings = await fuzzAll(positionals.length > 0 ? positionals : TARGETS, seconds, jobs, seed ?? 0);
  process.exitCode = findings === 0 ? 0 : 3;
}

/** Every target for `seconds`, `jobs` at a time. Resolves to the number of findings. */
async function fuzzAll(
  targets: readonly string[],
  seconds: number,
  jobs: number,
  seed: number,
): Promise<number> {
  console.log(`seed ${seed}, ${seconds} s for each of ${targets.length} targets, ${jobs} at a time`);
  const waiting = [...targets];
  let [findings, executions] = [0, 0];
  const next = async (): Promise<void> => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const outcome = await fuzzOne(name, seconds, seed);
      findings += outcome.findings;
      executions += outcome.executions;
    }
  };
  await Promise.all(Array.from({ length: jobs }, next));
  console.log(`${executions} executions, ${findings} findings`);
  return findings;
}

/** One target in a thread of its own, so that a loop without end and an eater of memory can be stopped. */
async function fuzzOne(
  target: string,
  seconds: number,
  seed: number,
): Promise<{ executions: number; findings: number }> {
  const shared = new SharedArrayBuffer(8 + MAX_INPUT);
  const job: Job = { target, seconds, seed, shared };
  const worker = new Worker(new URL("./worker.js", import.meta.url), {
    workerData: job,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  const started = performance.now();
  let [findings, executions] = [0, 0];
  const found = (input: Uint8Array, reason: string): void => {
    findings++;
    console.log(`\nFOUND in ${target}: ${reason}\n  input: ${writeFinding(target, input)}\n`);
  };
  return new Promise((resolve) => {
    let before = -1;
    const watchdog = setInterval(() => {
      const count = new Int32Array(shared, 0, 2)[0] ?? 0;
      // At zero it still makes its seeds: RSA keys take their time.
      if (count === before && count > 0) {
        found(running(shared), `no end within ${STUCK_MS} ms`);
        worker.terminate().then(finish, finish);
      }
      before = count;
    }, STUCK_MS);
    const finish = (): void => {
      clearInterval(watchdog);
      resolve({ executions, findings });
    };
    worker.on("message", (message: Message) => {
      if (message.kind === "finding") return found(message.input, message.reason);
      executions = message.executions;
      if (findings === 0) writeCorpus(target, message.corpus);
      const rate = Math.round((1_000 * executions) / (performance.now() - started));
      console.log(
        `${target.padEnd(16)} ${String(executions).padStart(9)} executions  ${String(rate).padStart(6)}/s  ` +
          `${String(message.covered).padStart(7)} characters covered by ${message.entries} inputs, ` +
          `${message.corpus.length} committed`,
      );
    });
    worker.on("error", (error) => found(running(shared), error.stack ?? error.message));
    worker.on("exit", finish);
  });
}

/** What the thread was at. */
function running(shared: SharedArrayBuffer): Uint8Array {
  const length = new Int32Array(shared, 0, 2)[1] ?? 0;
  return new Uint8Array(shared, 8, length).slice();
}

function positive(value: number | undefined): value is number {
  return value !== undefined && Number.isFinite(value) && value > 0;
}
