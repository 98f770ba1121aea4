// SPDX-License-Identifier: Apache-2.0
// The default policy for TPMs: of machines, of Google Cloud and of Alibaba Cloud.

export const TPM: string = `# A TPM: a known firmware started a known system with known settings. It measures and hides nothing: whoever owns the
# machine can look in.
package policy

hardware := 2 if {
	platform_is_genuine

	# The firmware (PCR 0) is known.
	known("tpm_pcr00", input.tpm.pcr00)

	# The attestation key is known, where keys are stated.
	known_if_stated("trusted_aks", input.tpm.ak_public)
}

executables := 3 if {
	# The unified kernel image (PCR 11) is known.
	known("tpm_pcr11", input.tpm.pcr11)

	# The boot loader (PCR 4) is known, where a reference value is stated.
	known_if_stated("tpm_pcr04", input.tpm.pcr04)

	# What the boot loader read (PCR 9) is known, where a reference value is stated.
	known_if_stated("tpm_pcr09", input.tpm.pcr09)
} else := 4 if {
	# The boot loader (PCR 4) is known.
	known("tpm_pcr04", input.tpm.pcr04)

	# What the boot loader read (PCR 9: kernel, initrd) is known.
	known("tpm_pcr09", input.tpm.pcr09)

	# The unified kernel image (PCR 11) is known, where a reference value is stated.
	known_if_stated("tpm_pcr11", input.tpm.pcr11)
}

# The TPM's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	# The state of secure boot (PCR 7) is known.
	known("tpm_pcr07", input.tpm.pcr07)

	init_data_is_known
}

identifiers["pcr11"] := input.tpm.pcr11

identifiers["ak_public"] := input.tpm.ak_public
`;
