// SPDX-License-Identifier: Apache-2.0
// What the default policies share: who vouches, debug, init-data, and how reference values are compared.

export const COMMON: string = `# What every default policy shares. Trust values are those of AR4SI, chosen as Trustee's default policy chooses them:
# 2 to 31 affirm, 32 to 95 warn, 96 and above contradict. A claim stays at its default until everything about it holds.
package policy

# The hardware is not recognized.
default hardware := 97

# What runs is not recognized.
default executables := 33

# Not everything about the configuration is known to be good.
default configuration := 36

trust_claims := {
	"configuration": configuration,
	"executables": executables,
	"hardware": hardware,
}

extensions := {"ear.trustee.identifiers": {"validated": identifiers}}

# --- who vouches -----------------------------------------------------------------------------------------------------

platform_is_genuine if {
	root_is_trusted
	revocation_is_known
}

# The evidence stands under a hardware vendor's root.
# Next: Use evidence from hardware. For development only, set allowSimulated.
root_is_trusted if not input.adyton.simulated

root_is_trusted if data.rules.allowSimulated

# The vendor's revocation lists were checked, or need not be.
# Next: Give the vendor's current CRL with the endorsements, or drop requireRevocation.
revocation_is_known if not data.rules.requireRevocation

revocation_is_known if input.adyton.revocation == "checked"

# --- debug and init-data ---------------------------------------------------------------------------------------------

# Debug is off: nobody can read or change through it what runs inside.
# Next: Launch without debug. For development only, set allowDebug.
debug_is_off if not input.adyton.debug

debug_is_off if data.rules.allowDebug

# The init-data, which the host chooses, is known; or there is none, and none is demanded.
init_data_is_known if known("init_data", input.adyton.init_data)

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
	some least in query_reference_value(id)
	is_number(least)
	found >= least
}

at_least_if_stated(id, found) if at_least(id, found)

at_least_if_stated(id, _) if not stated(id)

stated(id) if count(query_reference_value(id)) > 0
`;
