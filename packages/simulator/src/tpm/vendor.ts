// SPDX-License-Identifier: Apache-2.0
// The simulated maker of TPMs, who is a cloud too: a root, a CA that certifies endorsement and attestation keys, and
// machines that boot, measure, quote, and speak every form of TPM evidence.

import { type Bytes, fromUtf8 } from "@adyton/core/bytes";
import { parseCrl } from "@adyton/core/crl";
import { type CryptoProvider, defaultCrypto } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import type { IssuedExtension } from "@adyton/core/issue";
import { type Certificate, KEY_USAGE } from "@adyton/core/x509";
import type { Endorsements } from "@adyton/evidence/endorsements";
import {
  encodeAlibabaEvidence,
  encodeGceAttestation,
  encodeTpmEvidence,
  spkiOfTpmPublic,
  type TpmEvidence,
  type TpmHash,
  type TpmQuote,
} from "@adyton/evidence/tpm";
import { type BootOptions, type SimulatedBoot, simulateBoot } from "../eventlog/log.ts";
import {
  type Authority,
  type CertificateChange,
  type CrlChange,
  caTemplate,
  createAuthority,
  createCrl,
  type Period,
  simulatorName,
} from "../intel/authority.ts";
import { createTpmDevice, type TpmDevice, type TpmDeviceOptions, type TpmQuoteOptions } from "./device.ts";

export interface TpmVendorOptions {
  /** The present, as the vendor sees it. Default: now. */
  readonly at?: Date;
  readonly crypto?: CryptoProvider;
  readonly root?: CertificateChange;
  readonly ca?: CertificateChange;
}

export interface TpmMachineOptions extends TpmDeviceOptions {
  readonly boot?: BootOptions;
  readonly akCertificate?: CertificateChange;
  readonly ekCertificate?: CertificateChange;
}

/** The forms that a machine's evidence may travel in. */
export type TpmFormName = "trustee" | "gce" | "alibaba";

export interface TpmEvidenceOptions extends TpmQuoteOptions {
  /** Default: trustee. */
  readonly form?: TpmFormName;
  /** Default: the attestation key's certificate and its issuer's. */
  readonly certificates?: readonly Certificate[];
  /** Leaves the event log out. */
  readonly withoutLog?: boolean;
  /** Changes the parts before they are written. */
  readonly alter?: (evidence: Omit<TpmEvidence, "reportDataSize">) => Omit<TpmEvidence, "reportDataSize">;
}

export interface TpmMachine {
  readonly device: TpmDevice;
  readonly boot: SimulatedBoot;
  readonly akCertificate: Authority;
  readonly ekCertificate: Authority;
  evidence(options?: TpmEvidenceOptions): Promise<Bytes>;
}

export interface TpmVendor {
  /** Name this, and only in tests and demos, as a trusted root. */
  readonly root: Authority;
  readonly ca: Authority;
  machine(options?: TpmMachineOptions): Promise<TpmMachine>;
  /** A CRL of the CA, which lists keys' certificates, or of the root; DER. */
  crl(issuer: "root" | "ca", change?: CrlChange): Promise<Bytes>;
  /** The CA's and the root's certificates and what else is given, as a bag for verification. */
  endorsements(...more: readonly (Certificate | Bytes)[]): Endorsements;
}

const DAY = 24 * 60 * 60 * 1000;
const EXTENDED_KEY_USAGE = "2.5.29.37";
const INSTANCE_INFO = "1.3.6.1.4.1.11129.2.1.21";
const KEY_AGREEMENT = 4;
const KEY_ENCIPHERMENT = 2;

