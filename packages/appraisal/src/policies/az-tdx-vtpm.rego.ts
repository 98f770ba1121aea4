// SPDX-License-Identifier: Apache-2.0
// The default policy for Azure confidential VMs on Intel TDX.

export const AZ_TDX_VTPM: string = `# Azure's vTPM on Intel TDX: a known paravisor on an up-to-date platform, and a known boot in its vTPM.
package policy

hardware := 2 if {
	platform_is_genuine
	tcb_is_healthy

	# The measurement of the paravisor (MRTD) is known.
	known("mr_td", input.az_tdx_vtpm.quote.body.mr_td)

	# The measurement of the TDX module (MRSEAM) is known, where a reference value is stated.
	known_if_stated("mr_seam", input.az_tdx_vtpm.quote.body.mr_seam)
}

executables := 3 if {
	# What the boot loader started (PCR 11) is known.
	known("tdx_pcr11", input.az_tdx_vtpm.tpm.pcr11)
}

# The TD is in debug mode: the platform's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	# The TD is not migratable: no migration TD of the host's choice can take its memory elsewhere.
	# Next: Launch the TD without the migratable attribute, or judge its migration TD with a policy of your own.
	input.az_tdx_vtpm.td_attributes.migratable == false

	# The set of enabled CPU features (XFAM) is known.
	known("xfam", input.az_tdx_vtpm.quote.body.xfam)

	init_data_is_known
}

identifiers["mr_td"] := input.az_tdx_vtpm.quote.body.mr_td

identifiers["pcr11"] := input.az_tdx_vtpm.tpm.pcr11
`;
