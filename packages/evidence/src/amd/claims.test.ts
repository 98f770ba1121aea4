// SPDX-License-Identifier: Apache-2.0
import { fixtureBytes, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { inspectEvidence } from "../registry.ts";

describe.skipIf(!hasFixtures)("claims of a real report", () => {
  it("has every field, Trustee's under Trustee's names", async () => {
    const evidence = await fixtureBytes("sev-snp/microsoft/genoa_attestation_report.bin");
    const { measurement, report_data, id_key_digest, author_key_digest, report_id, ...claims } =
      inspectEvidence(evidence);
    for (const [digest, length] of [
      [measurement, 96],
      [report_data, 128],
      [id_key_digest, 96],
      [author_key_digest, 96],
      [report_id, 64],
    ]) {
      expect(digest).toHaveLength(Number(length));
    }
    const tcb = (prefix: string): Record<string, number> => ({
      [`${prefix}_bootloader`]: 10,
      [`${prefix}_tee`]: 0,
      [`${prefix}_snp`]: 23,
      [`${prefix}_microcode`]: 84,
    });
    expect(claims).toEqual({
      version: 3,
      guest_svn: 2,
      policy: "000000000003001f",
      policy_abi_major: 0,
      policy_abi_minor: 31,
      policy_smt_allowed: true,
      policy_migrate_ma: false,
      policy_debug_allowed: false,
      policy_single_socket: false,
      policy_cxl_allowed: false,
      policy_mem_aes256_xts: false,
      policy_rapl_disabled: false,
      policy_ciphertext_hiding: false,
      policy_page_swap_disabled: false,
      family_id: "01000000000000000000000000000000",
      image_id: "02000000000000000000000000000000",
      vmpl: 0,
      platform_info: "0000000000000027",
      platform_smt_enabled: true,
      platform_tsme_enabled: true,
      platform_ecc_enabled: true,
      platform_rapl_disabled: false,
      platform_ciphertext_hiding_enabled: false,
      platform_alias_check_complete: true,
      platform_iommu_write_safe: false,
      platform_tio_enabled: false,
      author_key_enabled: false,
      mask_chip_key: false,
      signing_key: "VCEK",
      init_data: claims.host_data,
      host_data: claims.host_data,
      report_id_ma: "f".repeat(64),
      cpuid_family: 0x19,
      cpuid_model: 0x11,
      cpuid_stepping: 1,
      chip_id:
        "b1e24a27bbc3a4d58090d8b89851dce3b8031544be249b9ac17132bb222b027622347ee4d0fe4f689efdfc47a68cefc686cbb448d01436506ee1e28010cab7c0",
      ...tcb("reported_tcb"),
      ...tcb("current_tcb"),
      ...tcb("committed_tcb"),
      ...tcb("launch_tcb"),
      current_major: 1,
      current_minor: 55,
      current_build: 40,
      committed_major: 1,
      committed_minor: 55,
      committed_build: 40,
    });
    expect(claims.host_data).toHaveLength(64);
  });
});
