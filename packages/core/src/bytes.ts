// SPDX-License-Identifier: Apache-2.0
// Encodings and comparisons on Uint8Array. Strict: nothing is skipped, guessed or padded silently.

import { malformed } from "./errors.ts";

/** Bytes over a plain ArrayBuffer: what WebCrypto accepts. */
export type Bytes = Uint8Array<ArrayBuffer>;

const HEX: string[] = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, "0"));
// Marked pure so that bundles drop the tables of encodings they do not use.
const HEX_VALUE = /* @__PURE__ */ valuesOf("0123456789abcdef", "0123456789ABCDEF");
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64URL = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/** Lower-case hex, two digits a byte. */
export function toHex(bytes: Uint8Array): string {
  let out = "";
  for (let i = 0; i < bytes.length; i++) out += HEX[bytes[i] as number];
  return out;
}

/** Bytes of a hex string of either case; no prefix, no white space. Throws `INVALID_HEX`. */
export function fromHex(text: string): Bytes {
  if (text.length % 2 !== 0) {
    throw malformed("INVALID_HEX", `Cannot decode hex: got ${text.length} digits, expected an even number`);
  }
  const out = new Uint8Array(text.length / 2);
  for (let i = 0; i < out.length; i++) {
    const high = HEX_VALUE[text.charCodeAt(2 * i)] ?? -1;
    const low = HEX_VALUE[text.charCodeAt(2 * i + 1)] ?? -1;
    if (high < 0 || low < 0) {
      throw malformed("INVALID_HEX", `Cannot decode hex: offset ${2 * i} is not a hex digit pair`, {
        offset: 2 * i,
      });
    }
    out[i] = (high << 4) | low;
  }
  return out;
}

/** Standard base64 with padding (RFC 4648 section 4). */
export function toBase64(bytes: Uint8Array): string {
  return encode64(bytes, BASE64, true);
}

/** base64url without padding (RFC 4648 section 5). */
export function toBase64Url(bytes: Uint8Array): string {
  return encode64(bytes, BASE64URL, false);
}

/**
 * Standard base64, canonical: padding present, unused bits zero (RFC 4648 sections 3.2 and 3.5).
 * Throws `INVALID_BASE64`.
 */
export function fromBase64(text: string): Bytes {
  if (text.length % 4 !== 0) {
    throw malformed("INVALID_BASE64", `Cannot decode base64: length ${text.length} is not a multiple of 4`);
  }
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return decode64(text.slice(0, text.length - padding), BASE64_VALUE);
}

/** base64url, canonical, without padding. Throws `INVALID_BASE64`. */
export function fromBase64Url(text: string): Bytes {
  return decode64(text, BASE64URL_VALUE);
}

const BASE64_VALUE = /* @__PURE__ */ valuesOf(BASE64);
const BASE64URL_VALUE = /* @__PURE__ */ valuesOf(BASE64URL);

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** UTF-8 bytes of a string. */
export function fromUtf8(text: string): Bytes {
  return encoder.encode(text);
}

/** String of UTF-8 bytes; throws `INVALID_UTF8` instead of replacing. */
export function toUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw malformed("INVALID_UTF8", `Cannot decode ${bytes.length} bytes as UTF-8`, { cause: String(cause) });
  }
}

/** One array after the other. */
export function concat(...parts: readonly Uint8Array[]): Bytes {
  let length = 0;
  for (const part of parts) length += part.length;
  const out = new Uint8Array(length);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Equal in length and content. For public values: stops at the first difference. */
export function equal(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Equal in length and content, in a time that depends on the length alone. For secrets and MACs. */
export function equalConstantTime(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Every byte is zero (true for no bytes). */
export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

/** The bytes in reverse order, as a copy. */
export function reversed(bytes: Uint8Array): Bytes {
  return Uint8Array.from(bytes).reverse();
}

/** A copy of exactly `length` bytes: zero-padded on the right, never cut. Throws `TOO_LARGE`. */
export function padRight(bytes: Uint8Array, length: number): Bytes {
  if (bytes.length > length) {
    throw malformed("TOO_LARGE", `Cannot pad ${bytes.length} bytes to ${length}`);
  }
  const out = new Uint8Array(length);
  out.set(bytes);
  return out;
}

function valuesOf(...alphabets: readonly string[]): Int8Array {
  const values = new Int8Array(128).fill(-1);
  for (const alphabet of alphabets) {
    for (let i = 0; i < alphabet.length; i++) values[alphabet.charCodeAt(i)] = i;
  }
  return values;
}

function encode64(bytes: Uint8Array, alphabet: string, pad: boolean): string {
  let out = "";
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const group =
      ((bytes[i] as number) << 16) |
      ((left > 1 ? (bytes[i + 1] as number) : 0) << 8) |
      (left > 2 ? (bytes[i + 2] as number) : 0);
    out += alphabet[group >> 18];
    out += alphabet[(group >> 12) & 63];
    if (left > 1) out += alphabet[(group >> 6) & 63];
    else if (pad) out += "=";
    if (left > 2) out += alphabet[group & 63];
    else if (pad) out += "=";
  }
  return out;
}

function decode64(text: string, values: Int8Array): Bytes {
  if (text.length % 4 === 1) {
    throw malformed("INVALID_BASE64", `Cannot decode base64: ${text.length} digits encode no whole byte`);
  }
  const out = new Uint8Array(Math.floor((text.length * 3) / 4));
  let at = 0;
  let bits = 0;
  let held = 0;
  for (let i = 0; i < text.length; i++) {
    const value = values[text.charCodeAt(i)] ?? -1;
    if (value < 0) {
      throw malformed("INVALID_BASE64", `Cannot decode base64: offset ${i} is not in the alphabet`, {
        offset: i,
      });
    }
    held = ((held << 6) | value) & 0xffff;
    bits += 6;
    if (bits >= 8) {
      bits -= 8;
      out[at++] = (held >> bits) & 0xff;
    }
  }
  if ((held & ((1 << bits) - 1)) !== 0) {
    throw malformed("INVALID_BASE64", "Cannot decode base64: unused bits are not zero");
  }
  return out;
}
