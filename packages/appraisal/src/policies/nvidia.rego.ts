// SPDX-License-Identifier: Apache-2.0
// The default policy for NVIDIA GPUs and switches.

export const NVIDIA: string = `# NVIDIA: a device that runs known firmware, driver and video BIOS, every measurement of which is known.
package policy

hardware := 2 if {
	platform_is_genuine

	# The firmware (FWID) is known, where a reference value is stated.
	known_if_stated("allowed_gpu_fwids", object.get(input.nvidia.config, "fwid", null))
}

executables := 3 if {
	# The device reports measurements.
	count(input.nvidia.measurements) > 0

	# Every measurement is known, with its number before it: "12:9a…".
	measurements_are_known
}

measurements_are_known if {
	every index, value in input.nvidia.measurements {
		known("nvidia_measurements", concat(":", [index, value]))
	}
}

# The device is in debug mode.
configuration := 96 if not debug_is_off

else := 2 if {
	# The version of the driver is known.
	known("allowed_driver_versions", object.get(input.nvidia.config, "driver_version", null))

	# The version of the video BIOS is known.
	known("allowed_vbios_versions", object.get(input.nvidia.config, "vbios_version", null))

	init_data_is_known
}

identifiers["chip"] := input.nvidia.chip

identifiers["device_serial"] := input.nvidia.device_serial
`;
