# Role-based access: who a workload is, is what was measured; what it may have, are the roles of that workload.
package policy

default allow := false

# By measurement, as the token names the workload.
roles_of := {
	"d1d1d1d1": {"inference"},
	"d2d2d2d2": {"training", "inference"},
	"d3d3d3d3": {"operator"},
}

# By role: repository/type/tag, * for any one part.
granted := {
	"inference": ["models/key/*"],
	"training": ["datasets/key/*", "models/key/*"],
	"operator": ["*/*/*"],
}

# Where only hardware of some kinds is trusted.
kinds := {"datasets": {"snp", "tdx"}}

allow if {
	cpu["ear.status"] == "affirming"
	kind_is_trusted

	# A role of the workload is granted this resource.
	# Next: Add the workload to a role, or the resource to what its role is granted.
	some role in roles_of[measurement]
	some pattern in granted[role]
	glob.match(pattern, ["/"], concat("/", data["resource-path"]))
}

cpu := input.submods.cpu0

claims := cpu["ear.veraison.annotated-evidence"]

measurement := claims.snp.measurement

measurement := claims.tdx.quote.body.rtmr_2

kind_is_trusted if not kinds[data["resource-path"][0]]

kind_is_trusted if {
	some kind in kinds[data["resource-path"][0]]
	claims[kind]
}
