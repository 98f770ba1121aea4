// SPDX-License-Identifier: Apache-2.0
// The default policy for Hygon CSV.

export const CSV: string = `# Hygon CSV: a guest with a known launch measurement, whose registers are encrypted and whose keys stay its own.
package policy

hardware := 2 if {
	platform_is_genuine

	# The chip is known, where serial numbers are stated.
	known_if_stated("csv_serial_number", input.csv.serial_number)
}

executables := 3 if {
	# The launch measurement is known.
	known("csv_measure", input.csv.measure)

	# The id of the virtual machine is known, where a reference value is stated.
	known_if_stated("csv_vm_id", input.csv.vm_id)

	# The version of the virtual machine is known, where a reference value is stated.
	known_if_stated("csv_vm_version", input.csv.vm_version)
}

# The guest may be debugged: the platform's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	registers_are_encrypted
	key_is_not_shared
	init_data_is_known
}

# The guest's registers are encrypted (CSV2), or a reference value says that they need not be.
# Next: Launch the guest with a policy that demands encrypted state.
registers_are_encrypted if input.csv.policy.es == 1

registers_are_encrypted if known("csv_policy_es", input.csv.policy.es)

# The guest's key is not shared with other guests, or a reference value says that it may be.
# Next: Launch the guest with a policy that forbids key sharing.
key_is_not_shared if input.csv.policy.noks == 1

key_is_not_shared if known("csv_policy_noks", input.csv.policy.noks)

identifiers["measure"] := input.csv.measure
`;
