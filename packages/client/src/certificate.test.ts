// SPDX-License-Identifier: Apache-2.0
// What the client takes for a certificate, and what it does not. Against the real CA: packages/broker.

import { fromUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import { issueCertificate } from "@adyton/core/issue";
import { toPem } from "@adyton/core/pem";
import { codeOf, codeOfAsync } from "@adyton/testing";
import { beforeAll, describe, expect, it } from "vitest";
import { type CertificateKey, certificateKey, issueCall, issuedIn } from "./certificate.ts";
import { newTeeKeyPair } from "./tee-key.ts";
import type { Answer } from "./wire.ts";

const ID = "spiffe://example.org/payments/api";
const ASKED = { identity: "payments/api" };
const ROOT = [["CN", "root"]] as const;

let own: CertificateKey;
let rootKey: PrivateKey;
let otherKey: PrivateKey;

beforeAll(async () => {
  own = await certificateKey(await newTeeKeyPair(true));
  [rootKey, otherKey] = await Promise.all([
    defaultCrypto.generateKey({ name: "EC", curve: "P-384" }),
    defaultCrypto.generateKey({ name: "EC", curve: "P-384" }),
  ]);
});

const TIMES = { notBefore: new Date("2026-03-01"), notAfter: new Date("2026-03-02") };

async function root(key: PrivateKey): Promise<Uint8Array> {
  const template = { subject: ROOT, spki: key.publicKey.spki, serial: "01", ca: {}, ...TIMES };
  return issueCertificate(template, { key, name: ROOT });
}

async function leaf(uris: readonly string[], spki: Uint8Array, key: PrivateKey): Promise<Uint8Array> {
  const names = uris.map((uri) => encodeDer.value(0x86, fromUtf8(uri)));
  const extensions = uris.length === 0 ? [] : [{ oid: "2.5.29.17", value: encodeDer.sequence(...names) }];
  return issueCertificate({ subject: [], spki, serial: "02", extensions, ...TIMES }, { key, name: ROOT });
}

function pem(...certificates: readonly Uint8Array[]): Answer {
  const text = certificates.map((der) => toPem("CERTIFICATE", der)).join("");
  return { headers: new Headers(), bytes: fromUtf8(text) };
}

const answerOf = async (uris: readonly string[] = [ID], spki = own.key.publicKey.spki, key = rootKey) =>
  pem(await leaf(uris, spki, key));

describe("issuedIn", () => {
  it("takes a certificate for the key and the identity, signed by a root that came with it", async () => {
    const roots = pem(await root(otherKey), await root(rootKey));
    const got = await issuedIn(await answerOf(), roots, ASKED, own);
    expect(got).toMatchObject({ spiffeId: ID, notAfter: TIMES.notAfter, privateKey: own.pem });
    expect(fromUtf8(got.roots)).toEqual(roots.bytes);
  });

  it("hands on the certificates alone, not what stood between", async () => {
    const answer = await answerOf();
    const noisy = { ...answer, bytes: Uint8Array.from([...fromUtf8("hello\n"), ...answer.bytes]) };
    const got = await issuedIn(noisy, pem(await root(rootKey)), ASKED, own);
    expect(fromUtf8(got.certificate)).toEqual(answer.bytes);
  });

  it.each<readonly [what: string, answer: () => Promise<Answer>]>([
    ["another key", () => answerOf([ID], otherKey.publicKey.spki)],
    ["another identity", () => answerOf(["spiffe://example.org/payments/admin"])],
    ["a longer identity", () => answerOf(["spiffe://example.org/x/payments/api"])],
    ["two identities", () => answerOf([ID, "spiffe://example.org/admin"])],
    ["no identity", () => answerOf([])],
    ["an address of another kind", () => answerOf(["https://example.org/payments/api"])],
    ["another signer", () => answerOf([ID], own.key.publicKey.spki, otherKey)],
    ["nothing", async () => pem()],
    ["no certificate", async () => pem(fromUtf8("hello"))],
  ])("refuses %s", async (_, answer) => {
    const roots = pem(await root(rootKey));
    const got = await answer();
    expect(await codeOfAsync(() => issuedIn(got, roots, ASKED, own))).toBe("INVALID_ANSWER");
  });

  it("refuses roots that are none", async () => {
    const answer = await answerOf();
    expect(await codeOfAsync(() => issuedIn(answer, pem(), ASKED, own))).toBe("INVALID_ANSWER");
  });

  it("compares no key where the caller brought a request", async () => {
    const answer = await answerOf([ID], otherKey.publicKey.spki);
    const got = await issuedIn(answer, pem(await root(rootKey)), ASKED, undefined);
    expect(got).not.toHaveProperty("privateKey");
  });
});

describe("issueCall", () => {
  it("puts the identity into the path, and the DNS name into the query", () => {
    const { path } = issueCall({ ...ASKED, dns: "a&b.example.org", plugin: "mesh" }, "");
    expect(path).toBe("/kbs/v0/mesh/issue/payments/api?dns=a%26b.example.org");
  });

  it.each(["..", "CA", "", "a/b"])("refuses %j as a plugin", (plugin) => {
    expect(codeOf(() => issueCall({ ...ASKED, plugin }, ""))).toBe("INVALID_NAME");
  });
});
