// SPDX-License-Identifier: Apache-2.0
// Reference integrity manifests: signatures, the XML that is taken and that is not, and comparison with reports.

import { toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { type VerifiedEvidence, verifyEvidence } from "@adyton/evidence";
import {
  compareRims,
  parseRim,
  type RimMeasurement,
  rimReferenceValues,
  type VerifiedRim,
  verifyRim,
} from "@adyton/evidence/nvidia";
import { codeOf, codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { RimOptions } from "./rim.ts";
import { createNvidiaVendor, type NvidiaReportOptions } from "./vendor.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const after = (days: number): Date => new Date(AT.getTime() + days * 24 * 60 * 60 * 1000);

const vendor = await createNvidiaVendor({ at: AT });
const gpu = await vendor.device();
const roots = [vendor.rims.root.certificate];

/** What the simulated GPU measures at an index of a manifest. */
const good = (index: number): string => toHex(new Uint8Array(48).fill(index));
const measurement = (index: number, change: Partial<RimMeasurement> = {}): RimMeasurement => ({
  index,
  active: true,
  name: `Measurement_${index}`,
  values: [good(index)],
  ...change,
});

const verified = async (options: RimOptions = {}): Promise<VerifiedRim> =>
  verifyRim(await vendor.rims.manifest(options), { now: AT, roots });
const evidence = async (report: NvidiaReportOptions = {}): Promise<VerifiedEvidence> =>
  verifyEvidence(await gpu.report(report), {
    now: AT,
    roots: [vendor.root.certificate],
    endorsements: vendor.endorsements({ certificates: gpu.chain }),
  });

describe("a signed manifest", () => {
  const measurements = [measurement(1), measurement(12, { values: ["AB".repeat(48), "00".repeat(48)] })];

  it("verifies, and says what it measures", async () => {
    const rim = await verified({ measurements, version: "1.0" });
    expect(rim).toMatchObject({ name: "GH100", edition: "GPU", version: "1.0", trust: { simulated: true } });
    expect(rim.measurements[1]?.values).toEqual(["ab".repeat(48), "00".repeat(48)]);
    expect(rimReferenceValues(rim)).toEqual({
      "Adyton_Simulator.GPU.measurement_1": [good(1)],
      "Adyton_Simulator.GPU.measurement_12": ["ab".repeat(48)],
    });
  });

  it("may be written in another form that means the same", async () => {
    const text = await vendor.rims.manifest({ measurements });
    const other = text
      .replace("<Payload>", "<Payload  >")
      .replace(/<Meta ([^>]*)><\/Meta>/, "<Meta\n$1 />")
      .replace(/name="Measurement_1"/, "name='Measurement&#95;1'")
      .replace(/<ds:X509Certificate>/g, "<!-- one more --><ds:X509Certificate>\r\n");
    await verifyRim(`\uFEFF<?xml version="1.0" encoding="UTF-8"?>\n<!-- signed -->${other}\n`, {
      now: AT,
      roots,
    });
  });

  it.each<readonly [string, RimOptions, string]>([
    ["signed by another key", { key: vendor.root.key }, "INVALID_RIM_SIGNATURE"],
    [
      "with another digest's name",
      { editInfo: (i) => i.replace("more#sha384", "more#sha512") },
      "INVALID_RIM_SIGNATURE",
    ],
    [
      "with another signature's name",
      { editInfo: (i) => i.replace("ecdsa-sha384", "ecdsa-sha256") },
      "INVALID_RIM_SIGNATURE",
    ],
    [
      "with another canonical form",
      { editInfo: (i) => i.replace("xml-c14n11", "xml-c14n12") },
      "INVALID_RIM_SIGNATURE",
    ],
    [
      "with a reference to a part",
      { editInfo: (i) => i.replace('URI=""', 'URI="#part"') },
      "INVALID_RIM_SIGNATURE",
    ],
    [
      "with one transform left out",
      {
        editInfo: (i) => i.replace(/<ds:Transform Algorithm="[^"]*c14n11">/, '<ds:Transform Algorithm="x">'),
      },
      "INVALID_RIM_SIGNATURE",
    ],
    [
      "with parameters of a transform",
      {
        editInfo: (i) =>
          i.replace(/(c14n11">)(<\/ds:Transform>)/, '$1<x:InclusiveNamespaces xmlns:x="urn:x"/>$2'),
      },
      "INVALID_RIM_SIGNATURE",
    ],
    [
      "with a digest by SHA-1",
      {
        editInfo: (i) =>
          i.replace(
            "http://www.w3.org/2001/04/xmldsig-more#sha384",
            "http://www.w3.org/2000/09/xmldsig#sha1",
          ),
      },
      "INVALID_RIM_SIGNATURE",
    ],
    [
      "with a canonical form that keeps comments",
      { editInfo: (i) => i.replace(/xml-c14n11"><\/ds:Canon/, 'xml-c14n11#WithComments"></ds:Canon') },
      "INVALID_RIM_SIGNATURE",
    ],
    ["with two references", { editInfo: (i) => i.replace(/<ds:Reference.*/, "$&$&") }, "INVALID_RIM"],
    ["with no certificate", { certificates: [] }, "INVALID_RIM"],
    [
      "with seven certificates",
      { certificates: Array.from({ length: 7 }, () => vendor.rims.root.certificate) },
      "INVALID_RIM",
    ],
    ["signed by an expired key", { signer: { notAfter: after(-1) } }, "CERTIFICATE_EXPIRED"],
    ["signed by a CA", { signer: { ca: {} } }, "INVALID_RIM_SIGNATURE"],
    ["signed by a key for something else", { signer: { keyUsage: [4] } }, "INVALID_RIM_SIGNATURE"],
    ["signed under the devices' root", { signer: { issuer: vendor.root } }, "ISSUER_NOT_FOUND"],
  ])("is refused %s", async (_name, options, code) => {
    expect(await codeOfAsync(() => verified({ measurements, ...options }))).toBe(code);
  });

  it("is refused unless its root is named, unsigned, or at no time", async () => {
    const text = await vendor.rims.manifest({ measurements });
    expect(await codeOfAsync(() => verifyRim(text, { now: AT }))).toBe("NO_TRUST_ANCHOR");
    expect(await codeOfAsync(() => verifyRim(text, { now: new Date(Number.NaN), roots }))).toBe(
      "INVALID_TIME",
    );
    const unsigned = text.replace(/<ds:Signature.*<\/ds:Signature>/, "");
    expect(await codeOfAsync(() => verifyRim(unsigned, { now: AT, roots }))).toBe("INVALID_RIM");
    expect(parseRim(unsigned).measurements).toHaveLength(2);
  });

  it.each<readonly [string, string, (text: string) => string]>([
    ["a tag around the signed one", "INVALID_RIM", (text) => `<a>${text}</a>`],
    [
      "a tag around the signed one that has its signature",
      "INVALID_RIM_SIGNATURE",
      (text) => {
        const [signature = ""] = /<ds:Signature .*<\/ds:Signature>/.exec(text) ?? [];
        const open = text.slice(0, text.indexOf(">") + 1);
        return `${open}${text.replace(signature, "")}${signature}</SoftwareIdentity>`;
      },
    ],
    [
      "the signature twice",
      "INVALID_RIM",
      (text) => text.replace(/<ds:Signature .*<\/ds:Signature>/, "$&$&"),
    ],
    [
      "the signature within another",
      "INVALID_RIM",
      (text) =>
        text.replace(
          /(<ds:Signature [^>]*>)(.*<\/ds:Signature>)/,
          "$1<ds:Object>$1$2</ds:Object></ds:Signature>",
        ),
    ],
    [
      "another payload, and the signed one in the signature",
      "INVALID_RIM_SIGNATURE",
      (text) =>
        text
          .replace(/<Payload>.*<\/Payload>/, "<Payload></Payload>")
          .replace("</ds:Signature>", `<ds:Object>${text}</ds:Object></ds:Signature>`),
    ],
    ["text beside its elements", "INVALID_RIM_SIGNATURE", (text) => text.replace("<Payload>", "<Payload>a")],
    [
      "a namespace more",
      "INVALID_RIM_SIGNATURE",
      (text) => text.replace("<SoftwareIdentity ", '<SoftwareIdentity xmlns:z="urn:z" '),
    ],
    [
      "what was signed in a comment",
      "INVALID_RIM_SIGNATURE",
      (text) => text.replace('index="1"', 'index="2"').replace("</Payload>", '<!-- index="1" --></Payload>'),
    ],
  ])("is refused with %s", async (_name, code, change) => {
    const text = await vendor.rims.manifest({ measurements });
    expect(change(text)).not.toBe(text);
    expect(await codeOfAsync(() => verifyRim(change(text), { now: AT, roots }))).toBe(code);
  });

  it("is refused with anything changed that means something", { timeout: 60_000 }, async () => {
    const text = await vendor.rims.manifest({ measurements });
    // What follows is certificates: a copy of the root that came along may be anything, the named one counts.
    const end = text.indexOf("<ds:KeyInfo>");
    for (let at = 0; at < end; at += 13) {
      const changed = `${text.slice(0, at)}${text[at] === "0" ? "1" : "0"}${text.slice(at + 1)}`;
      try {
        await verifyRim(changed, { now: AT, roots });
        expect.unreachable(`character ${at} changed nothing`);
      } catch (error) {
        expect(error).toBeInstanceOf(AdytonError);
      }
    }
  });
});

describe("the XML that is taken", () => {
  const swid = (inside: string, head = ""): string =>
    `${head}<SoftwareIdentity xmlns="http://standards.iso.org/iso/19770/-2/2015/schema.xsd" name="n">${inside}</SoftwareIdentity>`;
  it.each([
    ["nothing", ""],
    ["a document type", swid("", "<!DOCTYPE a>")],
    ["a processing instruction", swid("<?a?>")],
    ["CDATA", swid("<![CDATA[a]]>")],
    ["another version of XML", swid("", '<?xml version="1.1"?>')],
    ["another encoding", swid("", '<?xml version="1.0" encoding="UTF-16"?>')],
    ["a declaration that is none", swid("", '<?XML version="1.0"?>')],
    ["an unknown entity", swid("<a>&b;</a>")],
    ["an entity by the name of what every object has", swid("<a>&constructor;</a>")],
    ["a control character", swid("<a>\u0000</a>")],
    ["half a character", swid("<a>\uD800</a>")],
    ["a character that is none, unwritten", swid("<a>\uFFFE</a>")],
    ["a character that is none, by reference", swid("<a>&#xFFFF;</a>")],
    ["an entity that does not end", swid("<a>&amp</a>")],
    ["a character that is none", swid("<a>&#xD800;</a>")],
    ["]]> in text", swid("<a>]]></a>")],
    ["an attribute twice", swid('<a b="1" b="2"/>')],
    ["an attribute twice by two prefixes", swid('<a xmlns:x="u" xmlns:y="u" x:b="1" y:b="2"/>')],
    ["an attribute with <", swid('<a b="<"/>')],
    ["an attribute without quotes", swid("<a b=1/>")],
    ["attributes without space between", swid('<a b="1"c="2"/>')],
    ["a prefix that is not declared", swid("<a:b/>")],
    ["a prefix that is taken back", swid('<a xmlns:x=""/>')],
    ["an xml: attribute", swid('<a xml:lang="en"/>')],
    ["the prefix xml for something else", swid('<a xmlns:xml="urn:a"/>')],
    ["the prefix xmlns", swid('<a xmlns:xmlns="urn:a"/>')],
    ["XML's namespace by another prefix", swid('<a xmlns:x="http://www.w3.org/XML/1998/namespace"/>')],
    ["the namespace of declarations", swid('<a xmlns:x="http://www.w3.org/2000/xmlns/"/>')],
    ["a relative namespace", swid('<a xmlns:x="a/b"/>')],
    ["a namespace that has to be escaped", swid('<a xmlns:x="urn:a&amp;b"/>')],
    ["a long namespace", swid(`<a xmlns:x="urn:${"a".repeat(300)}"/>`)],
    [
      "many namespaces",
      swid(`<a ${Array.from({ length: 32 }, (_, i) => `xmlns:p${i}="urn:a"`).join(" ")}/>`),
    ],
    ["tags that cross", swid("<a><b></a></b>")],
    ["an element that does not end", "<a><b></b>"],
    ["a comment that does not end", swid("<!-- a")],
    ["a comment with --", swid("<!-- a -- b -->")],
    ["something after the root", `${swid("")}a`],
    ["a name that is none", swid("<1/>")],
    ["depth", `${"<a>".repeat(40)}${"</a>".repeat(40)}`],
    ["nodes", swid("<a/>".repeat(20_001))],
    ["attributes", swid(`<a ${Array.from({ length: 321 }, (_, i) => `b${i}=""`).join(" ")}/>`)],
    ["length", " ".repeat(5 * 1024 * 1024)],
    ["another root", "<a/>"],
    ["no metadata", swid("<Payload/>")],
  ])("is not that with %s", (_name, text) => {
    expect(codeOf(() => parseRim(text))).toBe("INVALID_RIM");
  });

  it.each<readonly [string, RimMeasurement[] | string]>([
    ["a measurement twice", [measurement(1), measurement(1)]],
    ["a value that is no hex", [measurement(1, { values: ["zz"] })]],
    ["values of two sizes", [measurement(1, { values: ["00", "0000"] })]],
    ["too many values", [measurement(1, { values: Array.from({ length: 257 }, () => "00") })]],
    ["an index that is none", 'index="x"'],
    ["an activity that is none", 'active="maybe"'],
    ["no size", 'nosize="1"'],
  ])("is not that with %s", async (_name, what) => {
    const measurements = typeof what === "string" ? [measurement(7)] : what;
    const text = await vendor.rims.manifest({ measurements });
    const attribute = typeof what === "string" ? (what.split("=")[0] ?? "").replace("no", "") : "";
    const changed = typeof what === "string" ? text.replace(new RegExp(`${attribute}="[^"]*"`), what) : text;
    expect(codeOf(() => parseRim(changed))).toBe("INVALID_RIM");
  });

  it("has room for all the values that a measurement may have", async () => {
    const values = Array.from({ length: 256 }, () => "00");
    const text = await vendor.rims.manifest({ measurements: [measurement(1, { values })] });
    expect(parseRim(text).measurements[0]?.values).toHaveLength(256);
  });

  it("gives typed errors only", async () => {
    const text = await vendor.rims.manifest({ measurements: [measurement(1)] });
    fc.assert(
      fc.property(fc.nat(text.length), fc.nat(40), fc.string({ maxLength: 20 }), (at, length, noise) => {
        codeOf(() => parseRim(text.slice(0, at) + noise + text.slice(at + length)));
      }),
    );
  });
});

describe("comparison with a report", async () => {
  const driver = await verified({
    edition: "Driver",
    version: "570.0.0",
    measurements: [measurement(2), measurement(3)],
  });
  const vbios = await verified({
    measurements: [
      measurement(0),
      measurement(5, { values: ["ff".repeat(48), good(5)] }),
      measurement(9, { active: false, values: ["00"] }),
    ],
  });

  it("is good when every active measurement is one of its values", async () => {
    expect(compareRims(await evidence(), { driver, vbios })).toEqual({
      ok: true,
      compared: 4,
      mismatches: [],
      conflicts: [],
      versions: { driver: true, vbios: true },
    });
  });

  it.each<readonly [string, RimOptions, object]>([
    [
      "another value",
      { measurements: [measurement(5, { values: ["ff".repeat(48)] })] },
      {
        mismatches: [
          { index: 5, source: "vbios", name: "Measurement_5", found: good(5), expected: ["ff".repeat(48)] },
        ],
      },
    ],
    [
      "a measurement that the report has not",
      { measurements: [measurement(64)] },
      { mismatches: [{ found: undefined }] },
    ],
    ["an index that the driver claims too", { measurements: [measurement(3)] }, { conflicts: [3] }],
    ["another version", { version: "96.00.9F.00.02" }, { versions: { driver: true, vbios: false } }],
  ])("is not good with %s", async (_name, options, found) => {
    const other = await verified(options);
    expect(compareRims(await evidence(), { driver, vbios: other })).toMatchObject({ ok: false, ...found });
  });

  it("is not good when nothing was compared, and leaves a disabled decoder out", async () => {
    const none = await verified({ edition: "Driver", version: "570.0.0" });
    const decoder = await verified({ measurements: [measurement(35, { values: ["ff".repeat(48)] })] });
    expect(compareRims(await evidence(), { driver: none, vbios: decoder }).mismatches).toHaveLength(1);
    const opaque = [
      { type: 6, data: Uint8Array.of(0, 0x9f, 0, 0x96, 1, 0, 0, 0) },
      { type: 3, data: new TextEncoder().encode("570.0.0\0") },
      { type: 20, data: gpu.fwid },
      { type: 11, data: Uint8Array.of(0x55) },
    ];
    const disabled = compareRims(await evidence({ opaque }), { driver: none, vbios: decoder });
    expect(disabled).toMatchObject({ ok: false, compared: 0, mismatches: [] });
  });

  it("takes nothing unverified", async () => {
    const report = await evidence();
    for (const act of [
      () => compareRims({ ...report }, { driver, vbios }),
      () => compareRims(report, { driver: { ...driver }, vbios }),
      () => compareRims(report, { driver, vbios: { ...vbios } }),
    ])
      expect(codeOf(act)).toBe("NOT_VERIFIED");
  });
});
