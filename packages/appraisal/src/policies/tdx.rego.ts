// SPDX-License-Identifier: Apache-2.0
// The default policy for Intel TDX.

export const TDX: string = `# Intel TDX: a trust domain on an up-to-date platform, with known firmware, kernel, command line and CPU features.
package policy

hardware := 2 if {
	platform_is_genuine
	tcb_is_healthy

	# The measurement of the virtual firmware (MRTD) is known.
	known("mr_td", input.tdx.quote.body.mr_td)

	# The measurement of the TDX module (MRSEAM) is known, where a reference value is stated.
	known_if_stated("mr_seam", input.tdx.quote.body.mr_seam)

	# The measurement of the firmware's configuration (RTMR 0) is known, where a reference value is stated.
	known_if_stated("rtmr_0", input.tdx.quote.body.rtmr_0)
}

# Trustee gives 3 where the event log also names kernel and command line; 4 is for the registers alone.
executables := 4 if {
	# The measurement of the boot loader and kernel (RTMR 1) is known.
	known("rtmr_1", input.tdx.quote.body.rtmr_1)

	# The measurement of the command line and initrd (RTMR 2) is known.
	known("rtmr_2", input.tdx.quote.body.rtmr_2)

	# The measurement of the running workload (RTMR 3) is known, where a reference value is stated.
	known_if_stated("rtmr_3", input.tdx.quote.body.rtmr_3)
}

# The TD is in debug mode: the platform's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	# The TD is not migratable: no migration TD of the host's choice can take its memory elsewhere.
	# Next: Launch the TD without the migratable attribute, or judge its migration TD with a policy of your own.
	input.tdx.td_attributes.migratable == false

	# The set of enabled CPU features (XFAM) is known.
	known("xfam", input.tdx.quote.body.xfam)

	init_data_is_known
}

identifiers["mr_td"] := input.tdx.quote.body.mr_td

identifiers["rtmr_1"] := input.tdx.quote.body.rtmr_1

identifiers["rtmr_2"] := input.tdx.quote.body.rtmr_2
`;
