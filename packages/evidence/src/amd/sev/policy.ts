// SPDX-License-Identifier: Apache-2.0
// The guest policy: a word of flags that the guest's owner sets at launch. SEV API (55766) chapter 3.

/** What the guest's owner demanded at launch. Each flag forbids or demands something when set. */
export interface SevPolicy {
  /** The host may not debug: read and write the guest's memory. */
  readonly nodbg: boolean;
  /** The guest's key is not shared with other guests. */
  readonly noks: boolean;
  /** SEV-ES: register state is encrypted too. */
  readonly es: boolean;
  /** The guest may not be sent to another platform. */
  readonly nosend: boolean;
  /** It may only be sent to platforms of the same owner (OCA). */
  readonly domain: boolean;
  /** It may only be sent to platforms with SEV. */
  readonly sev: boolean;
  /** The least version of the firmware's API. */
  readonly apiMajor: number;
  readonly apiMinor: number;
}

const BIT = { nodbg: 0, noks: 1, es: 2, nosend: 3, domain: 4, sev: 5 } as const;
const KNOWN = 0xffff003f;

export function parseSevPolicy(word: number): SevPolicy {
  const flag = (name: keyof typeof BIT): boolean => ((word >>> BIT[name]) & 1) === 1;
  return {
    nodbg: flag("nodbg"),
    noks: flag("noks"),
    es: flag("es"),
    nosend: flag("nosend"),
    domain: flag("domain"),
    sev: flag("sev"),
    apiMajor: (word >>> 16) & 0xff,
    apiMinor: word >>> 24,
  };
}

export function encodeSevPolicy(policy: SevPolicy): number {
  let word = ((policy.apiMinor << 24) | (policy.apiMajor << 16)) >>> 0;
  for (const name of Object.keys(BIT) as (keyof typeof BIT)[]) {
    if (policy[name]) word |= 1 << BIT[name];
  }
  return word >>> 0;
}

/** Bits that this version does not know. */
export function unknownSevPolicyBits(word: number): number {
  return (word & ~KNOWN) >>> 0;
}
