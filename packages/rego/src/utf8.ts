// SPDX-License-Identifier: Apache-2.0
// Strings as bytes. Rego's strings are byte strings that mostly hold UTF-8; ours are JavaScript strings. A byte that is
// not part of valid UTF-8 stands here as the lone surrogate U+DC00 + byte, so that `hex.encode(base64.decode(x))` and
// digests of decoded bytes are what they should be.

const encoder = /* @__PURE__ */ new TextEncoder();
const decoder = /* @__PURE__ */ new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LONE = /[\udc80-\udcff]/;

/** The bytes of a string; lone surrogates that stand for no byte become U+FFFD. */
export function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  if (!LONE.test(text) || text.isWellFormed()) return encoder.encode(text);
  // With the flag `u` a surrogate of a pair is not matched, and the parts between are encoded as they are.
  const parts = text
    .split(/([\udc80-\udcff])/u)
    .map((part, i) => (i % 2 === 0 ? encoder.encode(part) : part));
  const size = parts.reduce((total, part) => total + (typeof part === "string" ? 1 : part.length), 0);
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") out[at++] = part.charCodeAt(0) - 0xdc00;
    else {
      out.set(part, at);
      at += part.length;
    }
  }
  return out;
}

/** The string of bytes: UTF-8, and bytes that are none one by one. `bytesOf` gives them back. */
export function textOf(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    return lenient(bytes);
  }
}

function lenient(bytes: Uint8Array): string {
  let out = "";
  for (let at = 0; at < bytes.length; ) {
    const first = bytes[at] ?? 0;
    const length =
      first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    const part = length > 1 ? decodeOne(bytes.subarray(at, at + length)) : String.fromCharCode(first);
    out += length === 0 || part === undefined ? String.fromCharCode(0xdc00 + first) : part;
    at += part === undefined ? 1 : Math.max(1, length);
  }
  return out;
}

/** Undefined when these bytes are no code point. */
function decodeOne(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
}
