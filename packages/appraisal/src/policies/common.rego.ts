// SPDX-License-Identifier: Apache-2.0
// What the default policies share: init-data, and how reference values are compared.

export const COMMON: string = `# What every default policy shares: what it answers, and how reference values are compared.
package policy

# What runs is not recognized.
default executables := 33

trust_claims := {
	"configuration": configuration,
	"executables": executables,
	"hardware": hardware,
}

extensions := {"ear.trustee.identifiers": {"validated": identifiers}}

# --- init-data --------------------------------------------------------------------------------------------------------

# The init-data, which the host chooses, is known; or there is none, and none is demanded.
init_data_is_known if known("init_data", input.adyton.init_data)

# There is no init-data, and none is demanded.
init_data_is_known if {
	input.adyton.init_data == ""
	not stated("init_data")
}

# --- reference values ------------------------------------------------------------------------------------------------

known(id, found) if found in query_reference_value(id)

# A reference value that is stated is never ignored, even where it is not needed.
known_if_stated(id, found) if known(id, found)

known_if_stated(id, _) if not stated(id)

at_least(id, found) if {
	is_number(found)
	found >= min([least | some least in query_reference_value(id); is_number(least)])
}

at_least_if_stated(id, found) if at_least(id, found)

at_least_if_stated(id, _) if not stated(id)

stated(id) if count(query_reference_value(id)) > 0
`;
