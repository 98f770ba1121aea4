// SPDX-License-Identifier: Apache-2.0
// The certificates that endorse SNP reports: VCEK (per chip) and VLEK (per cloud provider), and the names around them.
// VCEK Certificate and KDS Interface Specification (57230) section 3.1, table "VCEK Certificate Extensions".

import { encodeDer, parseDer, TAG } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import type { IssuedExtension } from "@adyton/core/issue";
import type { Certificate } from "@adyton/core/x509";
import { EvidenceError, unknownVersion } from "../errors.ts";
import { type Product, type ProductName, productNamed } from "./products.ts";
import { TCB_BYTES, type TcbByte } from "./tcb.ts";

export type SignerKind = "VCEK" | "VLEK";

/** What a VCEK or VLEK certificate says besides its key. */
export interface EndorsementKey {
  readonly kind: SignerKind;
  readonly certificate: Certificate;
  readonly structVersion: number;
  /** As it stands: "Milan-B0", "Genoa", "Turin". */
  readonly productName: string;
  readonly product: Product;
  /** The eight SPLs in the byte order of the product's reports. */
  readonly tcb: Uint8Array;
  /** VCEK only: 64 bytes, 8 on Turin. */
  readonly hwId: Uint8Array | undefined;
  /** VLEK only: the cloud provider, "CN=cc-us-east-2.amazonaws.com". */
  readonly cspId: string | undefined;
}

const ARC = "1.3.6.1.4.1.3704.1";
/** Of the extensions: 1 is Turin's. */
const NEWEST_STRUCT_VERSION = 1;
const OID = {
  structVersion: `${ARC}.1`,
  productName: `${ARC}.2`,
  hwId: `${ARC}.4`,
  cspId: `${ARC}.5`,
} as const;
const SPL_OID: Readonly<Record<TcbByte, string>> = {
  bootloader: `${ARC}.3.1`,
  tee: `${ARC}.3.2`,
  snp: `${ARC}.3.3`,
  spl4: `${ARC}.3.4`,
  spl5: `${ARC}.3.5`,
  spl6: `${ARC}.3.6`,
  spl7: `${ARC}.3.7`,
  microcode: `${ARC}.3.8`,
  fmc: `${ARC}.3.9`,
};
const SUBJECT_CN: Readonly<Record<SignerKind, string>> = { VCEK: "SEV-VCEK", VLEK: "SEV-VLEK" };

/** The common name of the CA under which keys of this kind stand: ASK or ASVK. */
export function issuerNameOf(kind: SignerKind, product: ProductName): string {
  return kind === "VCEK" ? `SEV-${product}` : `SEV-VLEK-${product}`;
}

/** The common name of a product's root. */
export function rootNameOf(product: ProductName): string {
  return `ARK-${product}`;
}

/** Which kind of endorsement key a certificate claims to hold; undefined for any other certificate. */
export function signerKindOf(certificate: Certificate): SignerKind | undefined {
  const { commonName } = certificate.subject;
  return commonName === SUBJECT_CN.VCEK ? "VCEK" : commonName === SUBJECT_CN.VLEK ? "VLEK" : undefined;
}

const parsed = new WeakMap<Certificate, EndorsementKey>();

/**
 * Reads a VCEK or VLEK certificate's extensions. Nothing is verified. Throws `INVALID_VCEK` when they are not what
 * AMD's specification says, `UNKNOWN_PRODUCT` for a product this version does not know.
 */
export function parseEndorsementKey(certificate: Certificate): EndorsementKey {
  let key = parsed.get(certificate);
  if (key === undefined) {
    key = readEndorsementKey(certificate);
    parsed.set(certificate, key);
  }
  return key;
}

/** The extensions of a VCEK (`hwId` given) or VLEK (`cspId` given), in AMD's order: the inverse of the parser. */
export function encodeEndorsementExtensions(
  key: Pick<EndorsementKey, "structVersion" | "productName" | "product" | "tcb" | "hwId" | "cspId">,
  hwIdForm: "raw" | "octetString" = "raw",
): IssuedExtension[] {
  const extensions: IssuedExtension[] = [
    { oid: OID.structVersion, value: encodeDer.integer(key.structVersion) },
    { oid: OID.productName, value: encodeDer.ia5String(key.productName) },
    ...TCB_BYTES[key.product.layout].map((name, index) => ({
      oid: SPL_OID[name],
      value: encodeDer.integer(key.tcb[index] ?? 0),
    })),
  ];
  if (key.hwId !== undefined) {
    extensions.push({
      oid: OID.hwId,
      value: hwIdForm === "raw" ? key.hwId : encodeDer.octetString(key.hwId),
    });
  }
  if (key.cspId !== undefined) extensions.push({ oid: OID.cspId, value: encodeDer.ia5String(key.cspId) });
  return extensions;
}

