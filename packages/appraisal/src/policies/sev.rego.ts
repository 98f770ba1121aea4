// SPDX-License-Identifier: Apache-2.0
// The default policy for AMD SEV and SEV-ES.

export const SEV: string = `# AMD SEV and SEV-ES: a guest with a known launch digest, whose registers are encrypted and whose keys stay its own.
package policy

hardware := 2 if platform_is_genuine

executables := 3 if {
	# The launch digest is known.
	known("sev_launch_digest", input.sev.launch_digest)
}

# The guest may be debugged: the platform's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	# The guest's registers are encrypted (SEV-ES).
	# Next: Launch the guest with a policy that demands SEV-ES.
	input.sev.policy.es == true

	# The guest's key is not shared with other guests.
	# Next: Launch the guest with a policy that forbids key sharing.
	input.sev.policy.noks == true

	init_data_is_known
}

identifiers["launch_digest"] := input.sev.launch_digest
`;
