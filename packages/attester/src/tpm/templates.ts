// SPDX-License-Identifier: Apache-2.0
// What keys are made from: public areas without a key. TCG EK Credential Profile 2.5, annex B.3 (templates L-1 and L-2);
// TCG TPM 2.0 Provisioning Guidance 1.0, section 7.5.1 (storage primary).

import { type Bytes, concat, fromHex, padRight } from "@adyton/core/bytes";
import { Reader } from "@adyton/core/cursor";
import {
  ALGORITHM,
  encodeSized,
  encodeTpmPublic,
  OBJECT_ATTRIBUTE,
  type TpmPublicFields,
  type TpmSignature,
} from "@adyton/evidence/tpm";
import { asResponse, unsuitable } from "./error.ts";

/** How an attestation key signs: ECDSA on P-256, or RSA of 2048 bits; over SHA-256. */
export type AkScheme = TpmSignature["scheme"];
/** Kinds of endorsement keys that every PC client's TPM has. */
export type EkKind = "RSA" | "EC";

const { fixedTpm, fixedParent, sensitiveDataOrigin, userWithAuth, adminWithPolicy, noDa } = OBJECT_ATTRIBUTE;
const { restricted, decrypt, sign } = OBJECT_ATTRIBUTE;
/** A key that was made in this TPM and never leaves it. */
const MADE_HERE = fixedTpm | fixedParent | sensitiveDataOrigin;
const AES_128_CFB = { algorithm: ALGORITHM.aes, bits: 128, mode: ALGORITHM.cfb };
/** PolicyA: who knows the endorsement hierarchy's secret (EK Credential Profile, annex B.6.2). */
const POLICY_A = fromHex("837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa");
const NONE = new Uint8Array();
const RSA_2048 = { type: "RSA", bits: 2048, exponent: 65537, modulus: NONE } as const;
const P_256 = { type: "ECC", curve: "P-256", x: NONE, y: NONE } as const;
const RSA_SIZE = 256;
const COORDINATE = 32;

/** L-1 and L-2. */
export function ekTemplate(kind: EkKind): Bytes {
  const zeros = new Uint8Array(COORDINATE);
  return encodeTpmPublic({
    nameHash: "SHA-256",
    attributes: MADE_HERE | adminWithPolicy | restricted | decrypt,
    authPolicy: POLICY_A,
    symmetric: AES_128_CFB,
    scheme: undefined,
    key:
      kind === "RSA" ? { ...RSA_2048, modulus: new Uint8Array(RSA_SIZE) } : { ...P_256, x: zeros, y: zeros },
  });
}

/** The parent of keys that this TPM makes and we load. */
export function storageTemplate(): Bytes {
  return encodeTpmPublic({
    nameHash: "SHA-256",
    attributes: MADE_HERE | userWithAuth | noDa | restricted | decrypt,
    authPolicy: NONE,
    symmetric: AES_128_CFB,
    scheme: undefined,
    key: P_256,
  });
}

/** A restricted signing key: it signs nothing but what the TPM says. */
export function akTemplate(scheme: AkScheme): Bytes {
  const fields: TpmPublicFields = {
    nameHash: "SHA-256",
    attributes: MADE_HERE | userWithAuth | noDa | restricted | sign,
    authPolicy: NONE,
    symmetric: undefined,
    scheme: { algorithm: SCHEME_ID[scheme], hash: "SHA-256" },
    key: scheme === "ECDSA" ? P_256 : RSA_2048,
  };
  return encodeTpmPublic(fields);
}

/**
 * A manufacturer's template of an endorsement key with its nonce, which takes the place of the key (EK Credential
 * Profile 2.5, section 2.2.1.3). Throws `TPM_UNSUITABLE` for a template of a kind that nothing here knows.
 */
export function templateWithNonce(template: Uint8Array, nonce: Uint8Array): Bytes {
  const reader = new Reader(template, "endorsement key template");
  return asResponse("endorsement key template", () => {
    const type = reader.u16be("type");
    reader.bytes(6, "nameAlg and objectAttributes");
    reader.bytes(reader.u16be("size of authPolicy"), "authPolicy");
    if (reader.u16be("symmetric") !== ALGORITHM.null) reader.bytes(4, "symmetric keyBits and mode");
    if (reader.u16be("scheme") !== ALGORITHM.null) reader.bytes(2, "scheme hash");
    reader.bytes(type === ALGORITHM.rsa ? 6 : 4, "parameters of the key");
    const front = template.slice(0, reader.offset);
    const [size, rest] = type === ALGORITHM.rsa ? [RSA_SIZE, []] : [COORDINATE, [new Uint8Array(COORDINATE)]];
    if ((type !== ALGORITHM.rsa && type !== ALGORITHM.ecc) || nonce.length > size) {
      throw unsuitable(`its endorsement key has the type ${type} and a nonce of ${nonce.length} bytes`);
    }
    return concat(front, encodeSized(padRight(nonce, size)), ...rest.map(encodeSized));
  });
}

const SCHEME_ID: Readonly<Record<AkScheme, number>> = {
  ECDSA: ALGORITHM.ecdsa,
  RSASSA: ALGORITHM.rsassa,
  RSAPSS: ALGORITHM.rsapss,
};
