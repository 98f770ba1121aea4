// SPDX-License-Identifier: Apache-2.0
// The guest policy and platform information of a report: two words of flags.
// SEV-SNP Firmware ABI (56860) sections 4.3 (guest policy) and 7.3 (PLATFORM_INFO).

/** What the guest's owner demanded at launch. */
export interface GuestPolicy {
  readonly abiMajor: number;
  readonly abiMinor: number;
  readonly smtAllowed: boolean;
  /** A migration agent may take the guest along. */
  readonly migrateMa: boolean;
  /** The host may read and write the guest's memory. */
  readonly debugAllowed: boolean;
  readonly singleSocket: boolean;
  readonly cxlAllowed: boolean;
  readonly memAes256Xts: boolean;
  readonly raplDisabled: boolean;
  readonly ciphertextHiding: boolean;
  readonly pageSwapDisabled: boolean;
}

/** How the machine is set up. */
export interface PlatformInfo {
  readonly smtEnabled: boolean;
  readonly tsmeEnabled: boolean;
  readonly eccEnabled: boolean;
  readonly raplDisabled: boolean;
  readonly ciphertextHidingEnabled: boolean;
  readonly aliasCheckComplete: boolean;
  readonly iommuWriteSafe: boolean;
  readonly tioEnabled: boolean;
}

const POLICY_BIT = {
  smtAllowed: 16,
  migrateMa: 18,
  debugAllowed: 19,
  singleSocket: 20,
  cxlAllowed: 21,
  memAes256Xts: 22,
  raplDisabled: 23,
  ciphertextHiding: 24,
  pageSwapDisabled: 25,
} as const satisfies Record<Exclude<keyof GuestPolicy, "abiMajor" | "abiMinor">, number>;

const PLATFORM_BIT = {
  smtEnabled: 0,
  tsmeEnabled: 1,
  eccEnabled: 2,
  raplDisabled: 3,
  ciphertextHidingEnabled: 4,
  aliasCheckComplete: 5,
  iommuWriteSafe: 6,
  tioEnabled: 7,
} as const satisfies Record<keyof PlatformInfo, number>;

/** Reserved, must be one. */
export const POLICY_RESERVED_ONE: bigint = 1n << 17n;
const KNOWN_POLICY = 0xffffn | POLICY_RESERVED_ONE | maskOf(POLICY_BIT);
const KNOWN_PLATFORM_INFO = maskOf(PLATFORM_BIT);

export function parsePolicy(raw: bigint): GuestPolicy {
  const low = Number(raw & 0xffffffffn);
  return { abiMajor: (low >>> 8) & 0xff, abiMinor: low & 0xff, ...flagsOf(low, POLICY_BIT) };
}

export function encodePolicy(policy: GuestPolicy): bigint {
  const abi = (policy.abiMajor << 8) | policy.abiMinor;
  return BigInt(abi) | POLICY_RESERVED_ONE | wordOf<keyof typeof POLICY_BIT>(policy, POLICY_BIT);
}

export function parsePlatformInfo(raw: bigint): PlatformInfo {
  return flagsOf(Number(raw & 0xffffffffn), PLATFORM_BIT);
}

export function encodePlatformInfo(info: PlatformInfo): bigint {
  return wordOf(info, PLATFORM_BIT);
}

/** Bits of a policy that this version does not know. */
export function unknownPolicyBits(raw: bigint): bigint {
  return raw & ~KNOWN_POLICY;
}

/** Bits of PLATFORM_INFO that this version does not know. */
export function unknownPlatformBits(raw: bigint): bigint {
  return raw & ~KNOWN_PLATFORM_INFO;
}

function flagsOf<Name extends string>(
  word: number,
  bits: Readonly<Record<Name, number>>,
): Record<Name, boolean> {
  const flags = {} as Record<Name, boolean>;
  for (const name in bits) flags[name] = ((word >>> bits[name]) & 1) === 1;
  return flags;
}

function wordOf<Name extends string>(
  flags: { readonly [name in Name]: boolean },
  bits: Readonly<Record<Name, number>>,
): bigint {
  let word = 0n;
  for (const name in bits) if (flags[name]) word |= 1n << BigInt(bits[name]);
  return word;
}

function maskOf(bits: Readonly<Record<string, number>>): bigint {
  return Object.values(bits).reduce((mask, bit) => mask | (1n << BigInt(bit)), 0n);
}
