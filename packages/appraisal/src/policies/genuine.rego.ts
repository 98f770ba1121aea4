// SPDX-License-Identifier: Apache-2.0
// What the default policies and the minimum rules share: who vouches, and debug.

export const GENUINE: string = `# Who vouches, and whether somebody may look inside. Trust values are those of AR4SI, chosen as Trustee's default policy
# chooses them: 2 to 31 affirm, 32 to 95 warn, 96 and above contradict. A claim stays at its default until everything
# about it holds.
package policy

# The hardware is not recognized.
default hardware := 97

# Not everything about the configuration is known to be good.
default configuration := 36

platform_is_genuine if {
	root_is_trusted
	revocation_is_known
}

# The evidence stands under a hardware vendor's root.
# Next: Use evidence from hardware. For development only, set allowSimulated.
root_is_trusted if not input.adyton.simulated

# The evidence is simulated, or may be: the rules allow it.
root_is_trusted if data.rules.allowSimulated

# The vendor's revocation lists were checked.
# Next: Give the vendor's current CRL with the endorsements, or drop requireRevocation.
revocation_is_known if input.adyton.revocation == "checked"

# The vendor's revocation lists need not be checked.
revocation_is_known if not data.rules.requireRevocation

# Debug is off: nobody can read or change through it what runs inside.
# Next: Launch without debug. For development only, set allowDebug.
debug_is_off if not input.adyton.debug

# Debug is on, or may be: the rules allow it.
debug_is_off if data.rules.allowDebug
`;
