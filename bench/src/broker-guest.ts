// SPDX-License-Identifier: Apache-2.0
// A TD of the simulator's as load: its quote is made once, and signed anew over each challenge, as a quoting enclave does.

import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { concat, fromBase64, fromBase64Url, padRight, toBase64 } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { reportDataOf, schemeOf } from "@adyton/evidence";
import type { IntelPlatform } from "@adyton/simulator";
import { type FlattenedJWE, flattenedDecrypt } from "jose";

/** What a process needs to be that TD. */
export interface GuestSeed {
  /** Base64. */
  readonly quote: string;
  /** PKCS #8, PEM: the attestation key that the quote names. */
  readonly attestationKey: string;
}

/** Layout of a version 4 quote with a TD 1.0 body: header, body, length of the signature data, signature. */
const SIGNED_BYTES = 48 + 584;
const REPORT_DATA_AT = SIGNED_BYTES - 64;
const SIGNATURE_AT = SIGNED_BYTES + 4;
const QE_AUTH_DATA = new Uint8Array(32);

export async function guestSeedOn(platform: IntelPlatform): Promise<GuestSeed> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const { x = "", y = "" } = publicKey.export({ format: "jwk" });
  const attestationKey = concat(fromBase64Url(x), fromBase64Url(y));
  const binding = createHash("sha256").update(attestationKey).update(QE_AUTH_DATA).digest();
  const quote = await platform.quote({
    tee: "tdx",
    qeAuthData: QE_AUTH_DATA,
    qeReport: { reportData: padRight(binding, 64) },
    alter: (fields) => ({ ...fields, attestationKey }),
  });
  return {
    quote: toBase64(quote),
    attestationKey: String(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

export class Guest {
  readonly #quote: Uint8Array;
  readonly #attestationKey: KeyObject;
  readonly #teeKey: KeyObject;
  readonly #teePubkey: JsonObject;

  constructor(seed: GuestSeed) {
    this.#quote = fromBase64(seed.quote);
    this.#attestationKey = createPrivateKey(seed.attestationKey);
    const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    this.#teeKey = privateKey;
    this.#teePubkey = { ...publicKey.export({ format: "jwk" }), alg: "ECDH-ES+A256KW" } as JsonObject;
  }

  get authBody(): string {
    return JSON.stringify({ version: "0.4.0", tee: "tdx", "extra-params": "" });
  }

  /** The quote over these bytes. */
  quoteOver(reportData: Uint8Array): Uint8Array {
    const quote = new Uint8Array(this.#quote);
    quote.set(padRight(reportData, 64), REPORT_DATA_AT);
    const key = { key: this.#attestationKey, dsaEncoding: "ieee-p1363" } as const;
    quote.set(sign("sha256", quote.subarray(0, SIGNED_BYTES), key), SIGNATURE_AT);
    return quote;
  }

  /** The body of the attestation that answers a challenge. */
  async attestBody(nonce: string): Promise<string> {
    const teePubkey = this.#teePubkey;
    const reportData = await reportDataOf({ nonce, teePubkey, additionalEvidence: "" }, defaultCrypto);
    const primary: JsonValue = schemeOf("tdx").toKbs({ evidence: this.quoteOver(reportData) });
    return JSON.stringify({
      "init-data": null,
      "runtime-data": { nonce, "tee-pubkey": teePubkey },
      "tee-evidence": { primary_evidence: primary, additional_evidence: "" },
    });
  }

  /** The secret in the broker's answer. */
  async opened(answer: string): Promise<Uint8Array> {
    return (await flattenedDecrypt(JSON.parse(answer) as FlattenedJWE, this.#teeKey)).plaintext;
  }
}
