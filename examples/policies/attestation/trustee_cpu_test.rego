package policy

known(id) := object.get(
	{
		"snp_launch_measurement": ["d1"],
		"snp_snp_svn": [24],
		"snp_microcode": [219],
		"rtmr_1": ["a1"],
		"rtmr_2": ["a2"],
		"mr_td": ["a0"],
		"xfam": ["e7"],
		"launch_digest": ["c1"],
		"svn": ["1"],
	},
	id, [],
)

snp := {
	"measurement": "d1",
	"reported_tcb_snp": 24,
	"reported_tcb_microcode": 219,
	"policy_debug_allowed": false,
	"policy_migrate_ma": false,
}

tdx := {
	"quote": {"body": {"rtmr_1": "a1", "rtmr_2": "a2", "mr_td": "a0", "xfam": "e7"}},
	"tcb_status": "UpToDate",
	"td_attributes": {"debug": false},
}

good := {"executables": 3, "hardware": 2, "configuration": 2}

bad := {"executables": 33, "hardware": 97, "configuration": 36}

test_known[tee] if {
	some tee, claims in {"snp": snp, "tdx": tdx, "sample": {"launch_digest": "c1", "svn": "1"}}
	trust_claims == good with input as {tee: claims} with query_reference_value as known
}

test_nothing_is_known if trust_claims == bad with input as {"tpm": {}} with query_reference_value as known

test_another_measurement if {
	changed := object.union(snp, {"measurement": "ff"})
	trust_claims.executables == 33 with input as {"snp": changed} with query_reference_value as known
}

test_debug[tee] if {
	some tee, claims in {
		"snp": object.union(snp, {"policy_debug_allowed": true}),
		"tdx": object.union(tdx, {"td_attributes": {"debug": true}}),
	}
	trust_claims.configuration == 36 with input as {tee: claims} with query_reference_value as known
}

test_old_firmware[tee] if {
	some tee, claims in {
		"snp": object.union(snp, {"reported_tcb_snp": 8}),
		"tdx": object.union(tdx, {"tcb_status": "OutOfDate"}),
	}
	trust_claims.hardware == 97 with input as {tee: claims} with query_reference_value as known
}
