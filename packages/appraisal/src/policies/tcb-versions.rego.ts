// SPDX-License-Identifier: Apache-2.0
// Judges the TCB where the vendor publishes version numbers alone (AMD).

export const TCB_VERSIONS: string = `# AMD publishes no status of a TCB: versions are compared with the least that minTcb names.
package policy

# Every TCB version is at least what minTcb demands.
# Next: Update the platform's firmware and commit it, or lower minTcb.
versions_are_recent if {
	data.rules.minTcb
	versions_reach_minimum(input.adyton.tcb.components.reported)
	every name in ["current", "committed"] {
		versions_reach_minimum(object.get(input.adyton.tcb.components, name, {"svn": data.rules.minTcb}))
	}
}

# No least versions are demanded.
versions_are_recent if not data.rules.minTcb

versions_reach_minimum(component) if {
	every part, least in data.rules.minTcb {
		is_number(component.svn[part])
		component.svn[part] >= least
	}
}
`;
