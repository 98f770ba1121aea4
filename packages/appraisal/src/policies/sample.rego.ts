// SPDX-License-Identifier: Apache-2.0
// The default policy for the software TEE.

export const SAMPLE: string = `# The software TEE: refused by root_is_trusted outside development mode, because its owner can look inside.
package policy

hardware := 2 if {
	platform_is_genuine

	# The security version of the software TEE is known.
	known("svn", input.sample.svn)

	# The major version of the software TEE is known.
	known("major_version", input.sample.platform_version.major)

	# The minor version of the software TEE is high enough.
	at_least("minimum_minor_version", input.sample.platform_version.minor)
}

executables := 3 if {
	# The launch digest is known.
	known("launch_digest", input.sample.launch_digest)
}

# The software TEE is in debug mode.
configuration := 96 if not debug_is_off

else := 2 if init_data_is_known

identifiers["launch_digest"] := input.sample.launch_digest
`;
