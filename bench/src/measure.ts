// SPDX-License-Identifier: Apache-2.0
// Timing side by side: contenders take turns in short rounds, so that a machine that slows down slows them all.

export interface Contender {
  readonly name: string;
  /** One whole operation; its result is ignored, a rejection ends the benchmark. */
  readonly run: () => unknown;
}

export interface Timing {
  readonly name: string;
  /** Microseconds an operation, over the rounds. */
  readonly min: number;
  readonly median: number;
}

export interface Effort {
  readonly rounds: number;
  /** Milliseconds a contender may take in a round. */
  readonly slice: number;
}

export const FULL: Effort = { rounds: 25, slice: 60 };
export const QUICK: Effort = { rounds: 5, slice: 20 };

/** Times every contender; the order rotates from round to round. */
export async function measure(contenders: readonly Contender[], effort: Effort): Promise<Timing[]> {
  const samples = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (const contender of contenders) await timed(contender, 3 * effort.slice); // warm-up, not counted
  for (let round = 0; round < effort.rounds; round++) {
    for (let i = 0; i < contenders.length; i++) {
      const contender = contenders[(round + i) % contenders.length] as Contender;
      samples.get(contender.name)?.push(await timed(contender, effort.slice));
    }
  }
  return [...samples].map(([name, values]) => {
    const sorted = values.sort((a, b) => a - b);
    return { name, min: sorted[0] as number, median: sorted[Math.floor(sorted.length / 2)] as number };
  });
}

/** Microseconds an operation, repeating for about `slice` milliseconds, at least once. */
async function timed(contender: Contender, slice: number): Promise<number> {
  const start = performance.now();
  let count = 0;
  let elapsed = 0;
  do {
    await contender.run();
    count++;
    elapsed = performance.now() - start;
  } while (elapsed < slice);
  return (1000 * elapsed) / count;
}
