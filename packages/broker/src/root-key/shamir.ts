// SPDX-License-Identifier: Apache-2.0
// Sharing a secret among N so that any M of them have it and fewer know nothing: Shamir, "How to share a secret" (1979),
// byte by byte over GF(2^8) with the polynomial of AES (FIPS 197 section 4.2). No tables: a table's cache line would
// tell which byte was looked up.

import { randomBytes } from "node:crypto";

/** The value of the polynomials at `index`. */
export interface Share {
  /** 1 to 255. */
  readonly index: number;
  readonly bytes: Uint8Array;
}

const MAX_SHARES = 255;

/** `count` shares of `secret`, any `threshold` of which give it back. Throws a RangeError for numbers that cannot be. */
export function splitSecret(secret: Uint8Array, threshold: number, count: number): Share[] {
  if (!(Number.isInteger(threshold) && Number.isInteger(count)))
    throw new RangeError("numbers of shares are whole");
  if (threshold < 1 || threshold > count || count > MAX_SHARES)
    throw new RangeError(
      `${threshold} of ${count} shares, expected 1 of 1 up to ${MAX_SHARES} of ${MAX_SHARES}`,
    );
  // Coefficients of every byte's polynomial; the secret is the constant term.
  const terms = [secret, ...Array.from({ length: threshold - 1 }, () => randomBytes(secret.length))];
  return Array.from({ length: count }, (_, at) => {
    const index = at + 1;
    const bytes = secret.map((_byte, place) =>
      // Horner, from the highest term down.
      terms.reduceRight((value, term) => multiply(value, index) ^ (term[place] ?? 0), 0),
    );
    return { index, bytes };
  });
}

/**
 * The secret of shares with different indexes, as many as its threshold. Of fewer, or of shares of different secrets, it
 * is a value that says nothing. Throws a RangeError for indexes that repeat and lengths that differ.
 */
export function combineShares(shares: readonly Share[]): Uint8Array {
  const [first] = shares;
  if (first === undefined) throw new RangeError("no shares");
  if (new Set(shares.map(({ index }) => index)).size !== shares.length) throw new RangeError("a share twice");
  if (shares.some(({ index, bytes }) => index === 0 || bytes.length !== first.bytes.length))
    throw new RangeError("shares of different secrets");
  // Lagrange's interpolation at zero; in this field minus is plus.
  const weights = shares.map(({ index }) =>
    shares.reduce(
      (weight, other) =>
        other.index === index ? weight : multiply(weight, divide(other.index, other.index ^ index)),
      1,
    ),
  );
  return first.bytes.map((_byte, place) =>
    shares.reduce((sum, { bytes }, at) => sum ^ multiply(bytes[place] ?? 0, weights[at] ?? 0), 0),
  );
}

/** The product in GF(2^8), in the same steps for all values. */
function multiply(a: number, b: number): number {
  let product = 0;
  let left = a;
  for (let bit = 0; bit < 8; bit++) {
    product ^= left & -((b >> bit) & 1);
    left = ((left << 1) ^ (0x11b & -(left >> 7))) & 0x1ff;
  }
  return product & 0xff;
}

/** b is never zero: its inverse is its 254th power. */
function divide(a: number, b: number): number {
  let power = b;
  let inverse = 1;
  for (let bit = 1; bit < 8; bit++) {
    power = multiply(power, power);
    inverse = multiply(inverse, power);
  }
  return multiply(a, inverse);
}
