// SPDX-License-Identifier: Apache-2.0
// Certificate signing requests (PKCS #10, RFC 2986): only the key counts, and that the sender has it.

import { equal, toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, ecdsaFromDer } from "@adyton/core/crypto";
import { parseDer } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import { looksLikePem, parsePem } from "@adyton/core/pem";
import { parseSignatureAlgorithm } from "@adyton/core/x509";
import { BrokerError } from "../errors.ts";

const MAX_BYTES = 16 * 1024;
const ATTRIBUTES = 0xa0;

/**
 * The SubjectPublicKeyInfo of a request in DER or PEM, once its signature holds. Names and attributes in it are claims of
 * the sender and are not looked at. Rejects with `CSR_REFUSED`.
 */
export async function keyOfRequest(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await checkedKey(derOf(bytes));
  } catch (error) {
    if (error instanceof BrokerError) throw error;
    const why = error instanceof AdytonError ? error.message : "it is not well-formed";
    throw csrRefused(why);
  }
}

/** Throws `CSR_REFUSED` unless both keys are the same. */
export function checkSameKey(requested: Uint8Array, attested: Uint8Array): void {
  if (!equal(requested, attested)) throw csrRefused("its key is not the attested one");
}

export function csrRefused(why: string): BrokerError {
  return new BrokerError("CSR_REFUSED", "malformed", `Cannot issue a certificate for the request: ${why}`, {
    hint: "Send a PKCS #10 request in PEM or DER, signed by the key that the evidence binds.",
  });
}

function derOf(bytes: Uint8Array): Uint8Array {
  if (bytes.length > MAX_BYTES)
    throw csrRefused(`it has ${bytes.length} bytes, expected at most ${MAX_BYTES}`);
  if (bytes[0] === 0x30) return bytes;
  const text = toUtf8(bytes);
  const [block, ...more] = looksLikePem(text) ? parsePem(text) : [];
  if (block === undefined || more.length > 0 || !/^(NEW )?CERTIFICATE REQUEST$/.test(block.label))
    throw csrRefused("it is neither DER nor one PEM block CERTIFICATE REQUEST");
  return block.der;
}

async function checkedKey(der: Uint8Array): Promise<Uint8Array> {
  const parts = parseDer(der, "certificate request").sequence(3);
  const [info, identifier, signed] = parts;
  if (info === undefined || identifier === undefined || signed === undefined)
    throw csrRefused("it is incomplete");
  const [version, , spki, attributes] = info.sequence(4);
  if (version?.smallInteger() !== 0) throw csrRefused("its version is not 1");
  if (spki === undefined || attributes === undefined || !attributes.is(ATTRIBUTES))
    throw csrRefused("it lacks its key or its attributes");
  const algorithm = parseSignatureAlgorithm(identifier);
  const key = await defaultCrypto.importPublicKey(spki.encoded);
  let signature = signed.bitString();
  if (algorithm.name === "ECDSA") {
    if (key.algorithm.name !== "EC") throw csrRefused("its signature is of another kind than its key");
    signature = ecdsaFromDer(key.algorithm.curve, signature);
  }
  if (!(await key.verify(algorithm, signature, info.encoded)))
    throw csrRefused("it is not signed by its key");
  return new Uint8Array(spki.encoded);
}
