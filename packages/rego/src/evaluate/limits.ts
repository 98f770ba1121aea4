// SPDX-License-Identifier: Apache-2.0
// How much an evaluation may do. All but the time are counted, so that one policy with one input always ends alike.

export interface Limits {
  /** Rules entered, members visited, and what functions count; about ten million a second. */
  readonly steps: number;
  /** Rules within rules. */
  readonly depth: number;
  /** Members of arrays, sets and objects that are made. */
  readonly cells: number;
  /** Off unless given: a clock is then read now and again. */
  readonly milliseconds?: number;
}

export const LIMITS: Limits = { steps: 50_000_000, depth: 300, cells: 10_000_000 };

export type LimitName = keyof Limits;
