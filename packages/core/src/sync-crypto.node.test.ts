// SPDX-License-Identifier: Apache-2.0
// The TypeScript that browsers run, against node:crypto: what one signs, the other takes; what one refuses, so does the other.
import {
  constants,
  createPrivateKey,
  generateKeyPairSync,
  type KeyObject,
  privateEncrypt,
  sign,
} from "node:crypto";
import { describe, expect, it } from "vitest";
import { concat, fromHex, fromUtf8 } from "./bytes.ts";
import { syncCrypto as node } from "./crypto/node.ts";
import { syncCrypto as portable } from "./crypto/portable.ts";
import type { SignatureAlgorithm } from "./crypto.ts";

const MESSAGE = fromUtf8("what is signed");
const PKCS1: SignatureAlgorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "spki" }) as Buffer);
}

function pkcs8Of(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "pkcs8" }) as Buffer);
}

const PAIRS: readonly {
  title: string;
  pair: { publicKey: KeyObject; privateKey: KeyObject };
  hows: SignatureAlgorithm[];
}[] = [
  ...(["P-256", "P-384", "P-521"] as const).map((namedCurve) => ({
    title: namedCurve,
    pair: generateKeyPairSync("ec", { namedCurve }),
    hows: (["SHA-1", "SHA-256", "SHA-384", "SHA-512"] as const).map(
      (hash) => ({ name: "ECDSA", hash }) as const,
    ),
  })),
  { title: "Ed25519", pair: generateKeyPairSync("ed25519"), hows: [{ name: "Ed25519" }] },
  // A modulus of 8k + 1 bits makes the PSS message one byte shorter than the signature.
  ...[1024, 1025, 1030, 2048].map((modulusLength) => ({
    title: `RSA of ${modulusLength} bits`,
    pair: generateKeyPairSync("rsa", { modulusLength }),
    hows: (["SHA-1", "SHA-256", "SHA-384"] as const).flatMap((hash) => [
      { name: "RSASSA-PKCS1-v1_5", hash } as const,
      { name: "RSA-PSS", hash, saltLength: 20 } as const,
    ]),
  })),
];

describe.each(PAIRS)("$title", ({ pair, hows }) => {
  it.each(hows)("both verify %o, and refuse every changed byte", (how) => {
    const signature = node.importPrivateKey(pkcs8Of(pair.privateKey)).sign(how, MESSAGE);
    const [ours, theirs] = [portable, node].map((crypto) => crypto.importPublicKey(spkiOf(pair.publicKey)));
    expect(ours?.verify(how, signature, MESSAGE)).toBe(true);
    expect(theirs?.verify(how, signature, MESSAGE)).toBe(true);
    for (let at = 0; at < signature.length; at += 7) {
      const changed = Uint8Array.from(signature);
      changed[at] = (changed[at] as number) ^ 0x80;
      expect(ours?.verify(how, changed, MESSAGE)).toBe(false);
      expect(theirs?.verify(how, changed, MESSAGE)).toBe(false);
    }
  });
});

describe("PKCS #1 v1.5 encodings that a lax parser takes", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const ours = portable.importPublicKey(spkiOf(publicKey));
  const info = concat(fromHex("3031300d060960864801650304020105000420"), portable.digest("SHA-256", MESSAGE));
  const raw = (message: Uint8Array): Uint8Array =>
    privateEncrypt({ key: privateKey, padding: constants.RSA_NO_PADDING }, message);
  const padded = (padding: number, tail: Uint8Array, type: number = 1): Uint8Array =>
    concat(Uint8Array.of(0, type), new Uint8Array(padding).fill(0xff), Uint8Array.of(0), tail);

  it("the right one is taken", () => {
    expect(ours.verify(PKCS1, raw(padded(125 - info.length, info)), MESSAGE)).toBe(true);
  });
  it.each([
    { title: "bytes after the digest", message: padded(115 - info.length, concat(info, new Uint8Array(10))) },
    { title: "block type 2", message: padded(125 - info.length, info, 2) },
    {
      title: "no NULL parameters",
      message: padded(
        127 - info.length,
        concat(fromHex("302f300b0609608648016503040201" + "0420"), portable.digest("SHA-256", MESSAGE)),
      ),
    },
    {
      title: "a padding byte that is not ff",
      message: padded(125 - info.length, info).map((byte, i) => (i === 40 ? 0xfe : byte)),
    },
    {
      title: "another hash's identifier",
      message: padded(125 - info.length, info).map((byte, i, all) => (i === all.length - 35 ? 2 : byte)),
    },
  ])("$title", ({ message }) => {
    expect(message.length).toBe(128);
    expect(ours.verify(PKCS1, raw(message), MESSAGE)).toBe(false);
  });
});

