# Many workloads, one broker: each has a repository that is called as its init-data says, and reads nothing else. Init-data is
# bound to the evidence, and the attestation policy vouched for its digest.
package policy

default allow := false

allow if {
	# The verifier affirms the processor.
	input.submods.cpu0["ear.status"] == "affirming"

	# The workload asks for what is its own.
	# Next: Name the repository in the init-data's [data] table, under "repository".
	data["resource-path"][0] == repository
}

repository := input.submods.cpu0["ear.veraison.annotated-evidence"].init_data_claims.repository
