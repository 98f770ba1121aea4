// SPDX-License-Identifier: Apache-2.0
// The simulated AMD: a root per product with the two CAs below it, their CRL, and machines with SEV-SNP. Common names
// are AMD's, because verifiers check roles by them; the organisation says "Adyton Simulator".
//
// Faults need no switches: builders take changes, and reports are plain bytes.

import type { Bytes } from "@adyton/core/bytes";
import { parseCrl } from "@adyton/core/crl";
import { type CryptoProvider, defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import { type Certificate, KEY_USAGE } from "@adyton/core/x509";
import type { Endorsements } from "@adyton/evidence/endorsements";
import { issuerNameOf, type Product, type ProductName, productNamed, rootNameOf } from "@adyton/evidence/snp";
import {
  type Authority,
  type CertificateChange,
  type CrlChange,
  createAuthority,
  createCrl,
  type Period,
  simulatorName,
} from "../intel/authority.ts";
import { type AmdPlatform, type AmdPlatformOptions, createAmdPlatform } from "./platform.ts";

export interface AmdVendorOptions {
  /** Default: Milan. */
  readonly product?: ProductName;
  /** The present, as the vendor sees it: what it issues is valid around this time. Default: now. */
  readonly at?: Date;
  /** Of the root and the CAs. AMD has 4096, the default; making such keys takes seconds. */
  readonly rsaBits?: 2048 | 3072 | 4096;
  readonly crypto?: CryptoProvider;
  readonly ark?: CertificateChange;
  readonly ask?: CertificateChange;
  readonly asvk?: CertificateChange;
}

/** A fake AMD for one product. Nothing it issues chains to AMD's roots, so verifiers take it only where its root is named. */
export interface AmdVendor {
  readonly product: Product;
  /** Name this, and only in tests and demos, as a trusted root. */
  readonly ark: Authority;
  /** Certifies VCEKs. */
  readonly ask: Authority;
  /** Certifies VLEKs. */
  readonly asvk: Authority;
  /** A vendor with the same keys and other certificates: another product, other dates, a fault. */
  recertify(options: Omit<AmdVendorOptions, "rsaBits" | "crypto">): Promise<AmdVendor>;
  /** A machine with a VCEK and a VLEK. */
  platform(options?: AmdPlatformOptions): Promise<AmdPlatform>;
  /** The root's CRL, which lists ASKs and ASVKs; DER. */
  crl(change?: CrlChange): Promise<Bytes>;
  /** ASK, ASVK, ARK and what else is given, as a bag for verification. */
  endorsements(...more: readonly (Certificate | Bytes)[]): Endorsements;
}

type Keys = Readonly<Record<"ark" | "ask" | "asvk", PrivateKey>>;

const DAY = 24 * 60 * 60 * 1000;

/** Founds a vendor with fresh keys. */
export async function createAmdVendor(options: AmdVendorOptions = {}): Promise<AmdVendor> {
  const { crypto = defaultCrypto, rsaBits = 4096 } = options;
  const generate = (): Promise<PrivateKey> => crypto.generateKey({ name: "RSA", bits: rsaBits });
  const [ark, ask, asvk] = await Promise.all([generate(), generate(), generate()]);
  return certifyVendor(options, { ark, ask, asvk }, crypto);
}

async function certifyVendor(
  options: AmdVendorOptions,
  keys: Keys,
  crypto: CryptoProvider,
): Promise<AmdVendor> {
  const { product: name = "Milan", at = new Date() } = options;
  const product = productNamed(name);
  if (product === undefined) throw new RangeError(`createAmdVendor: the product ${name} is unknown`);
  const time = Math.floor(at.getTime() / 1000) * 1000;
  const years: Period = { from: new Date(time - 365 * DAY), until: new Date(time + 7 * 365 * DAY) };
  const month: Period = { from: new Date(time - DAY), until: new Date(time + 29 * DAY) };

  const ark = await createAuthority(
    {
      subject: simulatorName(rootNameOf(name)),
      ca: {},
      keyUsage: [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign],
    },
    years,
    undefined,
    { key: keys.ark, ...options.ark },
    crypto,
  );
  const certify = (
    kind: "VCEK" | "VLEK",
    key: PrivateKey,
    change: CertificateChange = {},
  ): Promise<Authority> =>
    createAuthority(
      {
        subject: simulatorName(issuerNameOf(kind, name)),
        ca: { pathLength: 0 },
        keyUsage: [KEY_USAGE.keyCertSign],
      },
      years,
      ark,
      { key, ...change },
      crypto,
    );
  const ask = await certify("VCEK", keys.ask, options.ask);
  const asvk = await certify("VLEK", keys.asvk, options.asvk);
  return {
    product,
    ark,
    ask,
    asvk,
    recertify: (changed) => certifyVendor({ product: name, at, ...changed }, keys, crypto),
    platform: (request = {}) => createAmdPlatform(request, { product, ark, ask, asvk }, years, crypto),
    crl: (change = {}) => createCrl(ark, month, change, crypto),
    endorsements: (...more) => ({
      certificates: [
        ask.certificate,
        asvk.certificate,
        ark.certificate,
        ...more.filter((item): item is Certificate => !(item instanceof Uint8Array)),
      ],
      crls: more.filter((item): item is Bytes => item instanceof Uint8Array).map(parseCrl),
      documents: [],
    }),
  };
}
