// SPDX-License-Identifier: Apache-2.0
// Credential activation: how a verifier learns that an attestation key lives in the TPM of an endorsement key. It
// encrypts a secret so that only that TPM can open it, and only while it holds a key of exactly this name.
// TPM 2.0 Library 1.59, part 1, section 24 (credential protection); part 3, sections 12.5 and 12.6.

import { type Bytes, concat, equal, equalConstantTime, fromUtf8, toHex } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto, type HashName } from "@adyton/core/crypto";
import { Writer } from "@adyton/core/cursor";
import type { VendorKey } from "../bag.ts";
import { EvidenceError } from "../errors.ts";
import { ALGORITHM, digestSize } from "./algorithms.ts";
import { encodeSized } from "./attest.ts";
import type { TrustedCertificate } from "./certificates.ts";
import { quoteRefusal } from "./error.ts";
import { AK_NAME, EK_DIGEST } from "./identifiers.ts";
import { aesCfb, kdfa, kdfe } from "./kdf.ts";
import { isAttestationKey, nameOf, OBJECT_ATTRIBUTE, spkiOfTpmPublic, type TpmPublic } from "./public.ts";

export interface CredentialRequest {
  /** The endorsement key's public area, as the TPM gives it. */
  readonly ek: TpmPublic;
  /** The attestation key's public area, as the TPM gives it. */
  readonly ak: TpmPublic;
  /** From `verifyEkCertificate`. Without it the answer says no more than that both keys are in one TPM. */
  readonly ekCertificate?: TrustedCertificate;
  /** The caller vouches that the certificate's root certifies hardware. Default: only for roots that are pinned here. */
  readonly hardware?: boolean;
  readonly crypto?: CryptoProvider;
}

/** What goes to the TPM, and what the verifier keeps. */
export interface CredentialSession {
  /** TPM2B_ID_OBJECT's contents: for TPM2_ActivateCredential, `credentialBlob`. */
  readonly credentialBlob: Uint8Array;
  /** TPM2B_ENCRYPTED_SECRET's contents: for TPM2_ActivateCredential, `secret`. */
  readonly encryptedSecret: Uint8Array;
  /** Never leaves the verifier; held for one answer. */
  readonly expected: Uint8Array;
  /** What the answer makes trusted: an anchor for `verifyTpm`. */
  readonly key: VendorKey;
}

const SECRET_SIZE = 32;
/** First words of tpm2-tools' credential files. */
const FILE_HEADER = [0xbadcc0de, 1] as const;
const IDENTITY = "IDENTITY";

/**
 * Makes a challenge that only the TPM of `ek` can answer, and only with `ak` in it. Throws `INVALID_AK` when `ak` could
 * sign other things than its TPM's statements, `INVALID_EK_CERTIFICATE` when `ek` is no endorsement key or the
 * certificate another key's.
 */
export async function openCredentialSession(request: CredentialRequest): Promise<CredentialSession> {
  const { ek, ak, ekCertificate, crypto = defaultCrypto } = request;
  if (!isAttestationKey(ak)) {
    throw quoteRefusal("INVALID_AK", "the key is no restricted signing key that is fixed to its TPM", {
      detail: { attributes: ak.attributes },
    });
  }
  checkEndorsementKey(ek, ekCertificate);
  const name = await nameOf(ak, crypto);
  const expected = crypto.randomBytes(SECRET_SIZE);
  const { seed, encryptedSecret } = await shareSeed(ek, crypto);
  const hardware = request.hardware ?? ekCertificate?.trust.simulated === false;
  return {
    credentialBlob: await protectCredential(ek, seed, name, expected, crypto),
    encryptedSecret,
    expected,
    key: {
      spki: spkiOfTpmPublic(ak),
      identifiers: {
        [AK_NAME]: toHex(name),
        [EK_DIGEST]: toHex(await crypto.digest("SHA-256", spkiOfTpmPublic(ek))),
      },
      ...(hardware ? { hardware } : {}),
    },
  };
}

/** The attestation key, once the TPM answered. Throws `CREDENTIAL_ACTIVATION_FAILED`. */
export function acceptActivation(session: CredentialSession, answer: Uint8Array): VendorKey {
  if (equalConstantTime(answer, session.expected)) return session.key;
  throw new EvidenceError(
    "CREDENTIAL_ACTIVATION_FAILED",
    "not-authentic",
    "Cannot trust attestation key: the answer to the credential challenge is wrong",
    {
      detail: { akName: session.key.identifiers[AK_NAME] },
      hint: "Activate with the keys whose public areas were sent, both of one TPM.",
    },
  );
}

/** The file that tpm2_activatecredential reads. */
export function encodeCredentialFile(
  session: Pick<CredentialSession, "credentialBlob" | "encryptedSecret">,
): Bytes {
  const [magic, version] = FILE_HEADER;
  return concat(
    new Writer(8).u32be(magic).u32be(version).finish(),
    encodeSized(session.credentialBlob),
    encodeSized(session.encryptedSecret),
  );
}

