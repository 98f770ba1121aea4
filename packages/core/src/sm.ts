// SPDX-License-Identifier: Apache-2.0
// The Chinese national algorithms that Hygon CSV uses: SM2 signatures and encryption, SM3, SM4. In Node, OpenSSL does
// SM3 and SM4 where it has them.

export { hmacSm3, sm3 } from "#sm";
export { sm4Ctr, sm4GcmDecrypt, sm4GcmEncrypt } from "./sm/modes.ts";
export {
  SM2_DEFAULT_ID,
  sm2Decrypt,
  sm2Encrypt,
  sm2GenerateKey,
  sm2PublicKey,
  sm2Sign,
  sm2Verify,
  sm3Kdf,
} from "./sm/sm2.ts";
