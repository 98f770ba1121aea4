// SPDX-License-Identifier: Apache-2.0
// The default policy for AWS Nitro Enclaves.

export const NITRO: string = `# AWS Nitro Enclaves: a known enclave image. Its debug mode shows as zeros for measurements.
package policy

hardware := 2 if platform_is_genuine

executables := 3 if {
	# The enclave image (PCR 0) is known.
	known("nitro_pcr0", input.nitro.pcr0)

	# Kernel and boot files (PCR 1) are known, where a reference value is stated.
	known_if_stated("nitro_pcr1", input.nitro.pcr1)

	# The application (PCR 2) is known, where a reference value is stated.
	known_if_stated("nitro_pcr2", input.nitro.pcr2)

	# The signer of the image (PCR 8) is known, where a reference value is stated.
	known_if_stated("nitro_pcr8", object.get(input.nitro, "pcr8", null))
}

# The enclave is in debug mode: the instance's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	# The role of the parent instance (PCR 3) is known, where a reference value is stated.
	known_if_stated("nitro_pcr3", object.get(input.nitro, "pcr3", null))

	# The parent instance (PCR 4) is known, where a reference value is stated.
	known_if_stated("nitro_pcr4", object.get(input.nitro, "pcr4", null))

	init_data_is_known
}

identifiers["pcr0"] := input.nitro.pcr0
`;
