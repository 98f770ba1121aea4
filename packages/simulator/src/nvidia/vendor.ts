// SPDX-License-Identifier: Apache-2.0
// The simulated NVIDIA: root, identity and provisioner authorities, devices whose boot ROM certifies a key for the
// firmware that runs, their reports, and answers about revocation. Faults need no switches: builders take changes.

import { type Bytes, concat, fromUtf8 } from "@adyton/core/bytes";
import { parseCrl } from "@adyton/core/crl";
import { type CryptoProvider, defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import { type Certificate, KEY_USAGE } from "@adyton/core/x509";
import type { Endorsements } from "@adyton/evidence/endorsements";
import {
  DICE_TCB_INFO,
  encodeNvidiaSignedPart,
  NVIDIA_OPAQUE,
  type NvidiaOpaqueField,
  type NvidiaReport,
  OCSP_KIND,
} from "@adyton/evidence/nvidia";
import {
  type Authority,
  type CertificateChange,
  type CrlChange,
  createAuthority,
  createCrl,
  type Period,
  simulatorName,
} from "../intel/authority.ts";
import { createOcspResponse, type OcspChange } from "./ocsp.ts";
import { createRimMaker, type RimMaker } from "./rim.ts";

export interface NvidiaVendorOptions {
  /** As it stands in certificates; default GH100. */
  readonly chip?: string;
  /** The present, as the vendor sees it. Default: now. */
  readonly at?: Date;
  readonly crypto?: CryptoProvider;
  readonly root?: CertificateChange;
  readonly identity?: CertificateChange;
  readonly provisioner?: CertificateChange;
}

/** A fake NVIDIA for one chip. Verifiers take what it issues only where its root is named. */
export interface NvidiaVendor {
  /** Name this, and only in tests and demos, as a trusted root. */
  readonly root: Authority;
  readonly identity: Authority;
  readonly provisioner: Authority;
  /** Signs reference integrity manifests, under a root of its own. */
  readonly rims: RimMaker;
  /** A GPU or a switch. */
  device(options?: NvidiaDeviceOptions): Promise<NvidiaDevice>;
  /** An authority's CRL, DER; the root's by default. */
  crl(issuer?: Authority, change?: CrlChange): Promise<Bytes>;
  /** What an authority's responder says about a certificate that it issued, DER: by default that it is good. */
  ocsp(about: Certificate, issuer: Authority, change?: OcspChange): Promise<Bytes>;
  /** The authorities and what else is given, as a bag: certificates, CRLs and OCSP responses in DER. */
  endorsements(parts?: {
    readonly certificates?: readonly Certificate[];
    readonly crls?: readonly Bytes[];
    readonly ocsp?: readonly Bytes[];
  }): Endorsements;
}

export interface NvidiaDeviceOptions {
  /** SHA-384 of the firmware, 48 bytes. */
  readonly fwid?: Uint8Array;
  /** How the firmware's certificate writes the digest. */
  readonly fwidForm?: "composite" | "tcb-info";
  /** Contents of the digest's extension, instead. */
  readonly fwidExtension?: Uint8Array;
  readonly bootRom?: CertificateChange;
  readonly firmware?: CertificateChange;
}

/** What a report says otherwise than usual, and who signs it. */
export interface NvidiaReportOptions extends Partial<Omit<NvidiaReport, "signature">> {
  readonly key?: Pick<PrivateKey, "sign">;
  /** Changes the bytes that are about to be signed. */
  readonly edit?: (unsigned: Bytes) => void;
}

export interface NvidiaDevice {
  readonly bootRom: Authority;
  readonly firmware: Authority;
  /** Firmware, boot ROM and the authorities above, root included: what a driver hands out. */
  readonly chain: readonly Certificate[];
  readonly fwid: Uint8Array;
  report(options?: NvidiaReportOptions): Promise<Bytes>;
}

const DAY = 24 * 60 * 60 * 1000;
const P384 = { name: "EC", curve: "P-384" } as const;
const SHA_384 = "2.16.840.1.101.3.4.2.2";
const MEASUREMENTS = 64;
const CA = [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign];

/** Founds a vendor with fresh keys. */
export async function createNvidiaVendor(options: NvidiaVendorOptions = {}): Promise<NvidiaVendor> {
  const { chip = "GH100", at = new Date(), crypto = defaultCrypto } = options;
  const time = Math.floor(at.getTime() / 1000) * 1000;
  const years: Period = { from: new Date(time - 365 * DAY), until: new Date("9999-12-31T23:59:59Z") };
  const month: Period = { from: new Date(time - DAY), until: new Date(time + 29 * DAY) };

  const certify = async (
    commonName: string,
    issuer: Authority | undefined,
    change: CertificateChange = {},
  ): Promise<Authority> =>
    createAuthority(
      { subject: simulatorName(commonName), ca: {}, keyUsage: CA },
      years,
      issuer,
      { key: await crypto.generateKey(P384), ...change },
      crypto,
    );
  const root = await certify("Simulated Device Identity CA", undefined, options.root);
  const identity = await certify(`Simulated ${chip} Identity`, root, options.identity);
  const provisioner = await certify(`Simulated ${chip} Provisioner ICA 1`, identity, options.provisioner);
  return {
    root,
    identity,
    provisioner,
    rims: await createRimMaker(years, crypto),
    device: (request = {}) =>
      createDevice(chip, [provisioner, identity, root], years, request, certify, crypto),
    crl: (issuer = root, change = {}) => createCrl(issuer, month, change, crypto),
    ocsp: (about, issuer, change = {}) => createOcspResponse(about, issuer, month, change, crypto),
    endorsements: ({ certificates = [], crls = [], ocsp = [] } = {}) => ({
      certificates: [...certificates, provisioner.certificate, identity.certificate, root.certificate],
      crls: crls.map(parseCrl),
      documents: [],
      vendorCertificates: ocsp.map((bytes) => ({ kind: OCSP_KIND, bytes })),
    }),
  };
}

async function createDevice(
  chip: string,
  authorities: readonly [provisioner: Authority, identity: Authority, root: Authority],
  period: Period,
  options: NvidiaDeviceOptions,
  certify: (name: string, issuer: Authority, change?: CertificateChange) => Promise<Authority>,
  crypto: CryptoProvider,
): Promise<NvidiaDevice> {
  const { fwid = crypto.randomBytes(48), fwidForm = "composite" } = options;
  const [provisioner] = authorities;
  const bootRom = await certify(`${chip} A01 GSP BROM`, provisioner, {
    keyUsage: [KEY_USAGE.keyCertSign],
    ...options.bootRom,
  });
  const key = await crypto.generateKey(P384);
  const digest = encodeDer.sequence(encodeDer.oid(SHA_384), encodeDer.octetString(fwid));
  const value =
    options.fwidExtension ??
    (fwidForm === "composite"
      ? encodeDer.sequence(encodeDer.integer(1), key.publicKey.spki, digest)
      : encodeDer.sequence(encodeDer.explicit(6, digest)));
  const firmware = await createAuthority(
    {
      subject: simulatorName(`${chip} A01 GSP FMC LF`),
      keyUsage: [KEY_USAGE.digitalSignature],
      extensions: [{ oid: DICE_TCB_INFO, value }],
    },
    period,
    bootRom,
    { key, ...options.firmware },
    crypto,
  );
  return {
    bootRom,
    firmware,
    fwid,
    chain: [firmware, bootRom, ...authorities].map(({ certificate }) => certificate),
    report: async (change = {}) => {
      const { key: signer = firmware.key, edit, trailing = new Uint8Array(), ...said } = change;
      const unsigned = encodeNvidiaSignedPart({ ...usualReport(fwid, crypto), ...said });
      edit?.(unsigned);
      const signature = await signer.sign({ name: "ECDSA", hash: "SHA-384" }, unsigned);
      return concat(unsigned, signature, trailing);
    },
  };
}

/** What a Hopper GPU says: 64 measurements, and the fields that Trustee shows. */
function usualReport(fwid: Uint8Array, crypto: CryptoProvider): Omit<NvidiaReport, "signature" | "trailing"> {
  const text = (type: number, value: string): NvidiaOpaqueField => ({ type, data: fromUtf8(`${value}\0`) });
  return {
    nonce: crypto.randomBytes(32),
    slot: 0,
    responseParam1: 0,
    responseParam2: 0,
    measurements: Array.from({ length: MEASUREMENTS }, (_, i) => ({
      index: i + 1,
      type: 1,
      value: new Uint8Array(48).fill(i),
    })),
    deviceNonce: crypto.randomBytes(32),
    opaque: [
      { type: NVIDIA_OPAQUE.vbiosVersion, data: Uint8Array.of(0, 0x9f, 0, 0x96, 1, 0, 0, 0) },
      text(NVIDIA_OPAQUE.driverVersion, "570.0.0"),
      { type: NVIDIA_OPAQUE.fwid, data: fwid },
    ],
  };
}
