// SPDX-License-Identifier: Apache-2.0
// The bare cryptography of a verification: which signatures it checks is recorded once, then the same checks are
// repeated with node:crypto alone, keys prepared. What a verification costs beyond that is our own doing.

import { constants, createPublicKey, verify } from "node:crypto";
import {
  type CryptoProvider,
  defaultCrypto,
  type PublicKey,
  type SignatureAlgorithm,
} from "@adyton/core/crypto";

interface Check {
  readonly spki: Uint8Array;
  readonly algorithm: SignatureAlgorithm;
  readonly signature: Uint8Array;
  readonly data: Uint8Array;
}

export interface Recorder {
  /** To be passed to the verification that is recorded. */
  readonly crypto: CryptoProvider;
  /** Forgets what was recorded. */
  clear(): void;
  readonly count: number;
  /** A function that repeats the recorded checks and nothing else. */
  replay(): () => void;
}

/** Records signature checks made through its provider. */
export function createRecorder(): Recorder {
  let checks: Check[] = [];
  const recording = (key: PublicKey): PublicKey => ({
    ...key,
    verify: (algorithm, signature, data) => {
      checks.push({ spki: key.spki, algorithm, signature, data });
      return key.verify(algorithm, signature, data);
    },
  });
  return {
    crypto: {
      ...defaultCrypto,
      importPublicKey: async (spki) => recording(await defaultCrypto.importPublicKey(spki)),
    },
    clear: () => {
      checks = [];
    },
    get count() {
      return checks.length;
    },
    replay: () => {
      const prepared = checks.map(prepare);
      return () => {
        for (const check of prepared) if (!check()) throw new Error("a recorded signature does not verify");
      };
    },
  };
}

function prepare({ spki, algorithm, signature, data }: Check): () => boolean {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const hash = algorithm.name === "Ed25519" ? null : algorithm.hash.replace("-", "").toLowerCase();
  const parameters =
    algorithm.name === "RSA-PSS"
      ? { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltLength }
      : { dsaEncoding: "ieee-p1363" as const };
  return () => verify(hash, data, { key, ...parameters }, signature);
}
