// SPDX-License-Identifier: Apache-2.0
// A PKCS #11 token with one session: keys that never leave it, and secrets that rest in it.

import { randomBytes } from "node:crypto";
import { concat, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { CKA, CKF, CKG_MGF1, CKK, CKM, CKO, CKR, CKU_USER, CKZ_DATA_SPECIFIED } from "./constants.ts";
import { type Attribute, hsmFailed, loadModule, type Mechanism, type Pkcs11Module } from "./module.ts";

export interface Pkcs11Options {
  /** The shared library, for example `/usr/lib/softhsm/libsofthsm2.so`. */
  readonly module: string;
  /** Label of the token. Without it the token in slot number `slotIndex` is taken. */
  readonly tokenLabel?: string;
  /** Among the slots with a token. Default 0. */
  readonly slotIndex?: number;
  /** Of the user. */
  readonly pin: string;
}

/** Hash of RSA-OAEP and of its MGF1. */
export type OaepHash = "SHA-256" | "SHA-1";

/** A key in the token. Its handle holds until the token is taken away: look it up again after a failure. */
export interface TokenKey {
  readonly label: string;
  readonly handle: bigint;
}

const GCM_IV_BYTES = 12;
const GCM_TAG_BYTES = 16;
const AES_BYTES = 32n;
const TOKEN_INFO_BYTES = 256;
const LABEL_BYTES = 32;
const MAX_SLOTS = 1024;
const FIND_BATCH = 64;
const MAX_FOUND = 100_000;
const MAX_INPUT = 8 * 1024 * 1024;

/** Opens a session and logs in. Rejects with `HSM_FAILED`. */
export async function openPkcs11Token(options: Pkcs11Options): Promise<Pkcs11Token> {
  const module = await loadModule(options.module);
  return new Pkcs11Token(module, slotOf(module, options), options.pin);
}

/** Methods throw `HSM_FAILED`. Calls block while the token works; each is one step, so none sees half of another. */
export class Pkcs11Token {
  readonly #module: Pkcs11Module;
  readonly #slot: bigint;
  readonly #pin: Uint8Array;
  #session: bigint;

  constructor(module: Pkcs11Module, slot: bigint, pin: string) {
    this.#module = module;
    this.#slot = slot;
    this.#pin = fromUtf8(pin);
    this.#session = this.#open();
  }

  /** The AES-256 key of this label, made in the token (sensitive, never extractable) when `make`. */
  aesKey(label: string, { make = false }: { readonly make?: boolean } = {}): TokenKey | undefined {
    const [known] = this.#find([
      [CKA.class, CKO.secretKey],
      [CKA.keyType, CKK.aes],
      [CKA.label, fromUtf8(label)],
    ]);
    if (known !== undefined) return { label, handle: known };
    return make ? { label, handle: this.#generateAes(label) } : undefined;
  }

  /** Public and private key of a label, undefined where there is none. */
  rsaKey(label: string, kind: "public" | "private"): TokenKey | undefined {
    const [handle] = this.#find([
      [CKA.class, kind === "public" ? CKO.publicKey : CKO.privateKey],
      [CKA.keyType, CKK.rsa],
      [CKA.label, fromUtf8(label)],
    ]);
    return handle === undefined ? undefined : { label, handle };
  }

  /** Makes an RSA key pair in the token; the private key cannot leave it. */
  generateRsa(label: string, bits: number = 3072): void {
    const { bytes } = this.#module.mechanism({ type: CKM.rsaKeyPairGen });
    const handles = new BigUint64Array(2);
    const name: Attribute = [CKA.label, fromUtf8(label)];
    this.#module.withTemplate(
      "C_GenerateKeyPair",
      [this.#session, bytes],
      [
        [
          [CKA.token, true],
          [CKA.modulusBits, BigInt(bits)],
          [CKA.publicExponent, Uint8Array.of(1, 0, 1)],
          [CKA.encrypt, true],
          [CKA.wrap, true],
          name,
        ],
        [
          [CKA.token, true],
          [CKA.private, true],
          [CKA.sensitive, true],
          [CKA.extractable, false],
          [CKA.decrypt, true],
          [CKA.unwrap, true],
          name,
        ],
      ],
      [new Uint8Array(handles.buffer, 0, 8), new Uint8Array(handles.buffer, 8, 8)],
    );
  }

  /** AES-256-GCM with a random IV: IV, ciphertext, tag in one. */
  seal(key: TokenKey, plaintext: Uint8Array, aad: Uint8Array): Uint8Array {
    const iv = new Uint8Array(randomBytes(GCM_IV_BYTES));
    return concat(iv, this.#crypt("Encrypt", key, gcm(iv, aad), plaintext));
  }

  /** What `seal` made. Throws `HSM_FAILED` also when it was changed. */
  open(key: TokenKey, sealed: Uint8Array, aad: Uint8Array): Uint8Array {
    if (sealed.length < GCM_IV_BYTES + GCM_TAG_BYTES) throw hsmFailed("open a value: it is too short");
    // A view would keep the buffer's offset out of sight: the token reads from the address.
    const iv = new Uint8Array(sealed.subarray(0, GCM_IV_BYTES));
    return this.#crypt("Decrypt", key, gcm(iv, aad), new Uint8Array(sealed.subarray(GCM_IV_BYTES)));
  }

  /** RSA-OAEP with the public key. */
  oaepEncrypt(key: TokenKey, plaintext: Uint8Array, hash: OaepHash): Uint8Array {
    return this.#crypt("Encrypt", key, oaep(hash), plaintext);
  }

  oaepDecrypt(key: TokenKey, ciphertext: Uint8Array, hash: OaepHash): Uint8Array {
    return this.#crypt("Decrypt", key, oaep(hash), ciphertext);
  }

  /** Keeps bytes in the token as a generic secret that only a logged-in user reads. */
  putSecret(label: string, value: Uint8Array): void {
    this.#module.withTemplate(
      "C_CreateObject",
      [this.#session],
      [
        [
          [CKA.class, CKO.secretKey],
          [CKA.keyType, CKK.genericSecret],
          [CKA.token, true],
          [CKA.private, true],
          [CKA.sensitive, false],
          [CKA.extractable, true],
          [CKA.label, fromUtf8(label)],
          [CKA.value, value],
        ],
      ],
      [new Uint8Array(8)],
    );
  }

  /** Secrets of this label, as handles in the order of the token. */
  secrets(label: string): readonly bigint[] {
    return this.#find([
      [CKA.class, CKO.secretKey],
      [CKA.keyType, CKK.genericSecret],
      [CKA.label, fromUtf8(label)],
    ]);
  }

  /** The labels of all secrets. */
  secretLabels(): readonly string[] {
    const handles = this.#find([
      [CKA.class, CKO.secretKey],
      [CKA.keyType, CKK.genericSecret],
    ]);
    return handles.flatMap((handle) => {
      const label = this.#module.attribute(this.#session, handle, CKA.label);
      return label === undefined ? [] : [labelText(label)];
    });
  }

  /** The bytes of a secret, undefined when the token keeps them to itself. */
  secretValue(handle: bigint): Uint8Array | undefined {
    return this.#module.attribute(this.#session, handle, CKA.value);
  }

  destroy(handle: bigint): void {
    this.#module.call("C_DestroyObject", this.#session, handle);
  }

  /** Ends the session; further calls are refused by the token. */
  close(): void {
    this.#module.tolerant("C_CloseSession", [CKR.ok, CKR.sessionHandleInvalid], this.#session);
    this.#pin.fill(0);
  }

  #open(): bigint {
    const handle = new BigUint64Array(1);
    const flags = CKF.serialSession | CKF.rwSession;
    const out = new Uint8Array(handle.buffer);
    this.#module.call("C_OpenSession", this.#slot, flags, 0n, 0n, out);
    const session = handle[0] ?? 0n;
    const tolerated = [CKR.ok, CKR.userAlreadyLoggedIn];
    this.#module.tolerant("C_Login", tolerated, session, CKU_USER, this.#pin, BigInt(this.#pin.length));
    return session;
  }

  #generateAes(label: string): bigint {
    const { bytes } = this.#module.mechanism({ type: CKM.aesKeyGen });
    const handle = new BigUint64Array(1);
    this.#module.withTemplate(
      "C_GenerateKey",
      [this.#session, bytes],
      [
        [
          [CKA.token, true],
          [CKA.private, true],
          [CKA.sensitive, true],
          [CKA.extractable, false],
          [CKA.encrypt, true],
          [CKA.decrypt, true],
          [CKA.valueLen, AES_BYTES],
          [CKA.label, fromUtf8(label)],
        ],
      ],
      [new Uint8Array(handle.buffer)],
    );
    return handle[0] ?? 0n;
  }

  #find(template: readonly Attribute[]): readonly bigint[] {
    this.#module.withTemplate("C_FindObjectsInit", [this.#session], [template]);
    const found: bigint[] = [];
    try {
      const batch = new BigUint64Array(FIND_BATCH);
      const count = new BigUint64Array(1);
      do {
        const out = new Uint8Array(batch.buffer);
        const countOut = new Uint8Array(count.buffer);
        this.#module.call("C_FindObjects", this.#session, out, BigInt(FIND_BATCH), countOut);
        found.push(...batch.subarray(0, Number(count[0])));
      } while ((count[0] ?? 0n) > 0n && found.length < MAX_FOUND);
    } finally {
      this.#module.call("C_FindObjectsFinal", this.#session);
    }
    return found;
  }

  #crypt(what: "Encrypt" | "Decrypt", key: TokenKey, mechanism: Mechanism, input: Uint8Array): Uint8Array {
    if (input.length > MAX_INPUT) throw hsmFailed("use the PKCS #11 token: the input is too large");
    const { bytes, held } = this.#module.mechanism(mechanism);
    // Room for a tag or a whole RSA block: no second call to ask for the length. Empty input still needs an address.
    const output = new Uint8Array(input.length + 1024);
    const length = BigUint64Array.of(BigInt(output.length));
    const lengthOut = new Uint8Array(length.buffer);
    const from = input.length === 0 ? new Uint8Array(1) : input;
    return this.#recovering(() => {
      this.#module.call(`C_${what}Init`, this.#session, bytes, key.handle);
      this.#module.call(`C_${what}`, this.#session, from, BigInt(input.length), output, lengthOut);
      const answer = output.slice(0, Number(length[0]));
      output.fill(0);
      keepAlive(held);
      return answer;
    });
  }

  /** A failed operation stays open in its session, and a token that was away has forgotten it: the next gets a new one. */
  #recovering<T>(operation: () => T): T {
    try {
      return operation();
    } catch (error) {
      try {
        const old = this.#session;
        // The new one first: with the last session the login would end, and handles of keys with it.
        this.#session = this.#open();
        this.#module.tolerant("C_CloseSession", [CKR.ok, CKR.sessionHandleInvalid], old);
      } catch {
        // The token is not there now; the next operation says so.
      }
      throw error;
    }
  }
}

