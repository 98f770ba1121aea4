// SPDX-License-Identifier: Apache-2.0
// What the default policies for AMD SEV-SNP share, on plain machines and in Azure.

export const SNP_REPORT: string = `# The report of AMD SEV-SNP: firmware of known versions, and a guest that stays on its machine. Who uses it says which
# claims are the report, and under which ids its reference values stand.
package policy

hardware := 2 if {
	platform_is_genuine
	versions_are_recent

	# The reported version of the boot loader is known.
	version_is_known(ids.bootloader, report.reported_tcb_bootloader)

	# The reported version of the microcode is known.
	version_is_known(ids.microcode, report.reported_tcb_microcode)

	# The reported version of the SNP firmware is known.
	version_is_known(ids.snp, report.reported_tcb_snp)

	# The reported version of the secure processor's system is known.
	version_is_known(ids.tee, report.reported_tcb_tee)
}

# With minTcb exact versions may be left out; one that is stated must still match.
version_is_known(id, found) if known(id, found)

version_is_known(id, _) if {
	data.rules.minTcb
	not stated(id)
}

# The guest may be debugged: the platform's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	guest_stays_here
	init_data_is_known

	# The state of simultaneous multithreading is known.
	known(ids.smt_enabled, report.platform_smt_enabled)

	# The state of transparent memory encryption is known.
	known(ids.tsme_enabled, report.platform_tsme_enabled)

	# The least ABI of the guest policy, major, is known.
	known(ids.abi_major, report.policy_abi_major)

	# The least ABI of the guest policy, minor, is known.
	known(ids.abi_minor, report.policy_abi_minor)

	# The guest policy on a single socket is known.
	known(ids.single_socket, report.policy_single_socket)

	# The guest policy on simultaneous multithreading is known.
	known(ids.smt_allowed, report.policy_smt_allowed)
} else := 3 if {
	guest_stays_here
	init_data_is_known

	# The state of simultaneous multithreading is known, where a reference value is stated.
	known_if_stated(ids.smt_enabled, report.platform_smt_enabled)

	# The state of transparent memory encryption is known, where a reference value is stated.
	known_if_stated(ids.tsme_enabled, report.platform_tsme_enabled)

	# The least ABI of the guest policy, major, is known, where a reference value is stated.
	known_if_stated(ids.abi_major, report.policy_abi_major)

	# The least ABI of the guest policy, minor, is known, where a reference value is stated.
	known_if_stated(ids.abi_minor, report.policy_abi_minor)

	# The guest policy on a single socket is known, where a reference value is stated.
	known_if_stated(ids.single_socket, report.policy_single_socket)

	# The guest policy on simultaneous multithreading is known, where a reference value is stated.
	known_if_stated(ids.smt_allowed, report.policy_smt_allowed)
}

guest_stays_here if {
	# No migration agent may take the guest's memory elsewhere.
	# Next: Launch the guest with a policy that allows no migration agent.
	report.policy_migrate_ma == false

	# The report was asked for at the highest privilege level (VMPL 0).
	# Next: Ask for the report at VMPL 0, or judge what runs at VMPL 0 with a policy of your own.
	report.vmpl == 0
}
`;
