// SPDX-License-Identifier: Apache-2.0
import { resolve } from "node:path";
import { hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { hasRealEvidence, judgeExhibit, realExhibits, simulatedExhibits } from "./evidence.ts";

const ROOT = process.env.ADYTON_FIXTURES ?? resolve(import.meta.dirname, "../../../../../shared/fixtures");
const NOW = new Date("2026-07-01T12:00:00Z");

describe("the tour's evidence", () => {
  it.each(["simulated", "real"])("%s: every verdict is as it must be", async (kind) => {
    if (kind === "real" && !hasFixtures) return expect(hasRealEvidence(ROOT)).toBe(false);
    const exhibits = kind === "real" ? await realExhibits(ROOT) : await simulatedExhibits(NOW);
    expect(exhibits.length).toBeGreaterThan(3);
    for (const exhibit of exhibits) {
      const { row, expected } = await judgeExhibit(exhibit);
      expect([row, expected]).toEqual([row, true]);
      expect(row[0]).toBe(exhibit.title);
    }
  });

  it("a verdict that is another is noticed", async () => {
    const [first] = await simulatedExhibits(NOW);
    if (first === undefined) throw new Error("there is simulated evidence");
    const other = { ...first, expected: { code: "OK", status: "OutOfDate" } } as const;
    expect((await judgeExhibit(other)).expected).toBe(false);
  });

  it("is not real where there is none", () => {
    expect(hasRealEvidence(import.meta.dirname)).toBe(false);
  });
});
