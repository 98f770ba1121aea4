// SPDX-License-Identifier: Apache-2.0
// The vendor of the software TEE: a root, the machines it certifies, and the evidence they sign.

import { type Bytes, equal, fromHex, padRight, toHex } from "@adyton/core/bytes";
import { type CertificateRevocationList, parseCrl } from "@adyton/core/crl";
import { type CryptoProvider, defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import { malformed } from "@adyton/core/errors";
import { issueCertificate, issueCrl, type NameAttribute, naturalAlgorithm } from "@adyton/core/issue";
import { toPem } from "@adyton/core/pem";
import { type Certificate, KEY_USAGE, parseCertificate } from "@adyton/core/x509";
import {
  encodeSampleEvidence,
  SAMPLE_PLATFORM_NAME,
  type SampleClaims,
  signedPartOf,
} from "@adyton/evidence/sample";

/** A certificate and its private key, to keep between runs. The key is a secret. */
export interface ExportedIdentity {
  /** DER. */
  readonly certificate: Uint8Array;
  /** PKCS #8, DER. */
  readonly key: Uint8Array;
}

export interface SampleVendorOptions {
  /** Bounds of every certificate; default 2025-01-01 to 2055-01-01. */
  readonly notBefore?: Date;
  readonly notAfter?: Date;
  /** Curve of every key; default P-384. */
  readonly curve?: "P-256" | "P-384";
  readonly crypto?: CryptoProvider;
}

export interface SampleVendor {
  readonly root: Certificate;
  /** What a relying party names to accept this vendor's evidence. */
  readonly rootPem: string;
  /** A new machine with its own key. `subject` is for tests that need a certificate of another role. */
  machine(options?: {
    readonly subject?: readonly NameAttribute[];
    readonly keyUsage?: readonly number[];
  }): Promise<SampleMachine>;
  /** A revocation list of the root over `revoked`; valid as long as the root's certificates by default. */
  crl(
    revoked?: readonly Certificate[],
    validity?: { readonly thisUpdate?: Date; readonly nextUpdate?: Date },
  ): Promise<CertificateRevocationList>;
  export(): Promise<ExportedIdentity>;
}

export interface SampleLaunch {
  /** SHA-384 of the program, 48 bytes or their hex. */
  readonly launchDigest: Uint8Array | string;
  /** At most 64 bytes, zero-padded on the right. */
  readonly reportData: Uint8Array;
  /** Digest of the init-data document: at most 64 bytes, zero-padded on the right. */
  readonly initData?: Uint8Array;
  /** Default "1". */
  readonly svn?: string;
  readonly platformVersion?: { readonly major: number; readonly minor: number };
  readonly debug?: boolean;
}

export interface SampleMachine {
  readonly certificate: Certificate;
  /** Evidence of `launch`, encoded. */
  evidence(launch: SampleLaunch): Promise<Bytes>;
  export(): Promise<ExportedIdentity>;
}

const ORGANISATION = "Adyton Simulator";
const NOT_BEFORE = new Date("2025-01-01T00:00:00Z");
const NOT_AFTER = new Date("2055-01-01T00:00:00Z");
const SVN = "1";
const PLATFORM_VERSION = { major: 1, minor: 0 } as const;

/** A vendor with a new root key. */
export async function createSampleVendor(options: SampleVendorOptions = {}): Promise<SampleVendor> {
  const { notBefore = NOT_BEFORE, notAfter = NOT_AFTER, curve = "P-384", crypto = defaultCrypto } = options;
  const key = await crypto.generateKey({ name: "EC", curve });
  // The key's fingerprint stands in the name, so that the roots of two machines are told apart in messages.
  const id = toHex((await crypto.digest("SHA-256", key.publicKey.spki)).subarray(0, 4));
  const name = [
    ["O", ORGANISATION],
    ["CN", `Adyton Sample Root CA ${id}`],
  ] as const;
  const certificate = await issueCertificate(
    {
      subject: name,
      spki: key.publicKey.spki,
      serial: newSerial(crypto),
      notBefore,
      notAfter,
      ca: { pathLength: 0 },
      keyUsage: [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign],
    },
    { name, key },
    naturalAlgorithm(key),
    crypto,
  );
  return vendorOf(parseCertificate(certificate), key, { ...options, curve, notBefore, notAfter }, crypto);
}

/** The vendor that `SampleVendor.export` described. Throws a `CoreError`: `INVALID_KEY` when the parts do not fit. */
export async function importSampleVendor(
  exported: ExportedIdentity,
  options: SampleVendorOptions = {},
): Promise<SampleVendor> {
  const { crypto = defaultCrypto } = options;
  const root = parseCertificate(exported.certificate);
  return vendorOf(root, await keyFor(root, exported.key, crypto), options, crypto);
}

/** The machine that `SampleMachine.export` described. Throws a `CoreError`: `INVALID_KEY` when the parts do not fit. */
export async function importSampleMachine(
  exported: ExportedIdentity,
  crypto: CryptoProvider = defaultCrypto,
): Promise<SampleMachine> {
  const certificate = parseCertificate(exported.certificate);
  return machineOf(certificate, await keyFor(certificate, exported.key, crypto));
}

function vendorOf(
  root: Certificate,
  key: PrivateKey,
  options: SampleVendorOptions,
  crypto: CryptoProvider,
): SampleVendor {
  const { notBefore = root.notBefore, notAfter = root.notAfter } = options;
  const curve = options.curve ?? (root.key.name === "EC" && root.key.curve === "P-256" ? "P-256" : "P-384");
  const issuer = {
    name: [
      ["O", ORGANISATION],
      ["CN", root.subject.commonName ?? ""],
    ] as const,
    key,
  };
  return {
    root,
    rootPem: toPem("CERTIFICATE", root.der),
    machine: async ({ subject, keyUsage = [KEY_USAGE.digitalSignature] } = {}) => {
      const machineKey = await crypto.generateKey({ name: "EC", curve });
      const certificate = await issueCertificate(
        {
          subject: subject ?? [
            ["O", ORGANISATION],
            ["CN", SAMPLE_PLATFORM_NAME],
          ],
          spki: machineKey.publicKey.spki,
          serial: newSerial(crypto),
          notBefore,
          notAfter,
          keyUsage,
        },
        issuer,
        naturalAlgorithm(key),
        crypto,
      );
      return machineOf(parseCertificate(certificate), machineKey);
    },
    crl: async (revoked = [], { thisUpdate = notBefore, nextUpdate = notAfter } = {}) =>
      parseCrl(
        await issueCrl(
          {
            thisUpdate,
            nextUpdate,
            number: 1,
            revoked: revoked.map((certificate) => [certificate.serial, thisUpdate] as const),
          },
          issuer,
          naturalAlgorithm(key),
          crypto,
        ),
      ),
    export: async () => ({ certificate: root.der, key: await key.export() }),
  };
}

function machineOf(certificate: Certificate, key: PrivateKey): SampleMachine {
  return {
    certificate,
    evidence: async (launch) => {
      const claims = claimsOf(launch);
      const signature = await key.sign(naturalAlgorithm(key), signedPartOf(claims));
      return encodeSampleEvidence({ claims, certificates: [certificate.der], signature });
    },
    export: async () => ({ certificate: certificate.der, key: await key.export() }),
  };
}

/** The private key, which must be the certificate's. */
async function keyFor(
  certificate: Certificate,
  pkcs8: Uint8Array,
  crypto: CryptoProvider,
): Promise<PrivateKey> {
  const key = await crypto.importPrivateKey(pkcs8);
  if (!equal(key.publicKey.spki, certificate.spki)) {
    throw malformed(
      "INVALID_KEY",
      `Cannot import identity ${certificate.subject.text}: the private key is not its certificate's`,
    );
  }
  return key;
}

function claimsOf(launch: SampleLaunch): SampleClaims {
  const { launchDigest, reportData, initData, svn = SVN, debug = false } = launch;
  return {
    svn,
    reportData: padRight(reportData, 64),
    initData: initData === undefined ? null : padRight(initData, 64),
    launchDigest: typeof launchDigest === "string" ? fromHex(launchDigest) : launchDigest,
    platformVersion: launch.platformVersion ?? PLATFORM_VERSION,
    debug,
  };
}

/** 16 random bytes, positive and without a leading zero. */
function newSerial(crypto: CryptoProvider): string {
  const serial = crypto.randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  return toHex(serial);
}
