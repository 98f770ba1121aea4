// SPDX-License-Identifier: Apache-2.0
// A simulated Azure confidential VM: a vTPM whose attestation key stands in runtime data that a simulated SNP or TDX
// machine vouches for.

import { type Bytes, concat, fromUtf8, padRight, toBase64Url, toHex } from "@adyton/core/bytes";
import { type CryptoProvider, defaultCrypto, type HashName } from "@adyton/core/crypto";
import {
  type AzureEvidence,
  encodeAzureEvidence,
  encodeHclReport,
  type HclReport,
} from "@adyton/evidence/azure";
import type { AmdPlatform, ReportOptions } from "../amd/platform.ts";
import { type BootOptions, simulateBoot } from "../eventlog/log.ts";
import type { IntelPlatform, QuoteOptions } from "../intel/platform.ts";
import { createTpmDevice, type TpmDevice, type TpmQuoteOptions } from "../tpm/device.ts";

export interface AzureVmOptions {
  readonly boot?: BootOptions;
  readonly crypto?: CryptoProvider;
}

export interface AzureEvidenceOptions {
  /** Of the JSON. Default: 2. */
  readonly version?: AzureEvidence["version"];
  readonly nonce?: Uint8Array;
  readonly quote?: TpmQuoteOptions;
  /** The hash that binds the runtime data. Default: SHA-256. */
  readonly hash?: HashName;
  /** Runtime data that shall differ. */
  readonly runtimeData?: Readonly<Record<string, unknown>>;
  /** The SNP report, where it shall differ. */
  readonly report?: ReportOptions;
  /** The TD quote, where it shall differ. */
  readonly td?: Partial<QuoteOptions>;
  readonly alterHcl?: (report: HclReport) => HclReport;
  readonly alter?: (evidence: AzureEvidence) => AzureEvidence;
}

export interface AzureVm {
  readonly device: TpmDevice;
  /** The vTPM's event log. */
  readonly log: Bytes;
  evidence(options?: AzureEvidenceOptions): Promise<Bytes>;
}

const TDREPORT_SIZE = 1024;
const TDREPORT_DATA = 0x80;

/** A VM on a simulated machine of AMD or Intel. */
export async function createAzureVm(
  machine: { readonly amd: AmdPlatform } | { readonly intel: IntelPlatform },
  options: AzureVmOptions = {},
): Promise<AzureVm> {
  const { crypto = defaultCrypto } = options;
  const device = await createTpmDevice({ akKind: { name: "RSA", bits: 2048 } }, crypto);
  const boot = await simulateBoot({ crypto, ...options.boot });
  device.load("SHA-256", await boot.values("SHA-256"));
  return {
    device,
    log: boot.log,
    evidence: async (request = {}) => {
      const { version = 2, nonce = new Uint8Array(), hash = "SHA-256", alterHcl, alter } = request;
      const runtimeData = fromUtf8(JSON.stringify(runtimeOf(device, nonce, request)));
      const reportData = padRight(await crypto.digest(hash, runtimeData), 64);
      const kind = "amd" in machine ? "snp" : "tdx";
      const hardwareReport =
        "amd" in machine
          ? await machine.amd.report({ reportData, ...request.report })
          : concat(
              new Uint8Array(TDREPORT_DATA),
              reportData,
              new Uint8Array(TDREPORT_SIZE - TDREPORT_DATA - reportData.length),
            );
      const report: HclReport = { version: 2, kind, hardwareReport, hash, runtimeData };
      const evidence: AzureEvidence = {
        tee: kind === "snp" ? "az-snp-vtpm" : "az-tdx-vtpm",
        version,
        quote: await device.quote({ nonce, ...request.quote }),
        hclReport: encodeHclReport(alterHcl?.(report) ?? report),
        ...("amd" in machine
          ? { vcek: machine.amd.vcek.certificate }
          : { tdQuote: await machine.intel.quote({ tee: "tdx", reportData, ...request.td }) }),
      };
      return encodeAzureEvidence(alter?.(evidence) ?? evidence);
    },
  };
}

function runtimeOf(
  { ak, ek }: TpmDevice,
  nonce: Uint8Array,
  { runtimeData }: AzureEvidenceOptions,
): Readonly<Record<string, unknown>> {
  const jwk = (kid: string, operation: string, modulus: Uint8Array): object => ({
    kid,
    key_ops: [operation],
    kty: "RSA",
    e: "AQAB",
    n: toBase64Url(modulus),
  });
  return {
    keys: [
      ...(ak.public.key.type === "RSA" ? [jwk("HCLAkPub", "sign", ak.public.key.modulus)] : []),
      ...(ek.public.key.type === "RSA" ? [jwk("HCLEkPub", "encrypt", ek.public.key.modulus)] : []),
    ],
    "vm-configuration": {
      "console-enabled": true,
      "secure-boot": true,
      "tpm-enabled": true,
      vmUniqueId: "00000000-0000-4000-8000-000000000000",
    },
    "user-data": toHex(padRight(nonce, 64)).toUpperCase(),
    ...runtimeData,
  };
}
