// SPDX-License-Identifier: Apache-2.0
// SM3 and SM4 where there is no OpenSSL: all in TypeScript.

export { sm4CtrBlocks } from "./ctr.ts";
export { hmacSm3, sm3 } from "./sm3.ts";