/** The keys that protect a credential, from the seed (part 1, sections 24.4 and 24.5). */
export async function credentialKeys(
  ek: TpmPublic,
  seed: Uint8Array,
  akName: Uint8Array,
  crypto: CryptoProvider,
): Promise<{ readonly hash: HashName; readonly encryption: Bytes; readonly integrity: Bytes }> {
  const hash = hashOf(ek);
  const none = new Uint8Array();
  return {
    hash,
    encryption: await kdfa(hash, seed, "STORAGE", akName, none, symmetricOf(ek).bits, crypto),
    integrity: await kdfa(hash, seed, "INTEGRITY", none, none, 8 * digestSize(hash), crypto),
  };
}

/** The seed out of an ECDH secret (part 1, annex C.6.4). */
export function seedOfPoint(
  ek: TpmPublic,
  z: Uint8Array,
  ephemeralX: Uint8Array,
  crypto: Pick<CryptoProvider, "digest">,
): Promise<Bytes> {
  const hash = hashOf(ek);
  const own = ek.key.type === "ECC" ? ek.key.x : new Uint8Array();
  return kdfe(hash, z, IDENTITY, ephemeralX, own, 8 * digestSize(hash), crypto);
}

function checkEndorsementKey(ek: TpmPublic, certificate: TrustedCertificate | undefined): void {
  const must = OBJECT_ATTRIBUTE.restricted | OBJECT_ATTRIBUTE.decrypt | OBJECT_ATTRIBUTE.fixedTpm;
  if ((ek.attributes & must) !== must || (ek.attributes & OBJECT_ATTRIBUTE.sign) !== 0) {
    throw invalidEk("it is no restricted decryption key that is fixed to its TPM");
  }
  if (certificate !== undefined && !equal(certificate.certificate.spki, spkiOfTpmPublic(ek))) {
    throw invalidEk("the certificate is another key's");
  }
  hashOf(ek);
  symmetricOf(ek);
}

/** A seed that only the endorsement key's TPM learns: RSA-OAEP (annex B.10.3), or ECDH (annex C.6.3). */
async function shareSeed(
  ek: TpmPublic,
  crypto: CryptoProvider,
): Promise<{ readonly seed: Bytes; readonly encryptedSecret: Bytes }> {
  const { key } = ek;
  const peer = await crypto.importPublicKey(spkiOfTpmPublic(ek));
  if (key.type === "RSA") {
    const seed = crypto.randomBytes(digestSize(ek.nameHash));
    return { seed, encryptedSecret: await encryptOaep(peer.spki, hashOf(ek), seed) };
  }
  const ephemeral = await crypto.generateKey({ name: "EC", curve: key.curve });
  const point = ephemeral.publicKey.spki.subarray(-2 * key.x.length);
  const [x, y] = [point.subarray(0, key.x.length), point.subarray(key.x.length)];
  const seed = await seedOfPoint(ek, await crypto.agree(ephemeral, peer), x, crypto);
  return { seed, encryptedSecret: concat(encodeSized(x), encodeSized(y)) };
}

/** WebCrypto, which Node has too: RSA encryption is needed here alone. */
async function encryptOaep(spki: Uint8Array, hash: HashName, data: Bytes): Promise<Bytes> {
  const { subtle } = globalThis.crypto;
  const key = await subtle.importKey("spki", new Uint8Array(spki), { name: "RSA-OAEP", hash }, false, [
    "encrypt",
  ]);
  return new Uint8Array(
    await subtle.encrypt({ name: "RSA-OAEP", label: fromUtf8(`${IDENTITY}\0`) }, key, data),
  );
}

/** TPM2B_DIGEST of the outer HMAC, then the encrypted TPM2B_DIGEST of the secret. */
async function protectCredential(
  ek: TpmPublic,
  seed: Uint8Array,
  akName: Uint8Array,
  secret: Uint8Array,
  crypto: CryptoProvider,
): Promise<Bytes> {
  const { hash, encryption, integrity } = await credentialKeys(ek, seed, akName, crypto);
  const encrypted = await aesCfb("encrypt", encryption, encodeSized(secret), crypto);
  return concat(encodeSized(await crypto.hmac(hash, integrity, concat(encrypted, akName))), encrypted);
}

function hashOf({ nameHash }: TpmPublic): HashName {
  if (nameHash !== "SM3" && nameHash !== "SHA-1") return nameHash;
  throw invalidEk(`its name is over ${nameHash}, expected SHA-256, SHA-384 or SHA-512`);
}

function symmetricOf({ symmetric }: TpmPublic): { readonly bits: number } {
  if (symmetric?.algorithm === ALGORITHM.aes && symmetric.mode === ALGORITHM.cfb) {
    if (symmetric.bits === 128 || symmetric.bits === 256) return symmetric;
  }
  throw invalidEk("it does not protect secrets with AES-128 or AES-256 in CFB mode");
}

function invalidEk(why: string): EvidenceError {
  return new EvidenceError(
    "INVALID_EK_CERTIFICATE",
    "not-authentic",
    `Cannot challenge endorsement key: ${why}`,
  );
}
