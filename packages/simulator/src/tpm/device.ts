// SPDX-License-Identifier: Apache-2.0
// A simulated TPM: an endorsement key, an attestation key, PCR banks, quotes and credential activation, byte-exact. Its
// private keys lie in this process: it proves flows, not that hardware holds anything.

import { type Bytes, concat, equalConstantTime, fromUtf8 } from "@adyton/core/bytes";
import type {
  CryptoProvider,
  CurveName,
  HashName,
  PrivateKey,
  SignatureAlgorithm,
} from "@adyton/core/crypto";
import { Reader } from "@adyton/core/cursor";
import { parseDer } from "@adyton/core/der";
import {
  ALGORITHM,
  aesCfb,
  type CredentialSession,
  credentialKeys,
  digestOf,
  digestSize,
  encodeQuoteAttest,
  encodeTpmPublic,
  nameOf,
  OBJECT_ATTRIBUTE,
  type PcrBank,
  parseTpmPublic,
  type QuoteAttest,
  seedOfPoint,
  type TpmHash,
  type TpmPublic,
  type TpmPublicFields,
  type TpmQuote,
  type TpmSignature,
} from "@adyton/evidence/tpm";

/** The kind of a TPM's key. */
export type TpmKeyKind =
  | { readonly name: "RSA"; readonly bits: 2048 | 3072 }
  | { readonly name: "EC"; readonly curve: CurveName };

export interface TpmDeviceOptions {
  readonly hashes?: readonly TpmHash[];
  /** Default: EC on P-256. Azure's and Google's are RSA. */
  readonly akKind?: TpmKeyKind;
  readonly ekKind?: TpmKeyKind;
  /** TPMA_OBJECT of the attestation key, when it shall differ. */
  readonly akAttributes?: number;
}

export interface TpmQuoteOptions {
  /** At most 64 bytes. */
  readonly nonce?: Uint8Array;
  /** Default: every PCR of the first bank. */
  readonly selection?: QuoteAttest["selection"];
  /** Default: RSASSA or ECDSA with SHA-256. */
  readonly scheme?: {
    readonly name: TpmSignature["scheme"];
    readonly hash: HashName;
    readonly saltLength?: number;
  };
  /** Signs instead of the attestation key. */
  readonly key?: PrivateKey;
  /** What the quote says otherwise; it is signed. */
  readonly attest?: Partial<QuoteAttest>;
  /** Changes the signed bytes before they are signed. */
  readonly edit?: (message: Bytes) => Bytes;
}

export interface TpmKeyPair {
  readonly key: PrivateKey;
  readonly public: TpmPublic;
}

export interface TpmDevice {
  readonly ek: TpmKeyPair;
  readonly ak: TpmKeyPair;
  readonly hashes: readonly TpmHash[];
  /** PCR values of a bank, by number. */
  bank(hash: TpmHash): PcrBank;
  /** Sets PCRs to the values that a boot's events made. */
  load(hash: TpmHash, values: ReadonlyMap<number, Uint8Array>): void;
  /** TPM2_PCR_Extend with a digest for each bank. */
  extend(index: number, digests: Readonly<Partial<Record<TpmHash, Uint8Array>>>): Promise<void>;
  quote(options?: TpmQuoteOptions): Promise<TpmQuote>;
  /** TPM2_ActivateCredential with both keys. Throws a RangeError when the TPM would refuse. */
  activate(challenge: Pick<CredentialSession, "credentialBlob" | "encryptedSecret">): Promise<Bytes>;
}

const PCR_COUNT = 24;
const {
  fixedTpm,
  fixedParent,
  sensitiveDataOrigin,
  restricted,
  decrypt,
  sign,
  userWithAuth,
  adminWithPolicy,
} = OBJECT_ATTRIBUTE;
const AK_ATTRIBUTES = fixedTpm | fixedParent | sensitiveDataOrigin | userWithAuth | restricted | sign;
const EK_ATTRIBUTES = fixedTpm | fixedParent | sensitiveDataOrigin | adminWithPolicy | restricted | decrypt;

