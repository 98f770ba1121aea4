// SPDX-License-Identifier: Apache-2.0
// The committed corpus, and the seeds it grew from, through every target.

import { describe, expect, it } from "vitest";
import { loadTarget, readCorpus, TARGETS } from "./corpus.ts";

describe.each(TARGETS)("%s", (name) => {
  it("survives its corpus and its seeds", async () => {
    const target = await loadTarget(name);
    const corpus = readCorpus(name);
    const seeds = (await target.seeds?.()) ?? [];
    expect(corpus.length).toBeGreaterThan(0);
    for (const data of [...corpus, ...seeds]) await target.fuzz(data);
  });
});
