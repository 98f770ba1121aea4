package policy

evidence_of(signer, svn, verdict) := {
	"sgx": {"body": {"mr_signer": signer, "isv_svn": svn}},
	"adyton": object.union({"simulated": false, "debug": false, "tcb": {"advisoryIds": []}}, verdict),
}

test_release if {
	executables == 4 with input as evidence_of(our_signer, "0500", {})
	hardware == 2 with input as evidence_of(our_signer, "0500", {})
	configuration == 2 with input as evidence_of(our_signer, "0500", {})
}

test_high_byte_counts if executables == 4 with input as evidence_of(our_signer, "0001", {})

test_old_release if executables == 33 with input as evidence_of(our_signer, "0400", {})

test_no_number[text] if {
	some text in ["", "05", "zz00", "050000"]
	executables == 33 with input as evidence_of(our_signer, text, {})
}

test_another_signer if executables == 33 with input as evidence_of("00", "0500", {})

test_simulated if hardware == 97 with input as evidence_of(our_signer, "0500", {"simulated": true})

test_debug if configuration == 96 with input as evidence_of(our_signer, "0500", {"debug": true})

test_advisories if {
	seen := {"tcb": {"advisoryIds": ["INTEL-SA-00615"]}}
	new := {"tcb": {"advisoryIds": ["INTEL-SA-00615", "INTEL-SA-00837"]}}
	hardware == 2 with input as evidence_of(our_signer, "0500", seen)
	hardware == 97 with input as evidence_of(our_signer, "0500", new)
}
