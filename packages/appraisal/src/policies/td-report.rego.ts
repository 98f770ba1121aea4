// SPDX-License-Identifier: Apache-2.0
// What the default policies for Intel TDX share, on plain machines and in Azure.

export const TD_REPORT: string = `# The report of a trust domain: an up-to-date platform, known firmware and CPU features, no migration. Who uses it says
# which claims are the report.
package policy

td_is_known if {
	platform_is_genuine
	tcb_is_healthy

	# The measurement of the virtual firmware (MRTD), in Azure of the paravisor, is known.
	known("mr_td", report.quote.body.mr_td)

	# The measurement of the TDX module (MRSEAM) is known, where a reference value is stated.
	known_if_stated("mr_seam", report.quote.body.mr_seam)
}

# The TD is in debug mode: the platform's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	# The TD is not migratable: no migration TD of the host's choice can take its memory elsewhere.
	# Next: Launch the TD without the migratable attribute, or judge its migration TD with a policy of your own.
	report.td_attributes.migratable == false

	# The set of enabled CPU features (XFAM) is known.
	known("xfam", report.quote.body.xfam)

	init_data_is_known
}

identifiers["mr_td"] := report.quote.body.mr_td
`;
