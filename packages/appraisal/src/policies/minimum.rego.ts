// SPDX-License-Identifier: Apache-2.0
// Minimum rules alone, whatever runs on the platform.

const HEAD = `package policy

# The platform is in debug mode: its owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if debug_is_off

`;

/** Where the vendor publishes a status. */
export const MINIMUM_STATUS: string = `# Minimum rules where the vendor publishes a status: a genuine platform without debug, whose TCB they accept.
${HEAD}hardware := 2 if {
	platform_is_genuine
	rules_fit
	status_meets_rules
	tcb_is_recent
	tcb_evaluation_is_recent
	advisories_are_accepted
}

# The status of the TCB is an accepted one.
# Next: Update the platform's firmware and microcode, or add the status to acceptedTcbStatuses.
status_meets_rules if tcb_status_is_accepted

# No status is demanded.
status_meets_rules if not data.rules.acceptedTcbStatuses

# The rules say what status, date or advisories are accepted: versions alone, as in minTcb, show nothing here.
# Next: State acceptedTcbStatuses.
rules_fit if not data.rules.minTcb

# There are rules beside minTcb, which is for other vendors.
rules_fit if {
	some name in ["acceptedTcbStatuses", "minTcbDate", "minEvaluationNumber", "acceptedAdvisories"]
	data.rules[name]
}
`;

/** Where the vendor publishes version numbers alone, or nothing. */
export const MINIMUM_VERSIONS: string = `# Minimum rules where the vendor publishes no status: a genuine platform without debug, of the least versions.
${HEAD}hardware := 2 if {
	platform_is_genuine
	no_status_is_demanded
	no_date_is_demanded
	no_evaluation_is_demanded
	no_advisories_are_judged
	versions_are_recent
}

# No status is demanded, which this vendor does not publish.
# Next: State the least version numbers in minTcb, or leave acceptedTcbStatuses out for this TEE.
no_status_is_demanded if not data.rules.acceptedTcbStatuses

no_status_is_demanded if data.rules.minTcb

# No date is demanded, which this vendor does not publish.
# Next: State the least version numbers in minTcb, or leave minTcbDate out for this TEE.
no_date_is_demanded if not data.rules.minTcbDate

no_date_is_demanded if data.rules.minTcb

# No evaluation number is demanded, which this vendor does not publish.
# Next: State the least version numbers in minTcb, or leave minEvaluationNumber out for this TEE.
no_evaluation_is_demanded if not data.rules.minEvaluationNumber

no_evaluation_is_demanded if data.rules.minTcb

# No advisories are judged, which this vendor does not publish.
# Next: State the least version numbers in minTcb, or leave acceptedAdvisories out for this TEE.
no_advisories_are_judged if not data.rules.acceptedAdvisories

no_advisories_are_judged if data.rules.minTcb
`;
