// SPDX-License-Identifier: Apache-2.0
// The default policy for IBM Secure Execution.

export const SE: string = `# IBM Secure Execution: a known image, attested under a known key. The tag is that of the image's header.
package policy

hardware := 2 if platform_is_genuine

executables := 3 if {
	# The tag of the image's header is known.
	known("se.tag", input.se.tag)

	# The hash of the image's host key is known.
	known("se.image_phkh", input.se.image_phkh)
}

# The image is in debug mode.
configuration := 96 if not debug_is_off

else := 2 if {
	# The hash of the key that attested is known.
	known("se.attestation_phkh", input.se.attestation_phkh)

	init_data_is_known
}

identifiers["tag"] := input.se.tag
`;
