// SPDX-License-Identifier: Apache-2.0
// IP addresses and networks as numbers (RFC 4291 section 2.2, RFC 5952 section 4). IPv4-mapped IPv6 addresses are taken
// for the IPv4 addresses that they stand for, as the reference does.

/** `size` is 32 or 128. */
export interface Address {
  readonly value: bigint;
  readonly size: number;
}

/** `value` is the first address, unless the network was made of a bare address. */
export interface Network extends Address {
  readonly prefix: number;
}

const MAPPED = 0xffffn;

export function parseAddress(text: string): Address | undefined {
  const address = text.includes(":") ? parse6(text) : parse4(text);
  return address === undefined ? undefined : unmapped(address);
}

export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const address = slash < 0 ? undefined : (parse4(text.slice(0, slash)) ?? parse6(text.slice(0, slash)));
  const digits = text.slice(slash + 1);
  const prefix = Number(digits);
  if (address === undefined || !/^\d+$/.test(digits) || prefix > address.size) return undefined;
  const value = firstOf({ ...address, prefix });
  const plain = unmapped({ value, size: address.size });
  return { ...plain, prefix: Math.max(0, prefix - (address.size - plain.size)) };
}

export function firstOf({ value, size, prefix }: Network): bigint {
  const host = BigInt(size - prefix);
  return (value >> host) << host;
}

export function lastOf(network: Network): bigint {
  return firstOf(network) + (1n << BigInt(network.size - network.prefix)) - 1n;
}

export function contains(network: Network, address: Address): boolean {
  return (
    network.size === address.size &&
    (network.value ^ address.value) >> BigInt(network.size - network.prefix) === 0n
  );
}

export function formatAddress(address: Address): string {
  const { value, size } = unmapped(address);
  if (size === 32) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join(".");
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((value >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  );
  // The first of the longest runs of two or more zeros.
  let [start, length] = [0, 1];
  for (let i = 0; i < 8; i++) {
    let end = i;
    while (groups[end] === "0") end++;
    if (end - i > length) [start, length] = [i, end - i];
  }
  if (length === 1) return groups.join(":");
  return `${groups.slice(0, start).join(":")}::${groups.slice(start + length).join(":")}`;
}

export function formatNetwork(network: Network): string {
  return `${formatAddress(network)}/${network.prefix}`;
}

function unmapped(address: Address): Address {
  return address.size === 128 && address.value >> 32n === MAPPED
    ? { value: address.value & 0xffffffffn, size: 32 }
    : address;
}

function parse4(text: string): Address | undefined {
  const parts = text.split(".");
  if (parts.length !== 4 || !parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256))
    return undefined;
  return { value: parts.reduce((total, part) => (total << 8n) | BigInt(part), 0n), size: 32 };
}

function parse6(text: string): Address | undefined {
  const tail = text.slice(text.lastIndexOf(":") + 1);
  const embedded = tail.includes(".") ? parse4(tail) : undefined;
  const plain =
    embedded === undefined
      ? text
      : `${text.slice(0, -tail.length)}${(embedded.value >> 16n).toString(16)}:${(embedded.value & 0xffffn).toString(16)}`;
  const halves = plain.split("::").map((half) => (half === "" ? [] : half.split(":")));
  const [head = [], rest = []] = halves;
  const missing = 8 - head.length - rest.length;
  if (halves.length > 2 || (halves.length === 2 ? missing < 1 : missing !== 0)) return undefined;
  const groups = [...head, ...Array.from({ length: missing }, () => "0"), ...rest];
  if (!groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))) return undefined;
  return { value: groups.reduce((total, group) => (total << 16n) | BigInt(`0x${group}`), 0n), size: 128 };
}