describe("PSS", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const ours = portable.importPublicKey(spkiOf(publicKey));
  it.each([0, 20, 31, 33, 64])("a salt of %i bytes where 32 are expected is refused", (saltLength) => {
    const signature = sign("sha256", MESSAGE, {
      key: privateKey,
      padding: constants.RSA_PKCS1_PSS_PADDING,
      saltLength,
    });
    const how = { name: "RSA-PSS", hash: "SHA-256" } as const;
    expect(ours.verify({ ...how, saltLength }, signature, MESSAGE)).toBe(true);
    expect(ours.verify({ ...how, saltLength: 32 }, signature, MESSAGE)).toBe(false);
  });
  it("a salt longer than the message is refused", () => {
    expect(
      ours.verify({ name: "RSA-PSS", hash: "SHA-512", saltLength: 64 }, new Uint8Array(128), MESSAGE),
    ).toBe(false);
  });
});

describe("signing in TypeScript", () => {
  it.each(["P-256", "P-384", "P-521", "Ed25519"])("%s is taken by node:crypto", (curve) => {
    const pair =
      curve === "Ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: curve });
    const how: SignatureAlgorithm =
      curve === "Ed25519" ? { name: "Ed25519" } : { name: "ECDSA", hash: "SHA-384" };
    const ours = portable.importPrivateKey(pkcs8Of(pair.privateKey));
    expect(ours.publicKey.spki).toEqual(spkiOf(pair.publicKey));
    const signature = ours.sign(how, MESSAGE);
    expect(node.importPublicKey(spkiOf(pair.publicKey)).verify(how, signature, MESSAGE)).toBe(true);
    const exported = createPrivateKey({
      key: Buffer.from(ours.export() as Uint8Array),
      format: "der",
      type: "pkcs8",
    });
    expect(exported.equals(pair.privateKey)).toBe(true);
    expect(() => ours.sign(PKCS1, MESSAGE)).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_ALGORITHM" }),
    );
  });
  it("RSA is refused", () => {
    const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
    expect(() => portable.importPrivateKey(pkcs8Of(privateKey))).toThrow(
      expect.objectContaining({ code: "UNSUPPORTED_ALGORITHM" }),
    );
  });
});

describe("an RSA-PSS signature that begins with zero", () => {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 1024 });
  const how: SignatureAlgorithm = { name: "RSA-PSS", hash: "SHA-256", saltLength: 32 };
  /** One signature in 256 or so begins with zero; in 8,192, one that does not come up is no chance. */
  const found = Array.from({ length: 8192 }).reduce<Uint8Array | undefined>(
    (before) =>
      before ??
      zeroFirst(
        sign("sha256", MESSAGE, {
          key: privateKey,
          padding: constants.RSA_PKCS1_PSS_PADDING,
          saltLength: 32,
        }),
      ),
    undefined,
  );

  it.each([
    ["node", node],
    ["portable", portable],
  ])("is refused by %s without that zero", (_, crypto) => {
    const signature = found ?? new Uint8Array(0);
    const key = crypto.importPublicKey(spkiOf(publicKey));
    expect(key.verify(how, signature, MESSAGE)).toBe(true);
    expect(key.verify(how, signature.subarray(1), MESSAGE)).toBe(false);
  });
});

function zeroFirst(signature: Uint8Array): Uint8Array | undefined {
  return signature[0] === 0 ? new Uint8Array(signature) : undefined;
}
