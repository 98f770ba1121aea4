// SPDX-License-Identifier: Apache-2.0
// For how long a choice among candidates stands. What is cached must come out the same as what would be chosen anew.

/** A time span, both ends included. */
export interface Span {
  readonly from: Date;
  readonly until: Date;
}

/**
 * The span around `now` in which each of `spans` stays as it is now: current, past or future. A candidate that takes
 * effect later ends it, as does one that was current before.
 */
export function stableSpan(spans: readonly Span[], now: Date): Span {
  const time = now.getTime();
  let from = -MAX_TIME;
  let until = MAX_TIME;
  for (const span of spans) {
    const start = span.from.getTime();
    const end = span.until.getTime();
    if (time < start) until = Math.min(until, start - 1);
    else if (time > end) from = Math.max(from, end + 1);
    else {
      from = Math.max(from, start);
      until = Math.min(until, end);
    }
  }
  return { from: new Date(from), until: new Date(until) };
}

/** Whether `now` lies in the span. */
export function isCurrent(span: Span, now: Date): boolean {
  return now >= span.from && now <= span.until;
}

/** Milliseconds of the last date there is (ECMA-262, section 21.4.1.1). */
const MAX_TIME = 8.64e15;

/** All of time. */
export const ALWAYS: Span = { from: new Date(-MAX_TIME), until: new Date(MAX_TIME) };
