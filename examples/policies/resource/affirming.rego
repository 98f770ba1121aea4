# Everything that attested is affirmed, and none of it is a software TEE: Trustee's two samples in one.
package policy

default allow := false

allow if {
	# Only secrets are asked for here.
	data.plugin == "resource"

	# There is something that was appraised.
	count(input.submods) > 0

	every submodule in input.submods {
		# The verifier affirms it.
		submodule["ear.status"] == "affirming"

		# It is hardware.
		not submodule["ear.veraison.annotated-evidence"].sample
	}
}
