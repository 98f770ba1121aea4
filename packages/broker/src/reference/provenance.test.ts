// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import {
  BUILDER,
  BUILT_DIGEST,
  type BuildChanges,
  createFakeSigstore,
  type FakeSigstore,
  ISSUER,
  SOURCE,
} from "../../test/sigstore.ts";
import {
  type ProvenanceOptions,
  parseSigstoreRoot,
  readProvenance,
  type SubjectMapping,
  type TrustedBuilder,
} from "./provenance.ts";

const TRUSTED: TrustedBuilder = {
  builder: BUILDER,
  source: SOURCE,
  identity: { issuer: ISSUER, subject: BUILDER },
};

let sigstore: FakeSigstore;
let other: FakeSigstore;
let key: PrivateKey;
let stranger: PrivateKey;

beforeAll(async () => {
  [sigstore, other] = await Promise.all([createFakeSigstore(), createFakeSigstore()]);
  key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
  stranger = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
});

const trusting = (more: Partial<ProvenanceOptions> = {}): ProvenanceOptions => ({
  sigstoreRoots: [sigstore.root],
  builders: [TRUSTED],
  ...more,
});

describe("provenance of a trusted builder", () => {
  it("gives every digest that is safe, with who vouches for it", async () => {
    const values = readProvenance(await sigstore.bundle(), trusting());
    expect(values.map(({ id, value }) => [id, value])).toEqual([
      ["workload.mjs/sha256", "ab".repeat(32)],
      ["workload.mjs/sha384", BUILT_DIGEST],
      ["image%2Frootfs.img/sha256", "cd".repeat(32)],
    ]);
    const hex = expect.stringMatching(/^[0-9a-f]{64}$/);
    expect(values[0]?.voucher).toEqual({
      kind: "provenance",
      name: BUILDER,
      keyId: hex,
      certificate: hex,
      builder: BUILDER,
      source: SOURCE,
      document: hex,
      verified: true,
    });
  });

  it("gives the digests that are asked for under the ids that are wanted", async () => {
    const subjects = [{ subject: "workload.mjs", algorithm: "sha384", id: "launch_digest" }];
    const values = readProvenance(await sigstore.bundle(), trusting({ subjects }));
    expect(values.map(({ id, value }) => [id, value])).toEqual([["launch_digest", BUILT_DIGEST]]);
  });

  it.each<readonly [string, Partial<TrustedBuilder>, BuildChanges]>([
    ["by any tag", { builder: `${BUILDER.split("@")[0]}@*` }, {}],
    ["by any identity of its workflow", { identity: { issuer: ISSUER, subject: `${SOURCE}/*` } }, {}],
    ["whose certificate names no repository", {}, { certifiedSource: null }],
    ["from a repository named in git's way", {}, { statement: sourceText(`git+${SOURCE}.git@refs/tags/v1`) }],
    ["in SLSA's version 0.2", {}, { statement: versionZeroTwo }],
  ])("is taken %s", async (_what, wanted, changes) => {
    const bundle = await sigstore.bundle(changes);
    expect(readProvenance(bundle, trusting({ builders: [{ ...TRUSTED, ...wanted }] }))).toHaveLength(3);
  });

  it("signed by a trusted key needs no log", async () => {
    const builders = [{ builder: BUILDER, source: SOURCE, key: key.publicKey.spki }];
    const values = readProvenance(await sigstore.bundle({ key }), { builders });
    expect(values[0]?.voucher).toMatchObject({ kind: "provenance", name: BUILDER, verified: true });
    expect(values[0]?.voucher.certificate).toBeUndefined();
  });
});

