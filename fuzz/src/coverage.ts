// SPDX-License-Identifier: Apache-2.0
// Feedback: which blocks of the packages ran that never ran before, told by V8's precise block coverage.

import { type Profiler, Session } from "node:inspector";

/** Only what we wrote: the built packages, not the fuzzer, not Node, not dependencies. */
const OURS = /\/packages\/[a-z-]+\/dist\//;

export interface Coverage {
  /** Whether a block ran since the last look that never ran before. */
  look(): boolean;
  /** The same; and what ran counts as known from now on. */
  learn(): boolean;
  /** Forgets everything. */
  reset(): void;
  /** Characters of source that are known to have run. */
  readonly covered: number;
}

/** Starts counting in this thread. One look costs about a millisecond: look after many runs, not after each. */
export function startCoverage(): Coverage {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  /** By function: which of its source characters ran. */
  const seen = new Map<string, Uint8Array>();
  let covered = 0;
  const take = (): Profiler.ScriptCoverage[] => {
    let result: Profiler.ScriptCoverage[] = [];
    // In the same thread the answer comes before `post` returns.
    session.post("Profiler.takePreciseCoverage", (error, answer) => {
      if (error !== null) throw error;
      result = answer.result.filter(({ url }) => OURS.test(url));
    });
    return result;
  };
  const paintAll = (learn: boolean): number => {
    let fresh = 0;
    for (const { scriptId, functions } of take()) {
      for (const { ranges } of functions) fresh += paint(seen, scriptId, ranges, learn);
    }
    return fresh;
  };
  return {
    look: () => paintAll(false) > 0,
    learn() {
      const fresh = paintAll(true);
      covered += fresh;
      return fresh > 0;
    },
    reset() {
      take();
      seen.clear();
      covered = 0;
    },
    get covered() {
      return covered;
    },
  };
}

/** Ranges come outermost first; each overrides those around it. Gives how many characters are new. */
function paint(
  seen: Map<string, Uint8Array>,
  scriptId: string,
  ranges: readonly Profiler.CoverageRange[],
  learn: boolean,
): number {
  const [whole] = ranges;
  if (whole === undefined || whole.count === 0) return 0;
  const { startOffset, endOffset } = whole;
  const now = new Uint8Array(endOffset - startOffset);
  for (const range of ranges) {
    now.fill(range.count > 0 ? 1 : 0, range.startOffset - startOffset, range.endOffset - startOffset);
  }
  const key = `${scriptId}:${startOffset}:${endOffset}`;
  const known = seen.get(key);
  if (known === undefined) {
    if (learn) seen.set(key, now);
    return now.reduce((sum, ran) => sum + ran, 0);
  }
  let fresh = 0;
  for (let i = 0; i < now.length; i++) {
    if (now[i] === 1 && known[i] === 0) {
      if (learn) known[i] = 1;
      fresh++;
    }
  }
  return fresh;
}
