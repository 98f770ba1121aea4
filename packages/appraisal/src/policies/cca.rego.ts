// SPDX-License-Identifier: Apache-2.0
// The default policy for Arm CCA.

export const CCA: string = `# Arm CCA: a realm with a known initial measurement on a platform of a known make, all of whose firmware is known.
package policy

hardware := 2 if {
	platform_is_genuine

	# The make of the platform (implementation id) is known.
	known("cca_implementation_id", input.cca.platform["cca-platform-implementation-id"])

	# The platform reports its firmware.
	count(input.cca.platform["cca-platform-sw-components"]) > 0

	# Every piece of the platform's firmware is known.
	firmware_is_known
}

firmware_is_known if {
	every component in input.cca.platform["cca-platform-sw-components"] {
		known("cca_firmware", component["measurement-value"])
	}
}

executables := 3 if {
	# The realm's initial measurement is known.
	known("cca_realm_initial_measurement", input.cca.realm["cca-realm-initial-measurement"])
}

# The platform is not in its secured state: whoever debugs it can look inside.
configuration := 96 if not debug_is_off

else := 2 if {
	# The platform's configuration is known.
	known("cca_platform_config", input.cca.platform["cca-platform-config"])

	init_data_is_known
}

identifiers["initial_measurement"] := input.cca.realm["cca-realm-initial-measurement"]
`;