function readEndorsementKey(certificate: Certificate): EndorsementKey {
  const kind = signerKindOf(certificate);
  if (kind === undefined) {
    throw invalid(
      certificate,
      `its subject is ${certificate.subject.text}, expected CN=SEV-VCEK or CN=SEV-VLEK`,
    );
  }
  if (certificate.key.name !== "EC" || certificate.key.curve !== "P-384") {
    throw invalid(certificate, "its key is not on P-384");
  }
  if (certificate.isCa) throw invalid(certificate, "it is a CA, expected an end entity");
  const productName = stringOf(certificate, OID.productName);
  const product = productNamed(productName);
  if (product === undefined) {
    throw new EvidenceError(
      "UNKNOWN_PRODUCT",
      "not-authentic",
      `Cannot use ${kind}: product ${productName} is unknown`,
      {
        detail: { productName },
      },
    );
  }
  const hwId = hwIdOf(certificate, product);
  const hasCspId = certificate.extensions.has(OID.cspId);
  if ((hwId !== undefined) !== (kind === "VCEK") || hasCspId !== (kind === "VLEK")) {
    throw invalid(
      certificate,
      kind === "VCEK" ? "a VCEK has a hwID and no cspID" : "a VLEK has a cspID and no hwID",
    );
  }
  const structVersion = integerOf(certificate, OID.structVersion);
  if (structVersion > NEWEST_STRUCT_VERSION) {
    const action = `use certificate ${certificate.subject.text} as ${kind}`;
    throw unknownVersion(
      "INVALID_VCEK",
      action,
      "structVersion",
      structVersion,
      `0 to ${NEWEST_STRUCT_VERSION}`,
    );
  }
  return {
    kind,
    certificate,
    structVersion,
    productName,
    product,
    tcb: tcbOf(certificate, product),
    hwId,
    cspId: hasCspId ? stringOf(certificate, OID.cspId) : undefined,
  };
}

/** The SPLs in report order; reserved ones may be absent. */
function tcbOf(certificate: Certificate, product: Product): Uint8Array {
  return Uint8Array.from(TCB_BYTES[product.layout], (name) =>
    name.startsWith("spl") && !certificate.extensions.has(SPL_OID[name])
      ? 0
      : integerOf(certificate, SPL_OID[name]),
  );
}

/** hwID stands bare in most certificates and as an OCTET STRING in some: the lengths tell them apart. */
function hwIdOf(certificate: Certificate, product: Product): Uint8Array | undefined {
  const value = certificate.extensions.get(OID.hwId)?.value;
  if (value === undefined || value.length === product.chipIdSize) return value;
  const inner = value.length === product.chipIdSize + 2 ? value.subarray(2) : undefined;
  if (inner === undefined || value[0] !== TAG.OCTET_STRING || value[1] !== product.chipIdSize) {
    throw invalid(certificate, `its hwID has ${value.length} bytes, expected ${product.chipIdSize}`);
  }
  return inner;
}

function integerOf(certificate: Certificate, oid: string): number {
  const value = within(certificate, oid, (contents) => parseDer(contents, `extension ${oid}`).smallInteger());
  if (value > 255) throw invalid(certificate, `extension ${oid} is ${value}, expected 0 to 255`);
  return value;
}

function stringOf(certificate: Certificate, oid: string): string {
  return within(certificate, oid, (contents) => {
    const value = parseDer(contents, `extension ${oid}`);
    value.expect(TAG.IA5_STRING);
    return value.string();
  });
}

function within<T>(certificate: Certificate, oid: string, read: (contents: Uint8Array) => T): T {
  const extension = certificate.extensions.get(oid);
  if (extension === undefined) throw invalid(certificate, `extension ${oid} is missing`);
  try {
    return read(extension.value);
  } catch (cause) {
    throw invalid(
      certificate,
      `extension ${oid} is malformed`,
      cause instanceof AdytonError ? cause : undefined,
    );
  }
}

function invalid(certificate: Certificate, why: string, cause?: AdytonError): EvidenceError {
  return new EvidenceError(
    "INVALID_VCEK",
    "malformed",
    `Cannot use certificate ${certificate.subject.text} as VCEK or VLEK: ${why}`,
    { detail: { subject: certificate.subject.text, why }, ...(cause === undefined ? {} : { cause }) },
  );
}
