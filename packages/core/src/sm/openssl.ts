// SPDX-License-Identifier: Apache-2.0
// SM3 and SM4 in Node: OpenSSL's where this build of it has them, else TypeScript.

import { createCipheriv, createHmac, getCiphers, getHashes, hash } from "node:crypto";
import type { Bytes } from "../bytes.ts";
import * as portable from "./portable.ts";

/** What OpenSSL does here instead of TypeScript. */
export const accelerated: Readonly<Record<"sm3" | "sm4", boolean>> = {
  sm3: getHashes().includes("sm3"),
  sm4: getCiphers().includes("sm4-ctr"),
};

export const sm3: (data: Uint8Array) => Bytes = accelerated.sm3
  ? (data) => new Uint8Array(hash("sm3", data, "buffer"))
  : portable.sm3;

export const hmacSm3: (key: Uint8Array, data: Uint8Array) => Bytes = accelerated.sm3
  ? (key, data) => new Uint8Array(createHmac("sm3", key).update(data).digest())
  : portable.hmacSm3;

export const sm4CtrBlocks: (key: Uint8Array, counter: Uint8Array, data: Uint8Array) => Bytes = accelerated.sm4
  ? (key, counter, data) => new Uint8Array(createCipheriv("sm4-ctr", key, counter).update(data))
  : portable.sm4CtrBlocks;
