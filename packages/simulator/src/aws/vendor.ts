// SPDX-License-Identifier: Apache-2.0
// The simulated AWS: a root, the issuers that stand between it and an instance, and enclaves whose attestation documents
// are signed for three hours at a time. Common names are AWS's in form; the organisation says "Adyton Simulator".
//
// Faults need no switches: builders take changes, and documents are plain bytes.

import { type Bytes, toHex } from "@adyton/core/bytes";
import { type CborValue, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { encodeSign1, protectedHeader, signedBytes } from "@adyton/core/cose";
import { parseCrl } from "@adyton/core/crl";
import {
  type CryptoProvider,
  defaultCrypto,
  type PrivateKey,
  type SignatureAlgorithm,
} from "@adyton/core/crypto";
import { type Certificate, KEY_USAGE } from "@adyton/core/x509";
import { type Endorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { encodeNitroClaims, NITRO_SIGNATURE, type NitroClaims } from "@adyton/evidence/nitro";
import {
  type Authority,
  type CertificateChange,
  type CrlChange,
  createAuthority,
  createCrl,
  type Period,
  simulatorName,
} from "../intel/authority.ts";

/** Who stands in a document's chain, the root first. */
export const NITRO_ISSUERS = ["root", "regional", "zonal", "instance"] as const;
export type NitroIssuer = (typeof NITRO_ISSUERS)[number];

export interface NitroVendorOptions extends Partial<Record<NitroIssuer, CertificateChange>> {
  /** The present, as the vendor sees it: what it issues is valid around this time. Default: now. */
  readonly at?: Date;
  readonly crypto?: CryptoProvider;
}

/** What a document says otherwise than usual, and who signs it. */
export interface NitroDocumentOptions extends Partial<NitroClaims> {
  /** Zeros in every register, as enclaves in debug mode have them. */
  readonly debug?: boolean;
  /** Signs instead of the enclave's key. */
  readonly key?: Pick<PrivateKey, "sign">;
  /** What the protected header names, and how it is signed. */
  readonly algorithm?: SignatureAlgorithm;
  /** Changes the payload's members before they are signed. */
  readonly edit?: (members: Map<string, CborValue>) => void;
  /** With tag 18, as COSE has it and AWS does not. */
  readonly tagged?: boolean;
}

export interface NitroEnclave {
  /** The certificate of the enclave's key: it holds for three hours. */
  readonly leaf: Authority;
  /** A signed attestation document. */
  document(options?: NitroDocumentOptions): Promise<Bytes>;
}

/** A fake AWS. Nothing it issues chains to AWS's root, so verifiers take it only where its root is named. */
export interface NitroVendor {
  readonly issuers: Readonly<Record<NitroIssuer, Authority>>;
  /** Name this, and only in tests and demos, as a trusted root. */
  readonly root: Authority;
  /** A started enclave. */
  enclave(change?: CertificateChange): Promise<NitroEnclave>;
  /** An issuer's CRL, DER. */
  crl(issuer: NitroIssuer, change?: CrlChange): Promise<Bytes>;
  /** CRLs as a bag for verification; certificates travel in the documents. */
  endorsements(...crls: readonly Bytes[]): Endorsements;
}

const P384 = { name: "EC", curve: "P-384" } as const;
const HOUR = 60 * 60 * 1000;
const DAY = 24 * HOUR;
const INSTANCE = "i-0ad1704ad1704ad17";
const PCRS = 16;
const PCR_SIZE = 48;

/** Founds a vendor with fresh keys. */
export async function createNitroVendor(options: NitroVendorOptions = {}): Promise<NitroVendor> {
  const { at = new Date(), crypto = defaultCrypto } = options;
  const time = Math.floor(at.getTime() / 1000) * 1000;
  const around = (before: number, after: number): Period => ({
    from: new Date(time - before),
    until: new Date(time + after),
  });
  const certify = async (
    commonName: string,
    pathLength: number | undefined,
    period: Period,
    issuer: Authority | undefined,
    change: CertificateChange = {},
  ): Promise<Authority> =>
    createAuthority(
      {
        subject: simulatorName(commonName),
        ca: pathLength === undefined ? {} : { pathLength },
        keyUsage: [KEY_USAGE.digitalSignature, KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign],
      },
      period,
      issuer,
      { key: await crypto.generateKey(P384), ...change },
      crypto,
    );
  const zone = "simulator.aws.nitro-enclaves";
  const root = await certify(
    "aws.nitro-enclaves",
    undefined,
    around(365 * DAY, 20 * 365 * DAY),
    undefined,
    options.root,
  );
  const regional = await certify(`regional.${zone}`, 2, around(10 * DAY, 10 * DAY), root, options.regional);
  const zonal = await certify(`zonal.${zone}`, 1, around(2 * DAY, 3 * DAY), regional, options.zonal);
  const instance = await certify(
    `${INSTANCE}.${zone}`,
    0,
    around(12 * HOUR, 12 * HOUR),
    zonal,
    options.instance,
  );
  const issuers = { root, regional, zonal, instance };
  return {
    issuers,
    root,
    enclave: (change = {}) => startEnclave(issuers, new Date(time), change, crypto),
    crl: (issuer, change = {}) => createCrl(issuers[issuer], around(DAY, 29 * DAY), change, crypto),
    endorsements: (...crls) => ({ ...NO_ENDORSEMENTS, crls: crls.map(parseCrl) }),
  };
}

async function startEnclave(
  issuers: Readonly<Record<NitroIssuer, Authority>>,
  at: Date,
  change: CertificateChange,
  crypto: CryptoProvider,
): Promise<NitroEnclave> {
  const moduleId = `${INSTANCE}-enc${toHex(crypto.randomBytes(8))}`;
  const leaf = await createAuthority(
    {
      subject: simulatorName(`${moduleId}.simulator.aws`),
      keyUsage: [KEY_USAGE.digitalSignature],
    },
    { from: new Date(at.getTime() - HOUR), until: new Date(at.getTime() + 2 * HOUR) },
    issuers.instance,
    { key: await crypto.generateKey(P384), ...change },
    crypto,
  );
  return { leaf, document: (options = {}) => makeDocument(issuers, leaf, moduleId, at, options) };
}

async function makeDocument(
  issuers: Readonly<Record<NitroIssuer, Authority>>,
  leaf: Authority,
  moduleId: string,
  at: Date,
  options: NitroDocumentOptions,
): Promise<Bytes> {
  const {
    debug = false,
    key = leaf.key,
    algorithm = NITRO_SIGNATURE,
    edit,
    tagged = false,
    ...said
  } = options;
  const der = (certificate: Certificate): Uint8Array => certificate.der;
  const members = parseCbor(
    encodeNitroClaims({
      moduleId,
      timestamp: at,
      pcrs: registers(debug),
      certificate: leaf.certificate.der,
      cabundle: NITRO_ISSUERS.map((issuer) => der(issuers[issuer].certificate)),
      publicKey: null,
      userData: null,
      nonce: null,
      ...said,
    }),
    "Nitro payload",
  );
  if (!isCborMap(members)) throw new TypeError("createNitroVendor: the payload is no map");
  const edited = new Map<string, CborValue>([...members].map(([name, value]) => [String(name), value]));
  edit?.(edited);
  const payload = encodeCbor(edited);
  const header = protectedHeader(algorithm);
  return encodeSign1(header, payload, await key.sign(algorithm, signedBytes(header, payload)), tagged);
}

/** PCR 0 to 2 measure the image, 3 the role, 4 the instance, 8 the signing certificate; the others are zero. */
function registers(debug: boolean): Map<number, Uint8Array> {
  return new Map(
    Array.from({ length: PCRS }, (_, index): [number, Uint8Array] => {
      const measured = !debug && (index < 5 || index === 8);
      return [index, new Uint8Array(PCR_SIZE).fill(measured ? 0x50 + index : 0)];
    }),
  );
}
