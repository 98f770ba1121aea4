// SPDX-License-Identifier: Apache-2.0
// The only place where the broker learns the time: tests and verification pass their own.

export interface Clock {
  now(): Date;
}

/** The machine's clock. */
export const systemClock: Clock = { now: () => new Date() };
