// SPDX-License-Identifier: Apache-2.0
// The default policy for AMD SEV-SNP.

export const SNP: string = `# AMD SEV-SNP: a guest with a known launch measurement; snp-report.rego judges firmware and configuration.
package policy

report := input.snp

# The ids of reference values.
ids := {
	"abi_major": "snp_guest_abi_major",
	"abi_minor": "snp_guest_abi_minor",
	"bootloader": "snp_bootloader",
	"microcode": "snp_microcode",
	"single_socket": "snp_single_socket",
	"smt_allowed": "snp_smt_allowed",
	"smt_enabled": "snp_smt_enabled",
	"snp": "snp_snp_svn",
	"tee": "snp_tee_svn",
	"tsme_enabled": "snp_tsme_enabled",
}

executables := 3 if {
	# The launch measurement is known.
	known("snp_launch_measurement", input.snp.measurement)
}

identifiers["measurement"] := input.snp.measurement
`;
