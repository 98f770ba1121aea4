// SPDX-License-Identifier: Apache-2.0
// The reference ids of the default policies, and where in the claims their values stand: for recording a run that is
// known to be good, and for telling an operator what to register. The judgement itself is in policies/.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import type { TeeName } from "@adyton/evidence";
import type { ReferenceCheck } from "./reference.ts";
import type { TrustClaim } from "./trust.ts";

/** The trust claims that the default policy makes. */
export type JudgedClaim = Extract<TrustClaim, "hardware" | "executables" | "configuration">;

export interface ReferenceEntry extends ReferenceCheck {
  readonly claim: JudgedClaim;
  /** Nothing else stands in for it. */
  readonly needed?: boolean;
  /** Where one claim holds many values: all of them. */
  readonly values?: (claims: JsonObject) => JsonValue[];
}

type Options = Partial<Pick<ReferenceEntry, "needed" | "compare" | "encoding" | "values">>;
const NEEDED: Options = { needed: true };

function entry(
  claim: JudgedClaim,
  id: string,
  path: string,
  meaning: string,
  options: Options = {},
): ReferenceEntry {
  return { id, claim, path: path.split("/"), compare: "one-of", meaning, ...options };
}

function intelTd(options: Options): ReferenceEntry[] {
  return [
    entry("hardware", "mr_td", "quote/body/mr_td", "measurement of the virtual firmware (MRTD)", NEEDED),
    entry("hardware", "mr_seam", "quote/body/mr_seam", "measurement of the TDX module (MRSEAM)"),
    entry("configuration", "xfam", "quote/body/xfam", "set of enabled CPU features (XFAM)", options),
  ];
}

/** SNP's, with the prefixes and names that Trustee gives them. */
function snp(tcb: string, names: readonly [string, string], set: string, abi: string): ReferenceEntry[] {
  return [
    entry(
      "hardware",
      `${tcb}bootloader`,
      "reported_tcb_bootloader",
      "reported version of the boot loader",
      NEEDED,
    ),
    entry(
      "hardware",
      `${tcb}microcode`,
      "reported_tcb_microcode",
      "reported version of the microcode",
      NEEDED,
    ),
    entry("hardware", tcb + names[0], "reported_tcb_snp", "reported version of the SNP firmware", NEEDED),
    entry(
      "hardware",
      tcb + names[1],
      "reported_tcb_tee",
      "reported version of the secure processor's system",
      NEEDED,
    ),
    entry(
      "configuration",
      `${set}smt_enabled`,
      "platform_smt_enabled",
      "state of simultaneous multithreading",
    ),
    entry(
      "configuration",
      `${set}tsme_enabled`,
      "platform_tsme_enabled",
      "state of transparent memory encryption",
    ),
    entry("configuration", `${abi}abi_major`, "policy_abi_major", "guest policy's least ABI, major"),
    entry("configuration", `${abi}abi_minor`, "policy_abi_minor", "guest policy's least ABI, minor"),
    entry("configuration", `${set}single_socket`, "policy_single_socket", "guest policy on a single socket"),
    entry(
      "configuration",
      `${set}smt_allowed`,
      "policy_smt_allowed",
      "guest policy on simultaneous multithreading",
    ),
  ];
}