/** What the token reads through an address must outlive the call. */
function keepAlive(_held: readonly unknown[]): void {}

/** CK_GCM_PARAMS: IV, its length, its bits, additional data, its length, bits of the tag. */
function gcm(iv: Uint8Array, aad: Uint8Array): Mechanism {
  const bits = BigInt(iv.length * 8);
  const tagBits = BigInt(GCM_TAG_BYTES * 8);
  return {
    type: CKM.aesGcm,
    parameter: [iv, BigInt(iv.length), bits, aad, BigInt(aad.length), tagBits],
  };
}

/** CK_RSA_PKCS_OAEP_PARAMS: hash, mask, source, its data and length (the empty label). */
function oaep(hash: OaepHash): Mechanism {
  const sha256 = hash === "SHA-256";
  return {
    type: CKM.rsaOaep,
    parameter: [
      sha256 ? CKM.sha256 : CKM.sha1,
      sha256 ? CKG_MGF1.sha256 : CKG_MGF1.sha1,
      CKZ_DATA_SPECIFIED,
      0n,
      0n,
    ],
  };
}

function slotOf(module: Pkcs11Module, { tokenLabel, slotIndex = 0 }: Pkcs11Options): bigint {
  const count = BigUint64Array.of(BigInt(MAX_SLOTS));
  // Asked for their number alone, a module looks for tokens that came meanwhile (Base Specification, C_GetSlotList).
  module.call("C_GetSlotList", 1n, 0n, new Uint8Array(count.buffer));
  count[0] = BigInt(MAX_SLOTS);
  const list = new BigUint64Array(MAX_SLOTS);
  module.call("C_GetSlotList", 1n, new Uint8Array(list.buffer), new Uint8Array(count.buffer));
  const slots = [...list.subarray(0, Number(count[0]))];
  const slot =
    tokenLabel === undefined ? slots[slotIndex] : slots.find((id) => labelOf(module, id) === tokenLabel);
  if (slot !== undefined) return slot;
  const which =
    tokenLabel === undefined ? `in slot number ${slotIndex}` : `labelled ${JSON.stringify(tokenLabel)}`;
  throw hsmFailed(`open the PKCS #11 token ${which}: found none among ${slots.length}`, {
    hint: "List tokens with `pkcs11-tool --list-slots`, or initialise one.",
  });
}

function labelOf(module: Pkcs11Module, slot: bigint): string {
  const info = new Uint8Array(TOKEN_INFO_BYTES);
  module.call("C_GetTokenInfo", slot, info);
  return labelText(info.subarray(0, LABEL_BYTES)).trimEnd();
}

/** Labels are UTF-8, but nothing makes tokens keep to it. */
function labelText(bytes: Uint8Array): string {
  try {
    return toUtf8(bytes);
  } catch {
    return "";
  }
}
