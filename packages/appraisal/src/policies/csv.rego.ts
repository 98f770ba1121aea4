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
	# The guest's registers are encrypted (CSV2).
	# Next: Launch the guest with a policy that demands encrypted state.
	input.csv.policy.es == 1

	# The guest's key is not shared with other guests.
	# Next: Launch the guest with a policy that forbids key sharing.
	input.csv.policy.noks == 1

	init_data_is_known
}

identifiers["measure"] := input.csv.measure
`;