/** Founds a maker of TPMs with fresh keys. */
export async function createTpmVendor(options: TpmVendorOptions = {}): Promise<TpmVendor> {
  const { at = new Date(), crypto = defaultCrypto } = options;
  const time = Math.floor(at.getTime() / 1000) * 1000;
  const years: Period = { from: new Date(time - 365 * DAY), until: new Date(time + 20 * 365 * DAY) };
  const month: Period = { from: new Date(time - DAY), until: new Date(time + 29 * DAY) };
  const root = await createAuthority(
    { subject: simulatorName("Simulated TPM Root CA"), ...caTemplate(1) },
    years,
    undefined,
    options.root ?? {},
    crypto,
  );
  const ca = await createAuthority(
    { subject: simulatorName("Simulated TPM EK/AK CA"), ...caTemplate(0) },
    years,
    root,
    options.ca ?? {},
    crypto,
  );
  return {
    root,
    ca,
    machine: (request = {}) => createMachine(request, ca, years, crypto),
    crl: (issuer, change = {}) => createCrl(issuer === "root" ? root : ca, month, change, crypto),
    endorsements: (...more) => ({
      certificates: [
        ca.certificate,
        root.certificate,
        ...more.filter((item): item is Certificate => !(item instanceof Uint8Array)),
      ],
      crls: more.filter((item): item is Bytes => item instanceof Uint8Array).map(parseCrl),
      documents: [],
    }),
  };
}

async function createMachine(
  options: TpmMachineOptions,
  ca: Authority,
  period: Period,
  crypto: CryptoProvider,
): Promise<TpmMachine> {
  const { hashes = ["SHA-256"] } = options;
  const device = await createTpmDevice(options, crypto);
  const boot = await simulateBoot({ hashes, crypto, ...options.boot });
  for (const hash of hashes) device.load(hash, await boot.values(hash));
  const isRsa = device.ek.public.key.type === "RSA";
  const akCertificate = await createAuthority(
    {
      subject: simulatorName("Simulated attestation key"),
      keyUsage: [KEY_USAGE.digitalSignature],
      extensions: [instanceInfo()],
    },
    period,
    ca,
    { key: device.ak.key, ...options.akCertificate },
    crypto,
  );
  const ekCertificate = await createAuthority(
    {
      subject: simulatorName("Simulated endorsement key"),
      keyUsage: [isRsa ? KEY_ENCIPHERMENT : KEY_AGREEMENT],
      extensions: [purpose("2.23.133.8.1")],
    },
    period,
    ca,
    { key: device.ek.key, ...options.ekCertificate },
    crypto,
  );
  return {
    device,
    boot,
    akCertificate,
    ekCertificate,
    evidence: async (request = {}) => {
      const { form = "trustee", certificates = [akCertificate.certificate, ca.certificate] } = request;
      const parts = {
        akSpki: spkiOfTpmPublic(device.ak.public),
        akPublic: device.ak.public,
        quotes: await quotesOf(device, form, request),
        certificates,
        eventLogs: request.withoutLog === true ? [] : [boot.log],
      };
      const encode = {
        trustee: encodeTpmEvidence,
        gce: encodeGceAttestation,
        alibaba: encodeAlibabaEvidence,
      }[form];
      return encode(request.alter?.(parts) ?? parts);
    },
  };
}

/** Clouds quote each bank by itself, the other form has place for one quote. */
async function quotesOf(
  device: TpmDevice,
  form: TpmFormName,
  request: TpmEvidenceOptions,
): Promise<TpmQuote[]> {
  const indices = Array.from({ length: 24 }, (_, i) => i);
  const banks: readonly TpmHash[] = form === "trustee" ? device.hashes.slice(0, 1) : device.hashes;
  return Promise.all(banks.map((hash) => device.quote({ selection: [{ hash, indices }], ...request })));
}

/** ExtendedKeyUsage with one purpose. */
export function purpose(oid: string, critical = false): IssuedExtension {
  return { oid: EXTENDED_KEY_USAGE, critical, value: encodeDer.sequence(encodeDer.oid(oid)) };
}

/** Google Cloud's extension: which instance the key belongs to. */
function instanceInfo(): IssuedExtension {
  const text = (value: string): Bytes => encodeDer.value(0x0c, fromUtf8(value));
  return {
    oid: INSTANCE_INFO,
    value: encodeDer.sequence(
      text("simulated-1a"),
      encodeDer.integer(123456789012n),
      text("adyton-simulator"),
      encodeDer.integer(8765432109876543210n),
      text("simulated-instance"),
    ),
  };
}
