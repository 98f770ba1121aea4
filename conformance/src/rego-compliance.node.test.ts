// SPDX-License-Identifier: Apache-2.0
// OPA's own compliance suite, both versions of the language, run by `@adyton/rego` with every set of functions.

import { afterAll, describe, expect, it } from "vitest";
import { type Case, casesOf } from "./rego/cases.ts";
import { DIFFERENCES } from "./rego/differences.ts";
import { NO_SOURCE, opaSource } from "./rego/opa.ts";
import { runCase } from "./rego/run.ts";

/** One instant for the whole run: certificates in the suite are valid at it. */
const NOW = BigInt(Date.UTC(2026, 0, 15)) * 1_000_000n;

if (opaSource === undefined) console.warn(NO_SOURCE);

/** Why a case is expected to fail, or nothing. */
function differenceOf({ folder, note }: Case): string | undefined {
  return DIFFERENCES[`${folder}: ${note}`] ?? DIFFERENCES[folder];
}

const totals = new Map<string, { passed: number; different: number }>();

describe.skipIf(opaSource === undefined).each(["v0", "v1"] as const)("%s", (version) => {
  const cases = opaSource === undefined ? [] : casesOf(opaSource, version);
  const folders = new Map<string, Case[]>();
  for (const wanted of cases) folders.set(wanted.folder, [...(folders.get(wanted.folder) ?? []), wanted]);

  it("there are cases", () => {
    expect(cases.length).toBeGreaterThan(1_000);
  });

  describe.each([...folders.keys()])("%s", (folder) => {
    it.each((folders.get(folder) ?? []).map((wanted) => ({ ...wanted, wanted })))(
      "$file: $note",
      ({ wanted }) => {
        const outcome = runCase(wanted, NOW);
        const difference = differenceOf(wanted);
        const total = totals.get(version) ?? { passed: 0, different: 0 };
        totals.set(version, total);
        if (difference === undefined) {
          total.passed++;
          expect(outcome).toEqual({ passed: true });
          expect(runCase(wanted, NOW, () => {})).toEqual({ passed: true });
        } else {
          total.different++;
          // Should it pass one day, its line in differences.ts goes.
          expect(outcome.passed, difference).toBe(false);
        }
      },
    );
  });
});

describe.skipIf(opaSource === undefined)("the list of differences", () => {
  it("names cases that exist, each with a reason", () => {
    const source = opaSource ?? "";
    const all = [...casesOf(source, "v0"), ...casesOf(source, "v1")];
    for (const [key, reason] of Object.entries(DIFFERENCES)) {
      expect(reason).not.toBe("");
      expect(all.some(({ folder, note }) => key === folder || key === `${folder}: ${note}`)).toBe(true);
    }
  });
});

afterAll(() => {
  for (const [version, { passed, different }] of totals) {
    console.info(`Compliance ${version}: ${passed} as OPA, ${different} different on purpose`);
  }
});
