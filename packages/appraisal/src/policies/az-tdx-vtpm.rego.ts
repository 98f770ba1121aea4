// SPDX-License-Identifier: Apache-2.0
// The default policy for Azure confidential VMs on Intel TDX.

export const AZ_TDX_VTPM: string = `# Azure's vTPM on Intel TDX: a known boot in its vTPM; td-report.rego judges platform, paravisor and CPU features.
package policy

report := input.az_tdx_vtpm

hardware := 2 if td_is_known

executables := 3 if {
	# What the boot loader started (PCR 11) is known.
	known("tdx_pcr11", input.az_tdx_vtpm.tpm.pcr11)
}

identifiers["pcr11"] := input.az_tdx_vtpm.tpm.pcr11
`;