export async function createTpmDevice(options: TpmDeviceOptions, crypto: CryptoProvider): Promise<TpmDevice> {
  const {
    hashes = ["SHA-256"],
    akKind = { name: "EC", curve: "P-256" },
    ekKind = { name: "EC", curve: "P-256" },
  } = options;
  const ak = await makeKey(akKind, options.akAttributes ?? AK_ATTRIBUTES, "sign", crypto);
  const ek = await makeKey(ekKind, EK_ATTRIBUTES, "decrypt", crypto);
  const banks = new Map(hashes.map((hash) => [hash, freshBank(hash)]));
  const bankOf = (hash: TpmHash): Map<number, Uint8Array> => {
    const bank = banks.get(hash);
    if (bank === undefined) throw new RangeError(`createTpmDevice: there is no bank ${hash}`);
    return bank;
  };
  return {
    ek,
    ak,
    hashes,
    bank: (hash) => ({ hash, values: new Map(bankOf(hash)) }),
    load: (hash, values) => {
      for (const [index, value] of values) bankOf(hash).set(index, value);
    },
    extend: async (index, digests) => {
      for (const [hash, bank] of banks) {
        const digest = digests[hash];
        const value = bank.get(index);
        if (digest === undefined || value === undefined) continue;
        bank.set(index, await digestOf(hash, concat(value, digest), crypto));
      }
    },
    quote: (request = {}) => makeQuote(request, ak, banks, hashes[0] ?? "SHA-256", crypto),
    activate: (challenge) => activate(challenge, ek, ak, crypto),
  };
}

/** PCRs after a reset: the dynamic ones are FFh. */
function freshBank(hash: TpmHash): Map<number, Uint8Array> {
  const size = digestSize(hash);
  return new Map(
    Array.from(
      { length: PCR_COUNT },
      (_, i) => [i, new Uint8Array(size).fill(i >= 17 && i <= 22 ? 0xff : 0)] as const,
    ),
  );
}

async function makeKey(
  kind: TpmKeyKind,
  attributes: number,
  use: "sign" | "decrypt",
  crypto: CryptoProvider,
): Promise<TpmKeyPair> {
  const key = await crypto.generateKey(kind);
  const aes = { algorithm: ALGORITHM.aes, bits: 128, mode: ALGORITHM.cfb };
  const scheme = {
    algorithm: kind.name === "RSA" ? ALGORITHM.rsassa : ALGORITHM.ecdsa,
    hash: "SHA-256",
  } as const;
  const fields: TpmPublicFields = {
    nameHash: "SHA-256",
    attributes,
    authPolicy: use === "sign" ? new Uint8Array() : new Uint8Array(32).fill(0x83),
    symmetric: use === "decrypt" ? aes : undefined,
    scheme: use === "sign" ? scheme : undefined,
    key: publicPart(kind, key.publicKey.spki),
  };
  return { key, public: parseTpmPublic(encodeTpmPublic(fields)) };
}

function publicPart(kind: TpmKeyKind, spki: Uint8Array): TpmPublicFields["key"] {
  const [, bits] = parseDer(spki, "SubjectPublicKeyInfo").sequence();
  const point = bits?.bitString() ?? new Uint8Array();
  if (kind.name === "EC") {
    const half = (point.length - 1) / 2;
    return { type: "ECC", curve: kind.curve, x: point.subarray(1, 1 + half), y: point.subarray(1 + half) };
  }
  const [modulus] = parseDer(point, "RSA key").sequence();
  return { type: "RSA", bits: kind.bits, exponent: 65537, modulus: modulus?.unsigned() ?? new Uint8Array() };
}

