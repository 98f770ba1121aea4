// SPDX-License-Identifier: Apache-2.0
// Expressions and what they come to, as text: `[1, 2]`, strings without quotes at the top, "undefined".

import { compile } from "../src/index.ts";
import { showText } from "../src/show.ts";

const policy = compile({ modules: {} });

/** The value of an expression. The clock shows the first instant of 2026. */
export function evaluated(expression: string): string {
  const [answer] = policy.prepare(`x := ${expression}`).evaluate({ now: new Date("2026-01-01T00:00:00Z") });
  const value = answer?.bindings.x;
  return value === undefined ? "undefined" : showText(value);
}
