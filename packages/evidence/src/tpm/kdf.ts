// SPDX-License-Identifier: Apache-2.0
// The key derivations and the cipher mode that TPMs protect credentials with. TPM 2.0 Library 1.59, part 1, sections
// 11.4.10.2 (KDFa, after SP 800-108), 11.4.10.3 (KDFe, after SP 800-56A) and annex B, C.

import { type Bytes, concat, fromUtf8 } from "@adyton/core/bytes";
import type { CryptoProvider, HashName } from "@adyton/core/crypto";
import { Writer } from "@adyton/core/cursor";

const BLOCK = 16;

/** KDFa: `bits` (whole bytes) from `key` for a purpose. */
export async function kdfa(
  hash: HashName,
  key: Uint8Array,
  label: string,
  contextU: Uint8Array,
  contextV: Uint8Array,
  bits: number,
  crypto: CryptoProvider,
): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let counter = 1; length < bits / 8; counter++) {
    const data = concat(u32(counter), fromUtf8(`${label}\0`), contextU, contextV, u32(bits));
    const part = await crypto.hmac(hash, key, data);
    parts.push(part);
    length += part.length;
  }
  return concat(...parts).slice(0, bits / 8);
}

/** KDFe: `bits` (whole bytes) from the x-coordinate that ECDH gave. */
export async function kdfe(
  hash: HashName,
  z: Uint8Array,
  label: string,
  partyU: Uint8Array,
  partyV: Uint8Array,
  bits: number,
  crypto: Pick<CryptoProvider, "digest">,
): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let counter = 1; length < bits / 8; counter++) {
    const part = await crypto.digest(hash, concat(u32(counter), z, fromUtf8(`${label}\0`), partyU, partyV));
    parts.push(part);
    length += part.length;
  }
  return concat(...parts).slice(0, bits / 8);
}

/** AES in CFB mode with an initial vector of zeros, each block from counter mode: providers have no CFB. */
export async function aesCfb(
  direction: "encrypt" | "decrypt",
  key: Uint8Array,
  data: Uint8Array,
  crypto: CryptoProvider,
): Promise<Bytes> {
  const out = new Uint8Array(data.length);
  let feedback: Uint8Array = new Uint8Array(BLOCK);
  for (let at = 0; at < data.length; at += BLOCK) {
    const block = data.subarray(at, at + BLOCK);
    const result = await crypto.aesCtr(key, feedback, block);
    out.set(result, at);
    feedback = direction === "encrypt" ? result : block;
  }
  return out;
}

function u32(value: number): Bytes {
  return new Writer(4).u32be(value).finish();
}
