// SPDX-License-Identifier: Apache-2.0
import { execFileSync, spawnSync } from "node:child_process";
import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { fromBase64Url, fromUtf8, toBase64Url, toUtf8 } from "@adyton/core/bytes";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { flattenedDecrypt } from "jose";
import { describe, expect, it } from "vitest";
import { encryptTo, type Jwe, parseTeeKey } from "./jwe.ts";

interface Pair {
  readonly jwk: JsonObject;
  readonly privateKey: KeyObject;
}

const ec = (namedCurve: string): Pair => exported(generateKeyPairSync("ec", { namedCurve }));
const rsa = (modulusLength: number): Pair => exported(generateKeyPairSync("rsa", { modulusLength }));

function exported(pair: { publicKey: KeyObject; privateKey: KeyObject }): Pair {
  return { jwk: pair.publicKey.export({ format: "jwk" }) as JsonObject, privateKey: pair.privateKey };
}

const PAIRS: Readonly<Record<string, Pair>> = {
  "P-256": ec("P-256"),
  "P-384": ec("P-384"),
  "P-521": ec("P-521"),
  RSA: rsa(2048),
};
const SECRET = fromUtf8("open sesame");

const algOf = (name: string): string => (name === "RSA" ? "RSA-OAEP-256" : "ECDH-ES+A256KW");
const withDebianJose = (() => {
  try {
    execFileSync("jose", ["alg"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

const PYTHON = "/usr/bin/python3";
const withPython = spawnSync(PYTHON, ["-c", "import jwcrypto"]).status === 0;
if (!withPython) console.warn("Python's jwcrypto was not found: it opens no JWE here.");

describe("a JWE", () => {
  it.each(Object.keys(PAIRS))("to %s opens with the jose library", async (name) => {
    const { jwk, privateKey } = pairOf(name);
    const opened = await flattenedDecrypt(encryptTo(parseTeeKey(jwk), SECRET), privateKey);
    expect(toUtf8(opened.plaintext)).toBe("open sesame");
    expect(opened.protectedHeader).toMatchObject({ alg: algOf(name), enc: "A256GCM" });
  });

  // Debian 12's jose cannot unwrap RSA-OAEP, not even what it wrapped itself.
  it.skipIf(!withDebianJose).each(["P-256", "P-384", "P-521"])("to %s opens with Debian's jose", (name) => {
    const { jwk, privateKey } = pairOf(name);
    const key = { ...privateKey.export({ format: "jwk" }), alg: algOf(name) };
    const jwe = encryptTo(parseTeeKey(jwk), SECRET);
    const out = execFileSync("jose", ["jwe", "dec", "-i", JSON.stringify(jwe), "-k", "-"], {
      input: JSON.stringify(key),
    });
    expect(out.toString()).toBe("open sesame");
  });

  it.skipIf(!withPython).each(["P-256", "P-521", "RSA"])("to %s opens with Python's jwcrypto", (name) => {
    const { jwk, privateKey } = pairOf(name);
    const jwe = encryptTo(parseTeeKey(jwk), SECRET);
    const program =
      "import sys,json;from jwcrypto import jwe,jwk;d=json.load(sys.stdin);t=jwe.JWE();" +
      "t.deserialize(json.dumps(d['jwe']),jwk.JWK(**d['key']));sys.stdout.buffer.write(t.payload)";
    const input = JSON.stringify({ jwe, key: privateKey.export({ format: "jwk" }) });
    expect(execFileSync(PYTHON, ["-c", program], { input }).toString()).toBe("open sesame");
  });

  it("carries any plaintext", async () => {
    const { jwk, privateKey } = pairOf("P-256");
    const key = parseTeeKey(jwk);
    const property = fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (plaintext) => {
      const opened = await flattenedDecrypt(encryptTo(key, plaintext), privateKey);
      expect([...opened.plaintext]).toEqual([...plaintext]);
    });
    await fc.assert(property, { numRuns: 25 });
  });

  it("writes the header in the order that the Rust client authenticates", () => {
    const text = headerText(encryptTo(parseTeeKey(pairOf("P-256").jwk), SECRET));
    expect(text).toMatch(
      /^\{"alg":"ECDH-ES\+A256KW","enc":"A256GCM","epk":\{"crv":"P-256","kty":"EC","x":"[\w-]{43}","y":"[\w-]{43}"\}\}$/,
    );
    expect(headerText(encryptTo(parseTeeKey(pairOf("RSA").jwk), SECRET))).toBe(
      '{"alg":"RSA-OAEP-256","enc":"A256GCM"}',
    );
  });

  it("never repeats key, nonce or ciphertext", () => {
    const key = parseTeeKey(pairOf("P-256").jwk);
    const jwes = Array.from({ length: 20 }, () => encryptTo(key, SECRET));
    for (const member of ["protected", "encrypted_key", "iv", "ciphertext"] as const)
      expect(new Set(jwes.map((jwe) => jwe[member])).size).toBe(20);
  });

  it.each(["protected", "encrypted_key", "iv", "ciphertext", "tag"] as const)(
    "with a changed %s does not open",
    async (member) => {
      const { jwk, privateKey } = pairOf("P-256");
      const jwe = encryptTo(parseTeeKey(jwk), SECRET);
      const bytes = fromBase64Url(jwe[member]);
      bytes[bytes.length - 3] = (bytes[bytes.length - 3] ?? 0) ^ 1;
      await expect(flattenedDecrypt({ ...jwe, [member]: toBase64Url(bytes) }, privateKey)).rejects.toThrow();
    },
  );

  it("does not open with another key", async () => {
    const jwe = encryptTo(parseTeeKey(pairOf("P-256").jwk), SECRET);
    await expect(flattenedDecrypt(jwe, ec("P-256").privateKey)).rejects.toThrow();
  });
});

describe("a TEE key", () => {
  const good = pairOf("P-256").jwk;
  const goodRsa = pairOf("RSA").jwk;
  const offCurve = toBase64Url(new Uint8Array(32).fill(1));

  it.each<[rule: string, jwk: JsonValue]>([
    ["is an object", "key"],
    ["is EC or RSA", { kty: "oct", k: "AAAA" }],
    ["is no OKP", { kty: "OKP", crv: "X25519", x: offCurve }],
    ["holds no private member", pairOf("P-256").privateKey.export({ format: "jwk" }) as JsonObject],
    ["holds no unknown member", { ...good, x5c: [] }],
    ["lies on a NIST curve", { ...good, crv: "secp256k1" }],
    ["is a point of its curve", { ...good, y: offCurve }],
    ["has coordinates of full width", { ...good, x: "AAAA" }],
    ["has text coordinates", { ...good, x: 5 }],
    ["is for ECDH-ES+A256KW when EC", { ...good, alg: "ECDH-ES" }],
    ["is not for RSA1_5", { ...goodRsa, alg: "RSA1_5" }],
    ["is not for SHA-1 OAEP", { ...goodRsa, alg: "RSA-OAEP" }],
    ["has n", { kty: "RSA", e: "AQAB" }],
    ["has a short exponent", { ...goodRsa, e: "AQABAQABAQAB" }],
    ["has at least 2048 bits", rsa(1024).jwk],
    ["has at most 4096 bits", { ...goodRsa, n: "A".repeat(1100) }],
  ])("%s", (_rule, jwk) => {
    expect(codeOf(() => parseTeeKey(jwk))).toBe("UNSUPPORTED_TEE_KEY");
  });

  it("is for RSA1_5 where that is taken, and then opens with it", () => {
    const { jwk, privateKey } = pairOf("RSA");
    const key = parseTeeKey({ ...jwk, alg: "RSA1_5" }, { rsa15: true });
    const jwe = encryptTo(key, SECRET);
    expect(headerText(jwe)).toBe('{"alg":"RSA1_5","enc":"A256GCM"}');
    if (withDebianJose) {
      const input = JSON.stringify({ ...privateKey.export({ format: "jwk" }), alg: "RSA1_5" });
      const out = execFileSync("jose", ["jwe", "dec", "-i", JSON.stringify(jwe), "-k", "-"], { input });
      expect(out.toString()).toBe("open sesame");
    }
    expect(codeOf(() => parseTeeKey({ ...jwk, alg: "RSA1_5" }))).toBe("UNSUPPORTED_TEE_KEY");
    expect(codeOf(() => parseTeeKey({ ...jwk, alg: "RSA-OAEP" }, { rsa15: true }))).toBe(
      "UNSUPPORTED_TEE_KEY",
    );
  });

  it("may name its algorithm, use and id", () => {
    expect(parseTeeKey({ ...good, alg: "ECDH-ES+A256KW", use: "enc", kid: "1" }).alg).toBe("ECDH-ES+A256KW");
    expect(parseTeeKey({ ...goodRsa, alg: "RSA-OAEP-256" }).alg).toBe("RSA-OAEP-256");
  });

  it("is named by its RFC 7638 thumbprint", () => {
    // The example of RFC 7638 section 3.1.
    const n =
      "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    expect(parseTeeKey({ kty: "RSA", n, e: "AQAB", alg: "RSA-OAEP-256" }).thumbprint).toBe(
      "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    );
  });
});

function pairOf(name: string): Pair {
  const pair = PAIRS[name];
  if (pair === undefined) throw new TypeError(`no pair ${name}`);
  return pair;
}

function headerText(jwe: Jwe): string {
  return toUtf8(fromBase64Url(jwe.protected));
}
