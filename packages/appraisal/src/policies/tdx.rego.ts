// SPDX-License-Identifier: Apache-2.0
// The default policy for Intel TDX.

export const TDX: string = `# Intel TDX: a trust domain with known kernel and command line; td-report.rego judges platform, firmware and CPU
# features.
package policy

report := input.tdx

hardware := 2 if {
	td_is_known

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

identifiers["rtmr_1"] := input.tdx.quote.body.rtmr_1

identifiers["rtmr_2"] := input.tdx.quote.body.rtmr_2
`;
