// SPDX-License-Identifier: Apache-2.0
// The default policy for Azure confidential VMs on AMD SEV-SNP.

export const AZ_SNP_VTPM: string = `# Azure's vTPM on AMD SEV-SNP: a known paravisor, and a known boot in its vTPM; snp-report.rego judges firmware and
# configuration.
package policy

report := input.az_snp_vtpm

# The ids of reference values.
ids := {
	"abi_major": "abi_major",
	"abi_minor": "abi_minor",
	"bootloader": "tcb_bootloader",
	"microcode": "tcb_microcode",
	"single_socket": "single_socket",
	"smt_allowed": "smt_allowed",
	"smt_enabled": "smt_enabled",
	"snp": "tcb_snp",
	"tee": "tcb_tee",
	"tsme_enabled": "tsme_enabled",
}

executables := 3 if {
	# The launch measurement of the paravisor is known.
	known("measurement", input.az_snp_vtpm.measurement)

	# What the boot loader started (PCR 11) is known.
	known("snp_pcr11", input.az_snp_vtpm.tpm.pcr11)
}

identifiers["measurement"] := input.az_snp_vtpm.measurement

identifiers["pcr11"] := input.az_snp_vtpm.tpm.pcr11
`;
