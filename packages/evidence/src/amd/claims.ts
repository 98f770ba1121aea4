// SPDX-License-Identifier: Apache-2.0
// What policies see of an SNP report: Trustee's flat names first, then the rest of the report in the same manner.
// Byte strings are hex, 64-bit words 16 hex digits.

import { toHex } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { type Report, VMPL_HOST } from "./evidence.ts";
import { parsePlatformInfo, parsePolicy } from "./policy.ts";
import { parseTcbVersion, type TcbLayout } from "./tcb.ts";

const SIGNERS: Readonly<Record<number, string>> = { 0: "VCEK", 1: "VLEK", 7: "none" };

/** The claims of a report whose TCB versions are laid out as `layout` says. */
export function claimsOf(report: Report, layout: TcbLayout): JsonObject {
  const policy = parsePolicy(report.policy);
  const platform = parsePlatformInfo(report.platformInfo);
  const { cpuid, keyInfo, current, committed } = report;
  return {
    // Trustee's names
    measurement: toHex(report.measurement),
    report_data: toHex(report.reportData),
    init_data: toHex(report.hostData),
    chip_id: toHex(report.chipId),
    policy_abi_major: policy.abiMajor,
    policy_abi_minor: policy.abiMinor,
    policy_smt_allowed: policy.smtAllowed,
    policy_migrate_ma: policy.migrateMaAllowed,
    policy_debug_allowed: policy.debugAllowed,
    policy_single_socket: policy.singleSocketRequired,
    platform_smt_enabled: platform.smtEnabled,
    platform_tsme_enabled: platform.tsmeEnabled,
    ...tcbClaims("reported_tcb", report.reportedTcb, layout),
    // the rest
    version: report.version,
    guest_svn: report.guestSvn,
    vmpl: report.vmpl === VMPL_HOST ? "host" : report.vmpl,
    family_id: toHex(report.familyId),
    image_id: toHex(report.imageId),
    host_data: toHex(report.hostData),
    id_key_digest: toHex(report.idKeyDigest),
    author_key_digest: toHex(report.authorKeyDigest),
    author_key_enabled: keyInfo.authorKeyEnabled,
    report_id: toHex(report.reportId),
    report_id_ma: toHex(report.reportIdMa),
    signing_key: SIGNERS[keyInfo.signingKey] ?? "reserved",
    mask_chip_key: keyInfo.maskChipKey,
    policy: hexWord(report.policy),
    policy_cxl_allowed: policy.cxlAllowed,
    policy_mem_aes_256_xts: policy.memAes256XtsRequired,
    policy_rapl_disabled: policy.raplDisabled,
    policy_ciphertext_hiding: policy.ciphertextHidingRequired,
    policy_page_swap_disabled: policy.pageSwapDisabled,
    platform_info: hexWord(report.platformInfo),
    platform_ecc_enabled: platform.eccEnabled,
    platform_rapl_disabled: platform.raplDisabled,
    platform_ciphertext_hiding_enabled: platform.ciphertextHidingEnabled,
    platform_alias_check_complete: platform.aliasCheckComplete,
    platform_iommu_write_safe: platform.iommuWriteSafe,
    platform_tio_enabled: platform.tioEnabled,
    ...tcbClaims("current_tcb", report.currentTcb, layout),
    ...tcbClaims("committed_tcb", report.committedTcb, layout),
    ...tcbClaims("launch_tcb", report.launchTcb, layout),
    current_major: current.major,
    current_minor: current.minor,
    current_build: current.build,
    committed_major: committed.major,
    committed_minor: committed.minor,
    committed_build: committed.build,
    ...(cpuid === undefined
      ? {}
      : { cpuid_family: cpuid.family, cpuid_model: cpuid.model, cpuid_stepping: cpuid.stepping }),
    ...(report.launchMitVector === undefined ? {} : { launch_mit_vector: hexWord(report.launchMitVector) }),
    ...(report.currentMitVector === undefined
      ? {}
      : { current_mit_vector: hexWord(report.currentMitVector) }),
  };
}

function tcbClaims(prefix: string, raw: Uint8Array, layout: TcbLayout): Record<string, number> {
  return Object.fromEntries(
    Object.entries(parseTcbVersion(raw, layout)).map(([name, svn]) => [`${prefix}_${name}`, svn]),
  );
}

function hexWord(word: bigint): string {
  return word.toString(16).padStart(16, "0");
}
