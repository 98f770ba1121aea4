// SPDX-License-Identifier: Apache-2.0
// The simulated IBM: a root, an intermediate CA, the service that signs host-key documents, and machines whose ultravisor
// answers attestation requests. The service bears IBM's name, because verifiers check its role by it; the CAs say "Adyton
// Simulator". Faults need no switches: builders take changes.

import { type Bytes, fromUtf8 } from "@adyton/core/bytes";
import { parseCrl } from "@adyton/core/crl";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { Writer } from "@adyton/core/cursor";
import type { NameAttribute } from "@adyton/core/issue";
import { type Certificate, KEY_USAGE } from "@adyton/core/x509";
import type { Endorsements } from "@adyton/evidence/endorsements";
import { SE_HEADER_KIND } from "@adyton/evidence/se";
import {
  type Authority,
  type CertificateChange,
  type CrlChange,
  createAuthority,
  createCrl,
  type Period,
  simulatorName,
} from "../intel/authority.ts";
import { createSeMachine, type SeMachine } from "./machine.ts";

export interface IbmVendorOptions {
  /** The present, as the vendor sees it. Default: now. */
  readonly at?: Date;
  readonly crypto?: CryptoProvider;
  readonly root?: CertificateChange;
  readonly intermediate?: CertificateChange;
  readonly service?: CertificateChange;
}

/** A fake IBM. Verifiers take what it vouches for only where its root is named. */
export interface IbmVendor {
  /** Name this, and only in tests and demos, as a trusted root. */
  readonly root: Authority;
  readonly intermediate: Authority;
  /** Signs host-key documents and their revocation list, and is no CA. */
  readonly service: Authority;
  /** A machine with a host key, and the document that certifies it. */
  machine(change?: CertificateChange): Promise<SeMachine>;
  /** The revocation list of an authority, DER; the service's by default. */
  crl(issuer?: Authority, change?: CrlChange): Promise<Bytes>;
  /** The chain, the three lists unless others are given, images' headers and host-key documents, as a bag. */
  endorsements(parts?: {
    readonly certificates?: readonly Certificate[];
    readonly headers?: readonly Bytes[];
    readonly crls?: readonly Bytes[];
  }): Promise<Endorsements>;
}

const DAY = 24 * 60 * 60 * 1000;
const P384 = { name: "EC", curve: "P-384" } as const;
const P521 = { name: "EC", curve: "P-521" } as const;
const KEY_AGREEMENT = 4;
const CA = [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign];
const IBM = "International Business Machines Corporation";

/** Founds a vendor with fresh keys. */
export async function createIbmVendor(options: IbmVendorOptions = {}): Promise<IbmVendor> {
  const { at = new Date(), crypto = defaultCrypto } = options;
  const time = Math.floor(at.getTime() / 1000) * 1000;
  const years: Period = { from: new Date(time - 365 * DAY), until: new Date(time + 7 * 365 * DAY) };
  const month: Period = { from: new Date(time - DAY), until: new Date(time + 29 * DAY) };
  const fresh = async (): Promise<CertificateChange> => ({ key: await crypto.generateKey(P384) });

  const root = await createAuthority(
    { subject: simulatorName("Simulated Public Root CA"), ca: {}, keyUsage: CA },
    years,
    undefined,
    { ...(await fresh()), ...options.root },
    crypto,
  );
  const intermediate = await createAuthority(
    { subject: simulatorName("Simulated Code Signing CA"), ca: {}, keyUsage: CA },
    years,
    root,
    { ...(await fresh()), ...options.intermediate },
    crypto,
  );
  const service = await createAuthority(
    { subject: ibmName("IBM Z Host Key Signing Service"), keyUsage: [KEY_USAGE.digitalSignature] },
    years,
    intermediate,
    { ...(await fresh()), ...options.service },
    crypto,
  );
  const crl = (issuer: Authority = service, change: CrlChange = {}): Promise<Bytes> =>
    createCrl(issuer, month, change, crypto);
  return {
    root,
    intermediate,
    service,
    crl,
    machine: async (change = {}) => {
      const authority = await createAuthority(
        { subject: ibmName("IBM Z Host Key"), keyUsage: [KEY_AGREEMENT] },
        years,
        service,
        { key: await crypto.generateKey(P521), ...change },
        crypto,
      );
      return createSeMachine(authority, crypto);
    },
    endorsements: async ({ certificates = [], headers = [], crls } = {}) => ({
      certificates: [...certificates, service.certificate, intermediate.certificate, root.certificate],
      crls: (crls ?? [await crl(root), await crl(intermediate), await crl()]).map(parseCrl),
      documents: [],
      vendorCertificates: headers.map((bytes) => ({ kind: SE_HEADER_KIND, bytes })),
    }),
  };
}

/** The Secure Execution header of an image that nobody can start: its digests are random, its tag too. */
export function createSeHeader(crypto: CryptoProvider = defaultCrypto): Bytes {
  const size = 0x280;
  const [slots, encrypted] = [1, 0x80];
  const digests = 0xe0;
  return new Writer(size)
    .bytes(fromUtf8("IBMSecEx"), 8, "magic")
    .u32be(0x100)
    .u32be(size)
    .bytes(crypto.randomBytes(12), 12, "IV")
    .zeros(4)
    .u32be(0)
    .u32be(slots)
    .u32be(0)
    .u32be(encrypted)
    .zeros(digests - 0x30)
    .bytes(crypto.randomBytes(size - digests), size - digests, "digests, slots, encrypted area and tag")
    .finish();
}

function ibmName(unit: string): readonly NameAttribute[] {
  return [
    ["C", "US"],
    ["O", IBM],
    ["CN", IBM],
    ["ST", "New York"],
    ["L", "Poughkeepsie"],
    ["OU", unit],
  ];
}
