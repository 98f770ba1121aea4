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
	registers_are_encrypted
	key_is_not_shared
	init_data_is_known
}

# The guest's registers are encrypted (SEV-ES), or a reference value says that they need not be.
# Next: Launch the guest with a policy that demands encrypted state.
registers_are_encrypted if input.sev.policy.es == true

registers_are_encrypted if known("sev_policy_es", input.sev.policy.es)

# The guest's key is not shared with other guests, or a reference value says that it may be.
# Next: Launch the guest with a policy that forbids key sharing.
key_is_not_shared if input.sev.policy.noks == true

key_is_not_shared if known("sev_policy_noks", input.sev.policy.noks)

identifiers["launch_digest"] := input.sev.launch_digest
`;