/** The reference ids of every TEE's default policy. */
export const REFERENCES: Readonly<Record<TeeName, readonly ReferenceEntry[]>> = {
  sgx: [
    entry("executables", "sgx_mrenclave", "body/mr_enclave", "enclave measurement (MRENCLAVE)"),
    entry("executables", "sgx_mrsigner", "body/mr_signer", "enclave signer (MRSIGNER)"),
    entry("executables", "sgx_isv_prod_id", "body/isv_prod_id", "product id of the enclave", {
      encoding: "u16",
    }),
    entry("executables", "sgx_isv_svn", "body/isv_svn", "security version of the enclave", {
      encoding: "u16",
      compare: "at-least",
    }),
  ],
  tdx: [
    ...intelTd(NEEDED),
    entry("hardware", "rtmr_0", "quote/body/rtmr_0", "measurement of the firmware's configuration (RTMR 0)"),
    entry(
      "executables",
      "rtmr_1",
      "quote/body/rtmr_1",
      "measurement of the boot loader and kernel (RTMR 1)",
      NEEDED,
    ),
    entry(
      "executables",
      "rtmr_2",
      "quote/body/rtmr_2",
      "measurement of the command line and initrd (RTMR 2)",
      NEEDED,
    ),
    entry("executables", "rtmr_3", "quote/body/rtmr_3", "measurement of the running workload (RTMR 3)"),
  ],
  snp: [
    entry("executables", "snp_launch_measurement", "measurement", "launch measurement", NEEDED),
    ...snp("snp_", ["snp_svn", "tee_svn"], "snp_", "snp_guest_"),
  ],
  "az-snp-vtpm": [
    entry("executables", "measurement", "measurement", "launch measurement of the paravisor", NEEDED),
    entry("executables", "snp_pcr11", "tpm/pcr11", "what the boot loader started (PCR 11)", NEEDED),
    ...snp("tcb_", ["snp", "tee"], "", ""),
  ],
  "az-tdx-vtpm": [
    ...intelTd(NEEDED),
    entry("executables", "tdx_pcr11", "tpm/pcr11", "what the boot loader started (PCR 11)", NEEDED),
  ],
  sample: [
    entry("executables", "launch_digest", "launch_digest", "launch digest", NEEDED),
    entry("hardware", "svn", "svn", "security version of the software TEE", NEEDED),
    entry("hardware", "major_version", "platform_version/major", "major version of the software TEE", NEEDED),
    entry(
      "hardware",
      "minimum_minor_version",
      "platform_version/minor",
      "minor version of the software TEE",
      {
        ...NEEDED,
        compare: "at-least",
      },
    ),
  ],
  sev: [
    entry("executables", "sev_launch_digest", "launch_digest", "launch digest", NEEDED),
    entry("configuration", "sev_policy_es", "policy/es", "guest policy on encrypted registers"),
    entry("configuration", "sev_policy_noks", "policy/noks", "guest policy on key sharing"),
  ],
  csv: [
    entry("executables", "csv_measure", "measure", "launch measurement", NEEDED),
    entry("executables", "csv_vm_id", "vm_id", "id of the virtual machine"),
    entry("executables", "csv_vm_version", "vm_version", "version of the virtual machine"),
    entry("configuration", "csv_policy_es", "policy/es", "guest policy on encrypted registers"),
    entry("configuration", "csv_policy_noks", "policy/noks", "guest policy on key sharing"),
    entry("hardware", "csv_serial_number", "serial_number", "serial number of the chip"),
  ],
  cca: [
    entry(
      "hardware",
      "cca_implementation_id",
      "platform/cca-platform-implementation-id",
      "make of the platform (implementation id)",
      NEEDED,
    ),
    entry("hardware", "cca_firmware", "platform/cca-platform-sw-components", "firmware of the platform", {
      ...NEEDED,
      values: firmwareOf,
    }),
    entry(
      "executables",
      "cca_realm_initial_measurement",
      "realm/cca-realm-initial-measurement",
      "initial measurement of the realm",
      NEEDED,
    ),
    entry(
      "configuration",
      "cca_platform_config",
      "platform/cca-platform-config",
      "configuration of the platform",
      NEEDED,
    ),
  ],
  tpm: [
    entry("hardware", "tpm_pcr00", "pcr00", "firmware (PCR 0)", NEEDED),
    entry("hardware", "trusted_aks", "ak_public", "attestation key"),
    entry("executables", "tpm_pcr11", "pcr11", "unified kernel image (PCR 11)"),
    entry("executables", "tpm_pcr04", "pcr04", "boot loader (PCR 4)"),
    entry("executables", "tpm_pcr09", "pcr09", "what the boot loader read (PCR 9)"),
    entry("configuration", "tpm_pcr07", "pcr07", "state of secure boot (PCR 7)", NEEDED),
  ],
  nitro: [
    entry("executables", "nitro_pcr0", "pcr0", "enclave image (PCR 0)", NEEDED),
    entry("executables", "nitro_pcr1", "pcr1", "kernel and boot files (PCR 1)"),
    entry("executables", "nitro_pcr2", "pcr2", "application (PCR 2)"),
    entry("executables", "nitro_pcr8", "pcr8", "signer of the image (PCR 8)"),
    entry("configuration", "nitro_pcr3", "pcr3", "role of the parent instance (PCR 3)"),
    entry("configuration", "nitro_pcr4", "pcr4", "parent instance (PCR 4)"),
  ],
  nvidia: [
    entry("hardware", "allowed_gpu_fwids", "config/fwid", "firmware (FWID)"),
    entry("executables", "nvidia_measurements", "measurements", "measurements", {
      ...NEEDED,
      values: measurementsOf,
    }),
    entry(
      "configuration",
      "allowed_driver_versions",
      "config/driver_version",
      "version of the driver",
      NEEDED,
    ),
    entry(
      "configuration",
      "allowed_vbios_versions",
      "config/vbios_version",
      "version of the video BIOS",
      NEEDED,
    ),
  ],
  se: [
    entry("executables", "se.tag", "tag", "tag of the image's header", NEEDED),
    entry("executables", "se.image_phkh", "image_phkh", "hash of the image's host key", NEEDED),
    entry(
      "configuration",
      "se.attestation_phkh",
      "attestation_phkh",
      "hash of the key that attested",
      NEEDED,
    ),
  ],
};

function firmwareOf({ platform }: JsonObject): JsonValue[] {
  const components = isJsonObject(platform) ? platform["cca-platform-sw-components"] : undefined;
  if (!Array.isArray(components)) return [];
  return components.flatMap((component: JsonValue) =>
    isJsonObject(component) && component["measurement-value"] !== undefined
      ? [component["measurement-value"]]
      : [],
  );
}

function measurementsOf({ measurements }: JsonObject): JsonValue[] {
  return isJsonObject(measurements)
    ? Object.entries(measurements).map(([index, value]) => `${index}:${String(value)}`)
    : [];
}
