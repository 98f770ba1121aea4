// SPDX-License-Identifier: Apache-2.0
// SM4 in counter mode (NIST SP 800-38A section 6.5) in TypeScript: for browsers, and where OpenSSL lacks it.

import type { Bytes } from "../bytes.ts";
import { encryptBlock, expandKey } from "./sm4.ts";

const BLOCK = 16;

/** XORs with the encrypted counter, which starts at `counter` and wraps over all its 16 bytes. */
export function sm4CtrBlocks(key: Uint8Array, counter: Uint8Array, data: Uint8Array): Bytes {
  const keys = expandKey(key);
  const out = Uint8Array.from(data);
  const block = Uint8Array.from(counter);
  const pad = new Uint8Array(BLOCK);
  const view = new DataView(pad.buffer);
  for (let at = 0; at < out.length; at += BLOCK) {
    pad.set(block);
    encryptBlock(keys, view, 0);
    for (let i = 0; i < BLOCK && at + i < out.length; i++)
      out[at + i] = (out[at + i] as number) ^ (pad[i] as number);
    increment(block);
  }
  return out;
}

function increment(block: Uint8Array): void {
  for (let i = BLOCK - 1; i >= 0; i--) {
    block[i] = ((block[i] as number) + 1) & 0xff;
    if (block[i] !== 0) return;
  }
}
