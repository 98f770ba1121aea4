// SPDX-License-Identifier: Apache-2.0
// The guest policy of a CSV report: a word of flags and least versions.

/** What the guest's owner demanded at launch. Flags are 0 or 1, as Trustee's claims have them. */
export interface CsvPolicy {
  /** 1: the host may not read and write the guest's memory. */
  readonly nodbg: number;
  /** 1: no key sharing with other guests. */
  readonly noks: number;
  /** 1: encrypted state, CSV2. */
  readonly es: number;
  /** 1: the guest may not be sent to another platform. */
  readonly nosend: number;
  /** 1: only to a platform of the same domain. */
  readonly domain: number;
  /** 1: only to a platform with CSV. */
  readonly csv: number;
  /** 1: only to a platform with CSV3. */
  readonly csv3: number;
  /** 1: address space ids may be shared with the same owner's guests. */
  readonly asidReuse: number;
  readonly hskVersion: number;
  readonly cekVersion: number;
  readonly apiMajor: number;
  readonly apiMinor: number;
}

/** Lowest bit and width. */
const BITS: Readonly<Record<keyof CsvPolicy, readonly [low: number, width: number]>> = {
  nodbg: [0, 1],
  noks: [1, 1],
  es: [2, 1],
  nosend: [3, 1],
  domain: [4, 1],
  csv: [5, 1],
  csv3: [6, 1],
  asidReuse: [7, 1],
  hskVersion: [8, 4],
  cekVersion: [12, 4],
  apiMajor: [16, 8],
  apiMinor: [24, 8],
};

export function parseCsvPolicy(raw: number): CsvPolicy {
  const policy = {} as Record<keyof CsvPolicy, number>;
  for (const [name, [low, width]] of entries()) policy[name] = (raw >>> low) & (2 ** width - 1);
  return policy;
}

/** Members that are not given are 0. Bits above a member's width are lost. */
export function encodeCsvPolicy(policy: Partial<CsvPolicy>): number {
  let raw = 0;
  for (const [name, [low, width]] of entries()) raw += ((policy[name] ?? 0) & (2 ** width - 1)) * 2 ** low;
  return raw;
}

function entries(): [keyof CsvPolicy, readonly [low: number, width: number]][] {
  return Object.entries(BITS) as [keyof CsvPolicy, readonly [number, number]][];
}
