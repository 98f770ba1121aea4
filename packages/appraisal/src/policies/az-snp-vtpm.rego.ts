// SPDX-License-Identifier: Apache-2.0
// The default policy for Azure confidential VMs on AMD SEV-SNP.

export const AZ_SNP_VTPM: string = `# Azure's vTPM on AMD SEV-SNP: a known paravisor on firmware of known versions, and a known boot in its vTPM.
package policy

hardware := 2 if {
	platform_is_genuine
	versions_are_recent

	# The reported version of the boot loader is known.
	version_is_known("tcb_bootloader", input.az_snp_vtpm.reported_tcb_bootloader)

	# The reported version of the microcode is known.
	version_is_known("tcb_microcode", input.az_snp_vtpm.reported_tcb_microcode)

	# The reported version of the SNP firmware is known.
	version_is_known("tcb_snp", input.az_snp_vtpm.reported_tcb_snp)

	# The reported version of the secure processor's system is known.
	version_is_known("tcb_tee", input.az_snp_vtpm.reported_tcb_tee)
}

executables := 3 if {
	# The launch measurement of the paravisor is known.
	known("measurement", input.az_snp_vtpm.measurement)

	# What the boot loader started (PCR 11) is known.
	known("snp_pcr11", input.az_snp_vtpm.tpm.pcr11)
}

# The guest may be debugged: the platform's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	guest_stays_here
	init_data_is_known

	# The state of simultaneous multithreading is known.
	known("smt_enabled", input.az_snp_vtpm.platform_smt_enabled)

	# The state of transparent memory encryption is known.
	known("tsme_enabled", input.az_snp_vtpm.platform_tsme_enabled)

	# The least ABI of the guest policy, major, is known.
	known("abi_major", input.az_snp_vtpm.policy_abi_major)

	# The least ABI of the guest policy, minor, is known.
	known("abi_minor", input.az_snp_vtpm.policy_abi_minor)

	# The guest policy on a single socket is known.
	known("single_socket", input.az_snp_vtpm.policy_single_socket)

	# The guest policy on simultaneous multithreading is known.
	known("smt_allowed", input.az_snp_vtpm.policy_smt_allowed)
} else := 3 if {
	guest_stays_here
	init_data_is_known

	# The state of simultaneous multithreading is known, where a reference value is stated.
	known_if_stated("smt_enabled", input.az_snp_vtpm.platform_smt_enabled)

	# The state of transparent memory encryption is known, where a reference value is stated.
	known_if_stated("tsme_enabled", input.az_snp_vtpm.platform_tsme_enabled)

	# The least ABI of the guest policy, major, is known, where a reference value is stated.
	known_if_stated("abi_major", input.az_snp_vtpm.policy_abi_major)

	# The least ABI of the guest policy, minor, is known, where a reference value is stated.
	known_if_stated("abi_minor", input.az_snp_vtpm.policy_abi_minor)

	# The guest policy on a single socket is known, where a reference value is stated.
	known_if_stated("single_socket", input.az_snp_vtpm.policy_single_socket)

	# The guest policy on simultaneous multithreading is known, where a reference value is stated.
	known_if_stated("smt_allowed", input.az_snp_vtpm.policy_smt_allowed)
}

guest_stays_here if {
	# No migration agent may take the guest's memory elsewhere.
	# Next: Launch the guest with a policy that allows no migration agent.
	input.az_snp_vtpm.policy_migrate_ma == false

	# The report was asked for at the highest privilege level (VMPL 0).
	# Next: Ask for the report at VMPL 0, or judge what runs at VMPL 0 with a policy of your own.
	input.az_snp_vtpm.vmpl == 0
}

identifiers["measurement"] := input.az_snp_vtpm.measurement

identifiers["pcr11"] := input.az_snp_vtpm.tpm.pcr11
`;