describe("provenance is refused", () => {
  it.each<readonly [string, BuildChanges, Partial<ProvenanceOptions>, string]>([
    ["of another builder", { builder: "https://evil.example" }, {}, "BUILDER_REFUSED"],
    ["of another repository", { source: "https://git.example/evil/kernel" }, {}, "BUILDER_REFUSED"],
    ["by another identity", { identity: `${BUILDER}1` }, {}, "BUILDER_REFUSED"],
    ["by an identity of another provider", { issuer: "https://evil.example" }, {}, "BUILDER_REFUSED"],
    [
      "certified for another repository",
      { certifiedSource: "https://git.example/evil/kernel" },
      {},
      "BUILDER_REFUSED",
    ],
    ["where no builder is trusted", {}, { builders: [] }, "BUILDER_REFUSED"],
    [
      "where the condition names no signer",
      {},
      { builders: [{ builder: BUILDER, source: SOURCE }] },
      "BUILDER_REFUSED",
    ],
    ["where no sigstore is trusted", {}, { sigstoreRoots: [] }, "PROVENANCE_SIGNATURE"],
    ["logged after its certificate ended", { logged: new Date("2026-02-02") }, {}, "PROVENANCE_SIGNATURE"],
    ["with another payload", { edit: envelope({ payload: btoa("{}") }) }, {}, "PROVENANCE_SIGNATURE"],
    ["that is no statement", { edit: envelope({ payloadType: "text/plain" }) }, {}, "INVALID_PROVENANCE"],
    ["without log entry", { edit: material({ tlogEntries: [] }) }, {}, "PROVENANCE_SIGNATURE"],
    [
      "with a certificate that is none",
      { edit: material({ certificate: { rawBytes: "AAAA" } }) },
      {},
      "INVALID_PROVENANCE",
    ],
    ["of another statement type", { statement: (all) => ({ ...all, _type: "x" }) }, {}, "INVALID_PROVENANCE"],
    [
      "of another predicate",
      { statement: (all) => ({ ...all, predicateType: "x" }) },
      {},
      "INVALID_PROVENANCE",
    ],
    ["without predicate", { statement: (all) => ({ ...all, predicate: 1 }) }, {}, "INVALID_PROVENANCE"],
    ["without subjects", { statement: (all) => ({ ...all, subject: [] }) }, {}, "INVALID_PROVENANCE"],
    ["of git commits alone", { statement: digestOf({ gitCommit: "12" }) }, {}, "INVALID_PROVENANCE"],
    ["with a short digest", { statement: digestOf({ sha256: "12" }) }, {}, "INVALID_PROVENANCE"],
    ["with two digests for one id", { statement: twice }, { subjects: mapped("a") }, "INVALID_PROVENANCE"],
    ["without the digest that is asked for", {}, { subjects: mapped("a") }, "INVALID_PROVENANCE"],
    ["that is no bundle", { edit: () => ({}) }, {}, "INVALID_PROVENANCE"],
    ["that is a list", { edit: () => [] }, {}, "INVALID_PROVENANCE"],
  ])("%s", async (_what, changes, trust, code) => {
    const bundle = await sigstore.bundle(changes);
    expect(codeOf(() => readProvenance(bundle, trusting(trust)))).toBe(code);
  });

  it("by another sigstore", async () => {
    const bundle = await other.bundle();
    expect(codeOf(() => readProvenance(bundle, trusting()))).toBe("PROVENANCE_SIGNATURE");
  });

  it.each<readonly [string, () => readonly TrustedBuilder[], string]>([
    ["that a stranger signed", () => [{ ...TRUSTED, key: key.publicKey.spki }], "PROVENANCE_SIGNATURE"],
    ["by a key where none is trusted", () => [TRUSTED], "PROVENANCE_SIGNATURE"],
    [
      "by a key that is trusted for something else",
      () => [
        { builder: BUILDER, source: `${SOURCE}s`, key: stranger.publicKey.spki },
        { builder: BUILDER, source: SOURCE, key: key.publicKey.spki },
      ],
      "BUILDER_REFUSED",
    ],
    [
      "by a key where an identity is demanded too",
      () => [{ ...TRUSTED, key: stranger.publicKey.spki }],
      "BUILDER_REFUSED",
    ],
  ])("%s", async (_what, builders, code) => {
    const bundle = await sigstore.bundle({ key: stranger });
    expect(codeOf(() => readProvenance(bundle, { builders: builders() }))).toBe(code);
  });

  it.each([
    "payload",
    "sig",
    "rawBytes",
    "signedEntryTimestamp",
    "canonicalizedBody",
    "keyId",
    // The root hash beside a checkpoint says again what the checkpoint says, and nobody reads it.
    "envelope",
  ])("when a character of its %s was changed", async (member) => {
    const text = toUtf8(await sigstore.bundle());
    const [found, content = ""] = new RegExp(`"${member}":"([^"]+)"`).exec(text) ?? [];
    const start = text.indexOf(found ?? "none") + member.length + 4;
    for (const part of [0.2, 0.5, 0.8]) {
      const place = start + Math.floor(content.length * part);
      const changed = text.slice(0, place) + (text[place] === "A" ? "B" : "A") + text.slice(place + 1);
      expect(
        codeOf(() => readProvenance(fromUtf8(changed), trusting())),
        `at ${place}`,
      ).toMatch(/^(PROVENANCE_SIGNATURE|INVALID_PROVENANCE)$/);
    }
  });

  it("whatever else it is, with a code", () => {
    fc.assert(
      fc.property(fc.oneof(fc.uint8Array(), fc.json().map(fromUtf8)), (bytes) => {
        expect(codeOf(() => readProvenance(bytes, trusting()))).toBe("INVALID_PROVENANCE");
      }),
    );
    expect(codeOf(() => readProvenance(new Uint8Array(1_048_577), trusting()))).toBe("INVALID_PROVENANCE");
  });
});

it.each<readonly [string, JsonValue]>([
  ["a list", []],
  ["another type", { mediaType: "application/json" }],
  [
    "no certificates",
    {
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
      certificateAuthorities: [{ certChain: { certificates: [{ rawBytes: "AAAA" }] } }],
    },
  ],
])("a trusted root with %s is refused", (_what, json) => {
  expect(codeOf(() => parseSigstoreRoot(json))).toBe("INVALID_PROVENANCE");
});

function envelope(change: JsonObject): (bundle: JsonObject) => JsonValue {
  return (bundle) => ({ ...bundle, dsseEnvelope: { ...(bundle.dsseEnvelope as JsonObject), ...change } });
}

function material(change: JsonObject): (bundle: JsonObject) => JsonValue {
  return (bundle) => ({
    ...bundle,
    verificationMaterial: { ...(bundle.verificationMaterial as JsonObject), ...change },
  });
}

function sourceText(source: string): (statement: JsonObject) => JsonValue {
  return (statement) => ({
    ...statement,
    predicate: {
      buildDefinition: { externalParameters: { source } },
      runDetails: { builder: { id: BUILDER } },
    },
  });
}

function versionZeroTwo(statement: JsonObject): JsonValue {
  return {
    ...statement,
    _type: "https://in-toto.io/Statement/v0.1",
    predicateType: "https://slsa.dev/provenance/v0.2",
    predicate: {
      builder: { id: BUILDER },
      invocation: { configSource: { uri: `git+${SOURCE}@refs/heads/main` } },
    },
  };
}

function digestOf(digest: JsonObject): (statement: JsonObject) => JsonValue {
  return (statement) => ({ ...statement, subject: [{ name: "a", digest }] });
}

function twice(statement: JsonObject): JsonValue {
  const subject = (byte: string) => ({ name: "a", digest: { sha256: byte.repeat(32) } });
  return { ...statement, subject: [subject("01"), subject("02")] };
}

function mapped(subject: string): readonly SubjectMapping[] {
  return [{ subject, algorithm: "sha256", id: "x" }];
}
