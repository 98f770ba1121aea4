// SPDX-License-Identifier: Apache-2.0
// A quote under a given key: the signature over the TPMS_ATTEST, and the PCR values that it vouches for.
// TPM 2.0 Library 1.59, part 3, section 18.4 (TPM2_Quote), part 1, annex B (RSA) and C (ECC).

import { concat, equal, toHex } from "@adyton/core/bytes";
import {
  type CurveName,
  fieldSize,
  type HashName,
  type PublicKey,
  type VerifyingCrypto,
} from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import type { MeasurementRegister } from "../verified.ts";
import { digestOf, digestSize, type TpmHash } from "./algorithms.ts";
import { parseQuoteAttest, type QuoteAttest, type TpmSignature } from "./attest.ts";
import { invalidStructure, quoteRefusal } from "./error.ts";

/** PCR values of one bank by number. */
export interface PcrBank {
  readonly hash: TpmHash;
  readonly values: ReadonlyMap<number, Uint8Array>;
}

/** A quote as it travels: what was signed, the signature, and the values it is about. */
export interface TpmQuote {
  /** TPMS_ATTEST. */
  readonly message: Uint8Array;
  readonly signature: TpmSignature;
  /** May hold more than was quoted: only quoted values are authentic. */
  readonly pcrs: readonly PcrBank[];
}

/** A quote whose signature and PCR values hold under a key; who vouches for the key is another question. */
export interface CheckedQuote {
  readonly attest: QuoteAttest;
  /** The quoted PCRs, in the order of the quote. */
  readonly registers: readonly MeasurementRegister[];
}

/**
 * Checks a quote under `key`. Throws `INVALID_TPM_STRUCTURE`, `INVALID_TPM_QUOTE_SIGNATURE`, `PCR_DIGEST_MISMATCH`, or
 * `UNSUPPORTED_ALGORITHM` for signatures with SHA-1, for which collisions can be made, and with SM3.
 */
export async function checkQuote(
  quote: TpmQuote,
  key: PublicKey,
  crypto: Pick<VerifyingCrypto, "digest">,
): Promise<CheckedQuote> {
  const attest = parseQuoteAttest(quote.message);
  const hash = signatureHash(quote.signature);
  if (!(await isSigned(quote, hash, key))) {
    throw quoteRefusal("INVALID_TPM_QUOTE_SIGNATURE", "its signature is not by the attestation key", {
      detail: { scheme: quote.signature.scheme, hash, key: key.algorithm.name },
    });
  }
  const registers = quotedRegisters(attest, quote.pcrs);
  const found = await digestOf(hash, concat(...registers.map(({ value }) => value)), crypto);
  if (!equal(found, attest.pcrDigest)) {
    throw quoteRefusal("PCR_DIGEST_MISMATCH", "the PCR values beside it are not the quoted ones", {
      detail: { found: toHex(found), expected: toHex(attest.pcrDigest) },
      hint: "Read the PCRs and quote again, without measuring anything in between.",
    });
  }
  return { attest, registers };
}

/** `pcr07`: as claims and registers name PCRs. */
export function pcrName(index: number): string {
  return `pcr${index.toString().padStart(2, "0")}`;
}

function quotedRegisters(attest: QuoteAttest, banks: readonly PcrBank[]): MeasurementRegister[] {
  return attest.selection.flatMap(({ hash, indices }) => {
    const bank = banks.find((candidate) => candidate.hash === hash);
    return indices.map((index): MeasurementRegister => {
      const value = bank?.values.get(index);
      if (value === undefined) {
        throw quoteRefusal(
          "PCR_DIGEST_MISMATCH",
          `it is about PCR ${index} in ${hash}, which is not beside it`,
          {
            detail: { index, hash },
          },
        );
      }
      if (value.length !== digestSize(hash)) {
        throw invalidStructure(
          "TPM quote",
          `PCR ${index} has ${value.length} bytes, expected ${digestSize(hash)}`,
        );
      }
      return { name: pcrName(index), kind: "pcr", index, hash, value };
    });
  });
}

function signatureHash({ hash }: TpmSignature): HashName {
  if (hash !== "SHA-1" && hash !== "SM3") return hash;
  throw new CoreError(
    "UNSUPPORTED_ALGORITHM",
    "not-authentic",
    `Cannot accept TPM quote: it is signed over ${hash}, expected SHA-256, SHA-384 or SHA-512`,
    { detail: { hash }, hint: "Make an attestation key whose scheme has a hash of the SHA-2 family." },
  );
}

async function isSigned({ message, signature }: TpmQuote, hash: HashName, key: PublicKey): Promise<boolean> {
  const { scheme, values } = signature;
  if (scheme === "ECDSA") {
    if (key.algorithm.name !== "EC") return false;
    const joined = joinScalars(values, key.algorithm.curve);
    return joined !== undefined && key.verify({ name: "ECDSA", hash }, joined, message);
  }
  const [value = new Uint8Array()] = values;
  if (key.algorithm.name !== "RSA") return false;
  if (scheme === "RSASSA") return key.verify({ name: "RSASSA-PKCS1-v1_5", hash }, value, message);
  // Part 1, section B.7: the salt is as long as the hash, or, before revision 1.38, as long as fits.
  for (const saltLength of [digestSize(hash), value.length - digestSize(hash) - 2]) {
    if (saltLength >= 0 && (await key.verify({ name: "RSA-PSS", hash, saltLength }, value, message)))
      return true;
  }
  return false;
}

/** r || s at the curve's size; TPMs leave leading zeros out. */
function joinScalars(values: readonly Uint8Array[], curve: CurveName): Uint8Array | undefined {
  const size = fieldSize(curve);
  const joined = new Uint8Array(2 * size);
  for (const [i, value] of values.entries()) {
    if (value.length > size) return undefined;
    joined.set(value, (i + 1) * size - value.length);
  }
  return joined;
}
