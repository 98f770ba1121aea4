// SPDX-License-Identifier: Apache-2.0
// Crypto that answers at once, for evaluators that cannot wait: node:crypto in Node, TypeScript elsewhere.

export { syncCrypto } from "#sync";
export type { DigestName, SyncCrypto, SyncPrivateKey, SyncPublicKey } from "./crypto/types.ts";
