// SPDX-License-Identifier: Apache-2.0
// Randomness that a seed repeats.

export interface Random {
  /** 0 to below − 1. */
  below(limit: number): number;
  pick<T>(list: readonly T[]): T;
}

/** xorshift32 (Marsaglia 2003): for choosing mutations, not for secrets. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0 || 0x9e3779b9;
  const next = (): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state;
  };
  const below = (limit: number): number => (limit <= 1 ? 0 : next() % limit);
  return {
    below,
    pick: (list) => {
      const found = list[below(list.length)];
      if (found === undefined) throw new RangeError("pick: the list is empty");
      return found;
    },
  };
}