async function makeQuote(
  options: TpmQuoteOptions,
  ak: TpmKeyPair,
  banks: ReadonlyMap<TpmHash, ReadonlyMap<number, Uint8Array>>,
  first: TpmHash,
  crypto: CryptoProvider,
): Promise<TpmQuote> {
  const isRsa = ak.public.key.type === "RSA";
  const {
    nonce = new Uint8Array(),
    selection = [{ hash: first, indices: Array.from({ length: PCR_COUNT }, (_, i) => i) }],
    scheme = { name: isRsa ? "RSASSA" : "ECDSA", hash: "SHA-256" },
    key = ak.key,
    edit = (message: Bytes) => message,
  } = options;
  const selected = selection.map(({ hash, indices }): PcrBank => {
    const bank = banks.get(hash) ?? freshBank(hash);
    return {
      hash,
      values: new Map(indices.map((i) => [i, bank.get(i) ?? new Uint8Array(digestSize(hash))])),
    };
  });
  const values = selected.flatMap((bank) => [...bank.values.values()]);
  const message = edit(
    encodeQuoteAttest({
      qualifiedSigner: await nameOf(ak.public, crypto),
      extraData: nonce,
      clock: 1_000_000n,
      resetCount: 1,
      restartCount: 0,
      safe: true,
      firmwareVersion: 0x2026n,
      selection,
      pcrDigest: await digestOf(scheme.hash, concat(...values), crypto),
      ...options.attest,
    }),
  );
  const signature = await key.sign(algorithmOf(scheme), message);
  const half = signature.length / 2;
  const parts =
    scheme.name === "ECDSA" ? [signature.subarray(0, half), signature.subarray(half)] : [signature];
  return { message, signature: { scheme: scheme.name, hash: scheme.hash, values: parts }, pcrs: selected };
}

function algorithmOf({ name, hash, saltLength }: NonNullable<TpmQuoteOptions["scheme"]>): SignatureAlgorithm {
  switch (name) {
    case "ECDSA":
      return { name: "ECDSA", hash };
    case "RSASSA":
      return { name: "RSASSA-PKCS1-v1_5", hash };
    case "RSAPSS":
      return { name: "RSA-PSS", hash, saltLength: saltLength ?? digestSize(hash) };
  }
}

async function activate(
  { credentialBlob, encryptedSecret }: Pick<CredentialSession, "credentialBlob" | "encryptedSecret">,
  ek: TpmKeyPair,
  ak: TpmKeyPair,
  crypto: CryptoProvider,
): Promise<Bytes> {
  const akName = await nameOf(ak.public, crypto);
  const seed = await openSeed(encryptedSecret, ek, crypto);
  const { hash, encryption, integrity } = await credentialKeys(ek.public, seed, akName, crypto);
  const blob = new Reader(credentialBlob, "credential");
  const mac = blob.bytes(blob.u16be("size"), "integrity");
  const encrypted = blob.rest();
  if (!equalConstantTime(mac, await crypto.hmac(hash, integrity, concat(encrypted, akName)))) {
    throw new RangeError("TPM2_ActivateCredential: integrity check failed");
  }
  const plain = new Reader(await aesCfb("decrypt", encryption, encrypted, crypto), "credential");
  return new Uint8Array(plain.bytes(plain.u16be("size"), "secret"));
}

async function openSeed(encrypted: Uint8Array, ek: TpmKeyPair, crypto: CryptoProvider): Promise<Bytes> {
  if (ek.public.key.type === "ECC") {
    const { x: own } = ek.public.key;
    const reader = new Reader(encrypted, "encrypted secret");
    const x = padLeft(reader.bytes(reader.u16be("size"), "x"), own.length);
    const y = padLeft(reader.bytes(reader.u16be("size"), "y"), own.length);
    const peer = await crypto.importPublicKey(spkiOf(concat(x, y), ek));
    return seedOfPoint(ek.public, await crypto.agree(ek.key, peer), x, crypto);
  }
  const { subtle } = globalThis.crypto;
  const hash = "SHA-256";
  const key = await subtle.importKey("pkcs8", await ek.key.export(), { name: "RSA-OAEP", hash }, false, [
    "decrypt",
  ]);
  const label = fromUtf8("IDENTITY\0");
  return new Uint8Array(await subtle.decrypt({ name: "RSA-OAEP", label }, key, new Uint8Array(encrypted)));
}

/** A point in the encoding of the key's own SubjectPublicKeyInfo. */
function spkiOf(point: Uint8Array, { key }: TpmKeyPair): Bytes {
  const own = key.publicKey.spki;
  return concat(own.subarray(0, own.length - point.length), point);
}

function padLeft(bytes: Uint8Array, size: number): Uint8Array {
  return concat(new Uint8Array(size - bytes.length), bytes);
}
