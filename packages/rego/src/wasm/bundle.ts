// SPDX-License-Identifier: Apache-2.0
// OPA's bundles: a gzipped tar archive (POSIX.1-1988, "ustar") with policy.wasm and data.json in it.

import { type Bytes, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { CoreError } from "@adyton/core/errors";
import { BuiltinFailure } from "../builtin.ts";
import { RegoError } from "../errors.ts";
import { parseJson } from "../json-text.ts";
import { isObject, type PlainObject } from "../value.ts";

export const WASM_MAGIC: Bytes = fromUtf8("\0asm");
/** Unpacked. */
const MAX_BUNDLE = 64 * 1024 * 1024;
const BLOCK = 512;
/** Offsets in a header, IEEE Std 1003.1-1988 section 10.1.1. */
const NAME = [0, 100] as const;
const SIZE = [124, 136] as const;
const CHECKSUM = [148, 156] as const;
const TYPE = 156;
const FILE_TYPES: readonly string[] = ["\0", "0"];

export interface Bundle {
  readonly wasm: Uint8Array;
  readonly data: PlainObject;
}

/** Throws `REGO_MISUSE`. */
export async function readBundle(bytes: Uint8Array): Promise<Bundle> {
  const files = filesIn(await gunzip(bytes));
  const wasm = files.get("policy.wasm");
  if (wasm === undefined)
    throw refused(
      "an archive without policy.wasm",
      "build the bundle with `opa build -t wasm -e <entry point>`",
    );
  const data = files.get("data.json");
  return { wasm, data: data === undefined ? {} : documentOf(data) };
}

async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) throw refused("neither gzip nor WebAssembly");
  if (typeof DecompressionStream === "undefined")
    throw refused("gzip, which this runtime does not unpack", "pass the contents of policy.wasm, and `data`");
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    const stream = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new DecompressionStream("gzip"));
    const reader = stream.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > MAX_BUNDLE) {
        await reader.cancel();
        break;
      }
      parts.push(value);
    }
  } catch {
    throw refused("gzip that is damaged");
  }
  if (size > MAX_BUNDLE) throw refused(`more than ${MAX_BUNDLE} bytes`);
  const out = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Plain files by name, without a leading slash. */
function filesIn(tar: Uint8Array): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at < tar.length; ) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    if (header.length < BLOCK || numberIn(header, CHECKSUM) !== checksumOf(header))
      throw refused("a tar archive that is damaged");
    const size = numberIn(header, SIZE);
    const start = at + BLOCK;
    if (size < 0 || start + size > tar.length) throw refused("a tar archive that ends in a file");
    const name = textIn(header, NAME).replace(/^\.?\//, "");
    if (FILE_TYPES.includes(String.fromCharCode(header[TYPE] ?? 0))) {
      if (files.has(name)) throw refused("a tar archive with one file twice");
      files.set(name, tar.subarray(start, start + size));
    }
    at = start + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}

/** The sum of all bytes, those of the checksum itself taken for spaces. */
function checksumOf(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= CHECKSUM[0] && i < CHECKSUM[1] ? 0x20 : byte), 0);
}

/** Octal digits. */
function numberIn(header: Uint8Array, range: readonly [number, number]): number {
  const digits = textIn(header, range).trim();
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : -1;
}

function textIn(header: Uint8Array, [from, to]: readonly [number, number]): string {
  const text = String.fromCharCode(...header.subarray(from, to));
  const end = text.indexOf("\0");
  return end < 0 ? text : text.slice(0, end);
}

function documentOf(bytes: Uint8Array): PlainObject {
  try {
    const value = parseJson(toUtf8(bytes));
    if (isObject(value)) return value as PlainObject;
  } catch (error) {
    if (!(error instanceof CoreError || error instanceof BuiltinFailure)) throw error;
  }
  throw refused("data.json that is no JSON object");
}

function refused(found: string, hint?: string): RegoError {
  return new RegoError([
    {
      code: "REGO_MISUSE",
      message: `Cannot load bundle: found ${found}, expected a bundle of \`opa build -t wasm\``,
      ...(hint === undefined ? {} : { hint }),
    },
  ]);
}
