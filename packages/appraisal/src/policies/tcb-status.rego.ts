// SPDX-License-Identifier: Apache-2.0
// Judges the TCB where the vendor publishes a status of it (Intel).

export const TCB_STATUS: string = `# Intel publishes a status, a date and open advisories for every TCB.
package policy

tcb_is_healthy if {
	tcb_status_is_accepted
	tcb_is_recent
	tcb_evaluation_is_recent
	advisories_are_accepted
}

default accepted_statuses := ["UpToDate"]

accepted_statuses := data.rules.acceptedTcbStatuses

# The status of the TCB is an accepted one.
# Next: Update the platform's firmware and microcode, or add the status to acceptedTcbStatuses.
tcb_status_is_accepted if input.adyton.tcb.status in accepted_statuses

# Every component's TCB dates from minTcbDate or later.
# Next: Update the platform's firmware and microcode, or lower minTcbDate.
tcb_is_recent if {
	least := time.parse_rfc3339_ns(data.rules.minTcbDate)
	time.parse_rfc3339_ns(input.adyton.tcb.date) >= least
	every component in judged_components {
		time.parse_rfc3339_ns(component.date) >= least
	}
}

# No date is demanded.
tcb_is_recent if not data.rules.minTcbDate

judged_components := [component | some component in input.adyton.tcb.components; component.status]

# The vendor's judgement is as new as minEvaluationNumber demands.
# Next: Fetch newer TCB info and QE identity from the vendor, or lower minEvaluationNumber.
tcb_evaluation_is_recent if {
	is_number(input.adyton.tcb.evaluationNumber)
	input.adyton.tcb.evaluationNumber >= data.rules.minEvaluationNumber
}

# No evaluation number is demanded.
tcb_evaluation_is_recent if not data.rules.minEvaluationNumber

# No advisory stands open but those in acceptedAdvisories.
# Next: Update the platform's firmware and microcode, or add the advisories to acceptedAdvisories.
advisories_are_accepted if {
	data.rules.acceptedAdvisories
	open_advisories - {id | some id in data.rules.acceptedAdvisories} == set()
}

# Advisories are not judged.
advisories_are_accepted if not data.rules.acceptedAdvisories

open_advisories contains id if some id in input.adyton.tcb.advisoryIds

open_advisories contains id if {
	some component in input.adyton.tcb.components
	some id in component.advisoryIds
}
`;
