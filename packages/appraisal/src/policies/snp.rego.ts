// SPDX-License-Identifier: Apache-2.0
// The default policy for AMD SEV-SNP.

export const SNP: string = `# AMD SEV-SNP: a guest with a known launch measurement on firmware of known versions, which stays on its machine.
package policy

hardware := 2 if {
	platform_is_genuine
	versions_are_recent

	# The reported version of the boot loader is known.
	version_is_known("snp_bootloader", input.snp.reported_tcb_bootloader)

	# The reported version of the microcode is known.
	version_is_known("snp_microcode", input.snp.reported_tcb_microcode)

	# The reported version of the SNP firmware is known.
	version_is_known("snp_snp_svn", input.snp.reported_tcb_snp)

	# The reported version of the secure processor's system is known.
	version_is_known("snp_tee_svn", input.snp.reported_tcb_tee)
}

executables := 3 if {
	# The launch measurement is known.
	known("snp_launch_measurement", input.snp.measurement)
}

# The guest may be debugged: the platform's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	guest_stays_here
	init_data_is_known

	# The state of simultaneous multithreading is known.
	known("snp_smt_enabled", input.snp.platform_smt_enabled)

	# The state of transparent memory encryption is known.
	known("snp_tsme_enabled", input.snp.platform_tsme_enabled)

	# The least ABI of the guest policy, major, is known.
	known("snp_guest_abi_major", input.snp.policy_abi_major)

	# The least ABI of the guest policy, minor, is known.
	known("snp_guest_abi_minor", input.snp.policy_abi_minor)

	# The guest policy on a single socket is known.
	known("snp_single_socket", input.snp.policy_single_socket)

	# The guest policy on simultaneous multithreading is known.
	known("snp_smt_allowed", input.snp.policy_smt_allowed)
} else := 3 if {
	guest_stays_here
	init_data_is_known

	# The state of simultaneous multithreading is known, where a reference value is stated.
	known_if_stated("snp_smt_enabled", input.snp.platform_smt_enabled)

	# The state of transparent memory encryption is known, where a reference value is stated.
	known_if_stated("snp_tsme_enabled", input.snp.platform_tsme_enabled)

	# The least ABI of the guest policy, major, is known, where a reference value is stated.
	known_if_stated("snp_guest_abi_major", input.snp.policy_abi_major)

	# The least ABI of the guest policy, minor, is known, where a reference value is stated.
	known_if_stated("snp_guest_abi_minor", input.snp.policy_abi_minor)

	# The guest policy on a single socket is known, where a reference value is stated.
	known_if_stated("snp_single_socket", input.snp.policy_single_socket)

	# The guest policy on simultaneous multithreading is known, where a reference value is stated.
	known_if_stated("snp_smt_allowed", input.snp.policy_smt_allowed)
}

guest_stays_here if {
	# No migration agent may take the guest's memory elsewhere.
	# Next: Launch the guest with a policy that allows no migration agent.
	input.snp.policy_migrate_ma == false

	# The report was asked for at the highest privilege level (VMPL 0).
	# Next: Ask for the report at VMPL 0, or judge what runs at VMPL 0 with a policy of your own.
	input.snp.vmpl == 0
}

identifiers["measurement"] := input.snp.measurement
`;
