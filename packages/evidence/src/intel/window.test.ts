// SPDX-License-Identifier: Apache-2.0
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isCurrent, type Span, stableSpan } from "./window.ts";

const at = (time: number): Date => new Date(time);
const spans: fc.Arbitrary<Span[]> = fc.array(
  fc
    .tuple(fc.nat(1000), fc.nat(1000))
    .map(([a, b]) => ({ from: at(Math.min(a, b)), until: at(Math.max(a, b)) })),
  { maxLength: 6 },
);

/** Before, within or after. */
function state(span: Span, now: Date): number {
  return now < span.from ? -1 : now > span.until ? 1 : 0;
}

describe("a stable span", () => {
  it("holds its own moment, and nothing changes within it", () => {
    fc.assert(
      fc.property(spans, fc.nat(1000), fc.nat(1000), (list, now, other) => {
        const stable = stableSpan(list, at(now));
        expect(isCurrent(stable, at(now))).toBe(true);
        if (!isCurrent(stable, at(other))) return;
        for (const span of list) expect(state(span, at(other))).toBe(state(span, at(now)));
      }),
    );
  });

  it("is as long as that allows", () => {
    fc.assert(
      fc.property(spans, fc.nat(1000), (list, now) => {
        const { from, until } = stableSpan(list, at(now));
        for (const edge of [from.getTime() - 1, until.getTime() + 1]) {
          if (edge < 0 || edge > 1000) continue;
          expect(list.some((span) => state(span, at(edge)) !== state(span, at(now)))).toBe(true);
        }
      }),
    );
  });
});
