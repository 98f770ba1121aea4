// SPDX-License-Identifier: Apache-2.0
// Reference integrity manifests (TCG RIM information model as SWID tags, ISO/IEC 19770-2): what NVIDIA says a driver or a
// video BIOS measures as. The signature (XML Signature 1.1, enveloped) is checked; an unsigned manifest is nobody's word.

import { equal, fromBase64 } from "@adyton/core/bytes";
import { verifyChain } from "@adyton/core/chain";
import { type SignatureAlgorithm, type VerifyingCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { type Certificate, KEY_USAGE, parseCertificate, publicKeyOf } from "@adyton/core/x509";
import { selectAnchors, trustOf } from "../anchors.ts";
import { EvidenceError } from "../errors.ts";
import type { VerifyOptions } from "../scheme.ts";
import { checkTime } from "../time.ts";
import type { Trust } from "../verified.ts";
import { canonicalXml } from "./c14n.ts";
import { attributeOf, elementOf, elementsOf, invalidRim, parseXml, textOf, type XmlElement } from "./xml.ts";

/** SHA-256 of "NVIDIA CoRIM signing Root CA", which signs manifests and no devices. */
const NVIDIA_RIM_ROOTS: ReadonlySet<string> = new Set([
  "12977b5115acb0381179279fffeb5a8c4d264971ebb32298023a465fa41df5d1",
]);

/** What one measurement may be. */
export interface RimMeasurement {
  /** From 0; the index in a report is one more. */
  readonly index: number;
  /** Inactive ones are not compared. */
  readonly active: boolean;
  readonly name: string;
  /** Lower-case hex, any of which is good. */
  readonly values: readonly string[];
}

export interface Rim {
  /** Of the tag: GH100, or the driver's name. */
  readonly name: string;
  readonly manufacturer: string;
  /** Part of reference ids: "GPU" for a video BIOS. */
  readonly edition: string;
  readonly product: string;
  /** Of the driver or video BIOS. */
  readonly version: string;
  readonly measurements: readonly RimMeasurement[];
}

declare const brand: unique symbol;

/** A manifest whose signature was verified. Only `verifyRim` makes one. */
export interface VerifiedRim extends Rim {
  readonly [brand]: true;
  readonly trust: Trust;
  /** Who signed it. */
  readonly signer: Certificate;
  /** Until when its certificates hold. */
  readonly validUntil: Date;
}

const SWID = "http://standards.iso.org/iso/19770/-2/2015/schema.xsd";
const RIMIM =
  "https://trustedcomputinggroup.org/resource/tcg-reference-integrity-manifest-rim-information-model/";
const SHA384_HASH = "http://www.w3.org/2001/04/xmlenc#sha384";
const DSIG = "http://www.w3.org/2000/09/xmldsig#";
const ENVELOPED = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
const C14N_11 = "http://www.w3.org/2006/12/xml-c14n11";
const ECDSA_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha384";
const DIGEST_SHA384 = "http://www.w3.org/2001/04/xmldsig-more#sha384";
const SIGNATURE: SignatureAlgorithm = { name: "ECDSA", hash: "SHA-384" };
const MAX_CERTIFICATES = 6;
const MAX_VALUES = 256;
const genuine = new WeakSet<object>();

/**
 * Establishes that NVIDIA published a manifest. The chain of its signer travels in it; whether one of these is revoked is
 * not checked. Throws `INVALID_RIM`, `INVALID_RIM_SIGNATURE`, `INVALID_TIME`, or an
 * error of `@adyton/core` about the chain.
 */
export async function verifyRim(
  text: string,
  options: Pick<VerifyOptions, "now" | "roots" | "crypto">,
): Promise<VerifiedRim> {
  const { now, roots = [], crypto = verifyingCrypto } = options;
  checkTime(now, "manifest");
  const root = parseXml(text);
  const signature = elementOf(root, DSIG, "Signature");
  const [signer, ...issuers] = certificatesOf(signature);
  if (signer === undefined) throw invalidRim("no certificate of its signer came along");
  const anchors = await selectAnchors(issuers, NVIDIA_RIM_ROOTS, roots, crypto);
  const chain = await verifyChain({
    leaf: signer,
    pool: issuers,
    anchors: anchors.map(({ certificate }) => certificate),
    at: now,
    crls: "unchecked",
    crypto,
    maxLength: MAX_CERTIFICATES,
  });
  const anchor = chain.certificates.at(-1);
  if (anchor === undefined || anchor === signer || signer.isCa || !maySign(signer)) {
    throw refuseSignature(`${signer.subject.text} may not sign manifests`);
  }
  await checkSignature(root, signature, signer, crypto);
  const fields: Omit<VerifiedRim, typeof brand> = {
    ...readRim(root),
    trust: trustOf(anchors, anchor),
    signer,
    validUntil: chain.validUntil,
  };
  const verified = Object.freeze({ ...fields }) as VerifiedRim;
  genuine.add(verified);
  return verified;
}

/** Throws `NOT_VERIFIED` unless `rim` came from `verifyRim`. */
export function assertRim(rim: VerifiedRim): void {
  if (!genuine.has(rim)) {
    throw new EvidenceError("NOT_VERIFIED", "misuse", "Cannot use manifest: it did not come from verifyRim");
  }
}

/** A manifest as it stands. Nothing is verified. Throws `INVALID_RIM`. */
export function parseRim(text: string): Rim {
  return readRim(parseXml(text));
}

/**
 * The manifest's values under Trustee's reference ids, `NVIDIA_Corporation.GPU.measurement_12`, without those that are
 * all zeros. Of an unverified manifest they are the word of whoever gave it.
 */
export function rimReferenceValues(rim: Rim): Readonly<Record<string, readonly string[]>> {
  const prefix = `${rim.manufacturer.replaceAll(" ", "_")}.${rim.edition}`;
  const entries = rim.measurements.map(({ index, values }) => [
    `${prefix}.measurement_${index}`.replaceAll("-", "_"),
    values.filter((value) => !/^0+$/.test(value)),
  ]);
  return Object.fromEntries(entries.filter(([, values]) => (values?.length ?? 0) > 0));
}

function readRim(root: XmlElement): Rim {
  if (root.space !== SWID || root.local !== "SoftwareIdentity") throw invalidRim("its root is no SWID tag");
  const meta = elementOf(root, SWID, "Meta");
  const demanded = (element: XmlElement, space: string, local: string): string => {
    const value = attributeOf(element, space, local);
    if (value === undefined) throw invalidRim(`${element.name} has no ${local}`);
    return value;
  };
  const measurements = new Map<number, RimMeasurement>();
  for (const resource of elementsOf(elementOf(root, SWID, "Payload"), SWID, "Resource")) {
    if (attributeOf(resource, "", "type") !== "Measurement") continue;
    const measurement = readMeasurement(resource, (local) => demanded(resource, "", local));
    if (measurements.has(measurement.index))
      throw invalidRim(`measurement ${measurement.index} is there twice`);
    measurements.set(measurement.index, measurement);
  }
  return {
    name: demanded(root, "", "name"),
    manufacturer: demanded(meta, RIMIM, "PlatformManufacturerStr"),
    edition: demanded(meta, "", "edition"),
    product: demanded(meta, "", "product"),
    version: demanded(meta, "", "colloquialVersion"),
    measurements: [...measurements.values()],
  };
}

function readMeasurement(resource: XmlElement, demanded: (local: string) => string): RimMeasurement {
  const [index, size, alternatives] = ["index", "size", "alternatives"].map((local) => {
    const text = demanded(local);
    if (!/^(0|[1-9][0-9]{0,2})$/.test(text)) throw invalidRim(`${local} of a measurement is ${text}`);
    return Number(text);
  }) as [number, number, number];
  if (alternatives > MAX_VALUES) throw invalidRim(`measurement ${index} has ${alternatives} values`);
  const values = Array.from({ length: alternatives }, (_, i) => {
    const value = attributeOf(resource, SHA384_HASH, `Hash${i}`);
    if (value === undefined || value.length !== 2 * size || !/^[0-9a-fA-F]*$/.test(value)) {
      throw invalidRim(`Hash${i} of measurement ${index} is not ${size} bytes in hex`);
    }
    return value.toLowerCase();
  });
  const active = demanded("active").toLowerCase();
  if (active !== "true" && active !== "false")
    throw invalidRim(`active of measurement ${index} is ${active}`);
  return { index, active: active === "true", name: demanded("name"), values };
}

function certificatesOf(signature: XmlElement): Certificate[] {
  const data = elementOf(elementOf(signature, DSIG, "KeyInfo"), DSIG, "X509Data");
  const found = elementsOf(data, DSIG, "X509Certificate");
  if (found.length > MAX_CERTIFICATES) throw invalidRim(`${found.length} certificates came along`);
  return found.map((each) => parseCertificate(binaryOf(each)));
}

/** XML Signature 1.1 section 3.2: one reference, to the whole document but the signature itself. */
async function checkSignature(
  root: XmlElement,
  signature: XmlElement,
  signer: Certificate,
  crypto: VerifyingCrypto,
): Promise<void> {
  const info = elementOf(signature, DSIG, "SignedInfo");
  const reference = elementOf(info, DSIG, "Reference");
  const transforms = elementsOf(elementOf(reference, DSIG, "Transforms"), DSIG, "Transform");
  demand("its canonicalization", algorithmOf(elementOf(info, DSIG, "CanonicalizationMethod")), C14N_11);
  demand("its signature", algorithmOf(elementOf(info, DSIG, "SignatureMethod")), ECDSA_SHA384);
  demand("its reference", attributeOf(reference, "", "URI"), "");
  demand("its transforms", transforms.map(algorithmOf).join(" "), `${ENVELOPED} ${C14N_11}`);
  demand("its digest", algorithmOf(elementOf(reference, DSIG, "DigestMethod")), DIGEST_SHA384);
  const digest = await crypto.digest("SHA-384", canonicalXml(root, signature));
  if (!equal(digest, binaryOf(elementOf(reference, DSIG, "DigestValue")))) {
    throw refuseSignature("it was changed after it was signed");
  }
  const value = binaryOf(elementOf(signature, DSIG, "SignatureValue"));
  const key = await publicKeyOf(signer, crypto);
  if (!(await key.verify(SIGNATURE, value, canonicalXml(info)))) {
    throw refuseSignature(`its signature is not by ${signer.subject.text}`);
  }
}

/** The algorithm that an element names. None of those that are taken has parameters. */
function algorithmOf(element: XmlElement): string | undefined {
  if (element.children.some((child) => typeof child !== "string")) {
    throw refuseSignature(`${element.name} has parameters, expected none`);
  }
  return attributeOf(element, "", "Algorithm");
}

function maySign(signer: Certificate): boolean {
  return signer.keyUsage === undefined || signer.keyUsage.has(KEY_USAGE.digitalSignature);
}

function demand(what: string, found: string | undefined, expected: string): void {
  if (found !== expected)
    throw refuseSignature(`${what} is by ${found ?? "nothing"}, expected ${expected || "none"}`);
}

function binaryOf(element: XmlElement): Uint8Array {
  return fromBase64(textOf(element).replace(/[ \t\r\n]+/g, ""));
}

function refuseSignature(why: string): EvidenceError {
  return new EvidenceError(
    "INVALID_RIM_SIGNATURE",
    "not-authentic",
    `Cannot accept reference integrity manifest: ${why}`,
  );
}
