package policy

lists := {"mrEnclave": ["e1"], "mrSigner": ["s1"], "productId": 1, "svn": 5}

enclave := {"mrEnclave": "e1", "mrSigner": "s1", "productId": 1, "svn": 5}

decided(change, known) if {
	allow with input as object.union(enclave, change)
		with data.mrEnclave as known.mrEnclave
		with data.mrSigner as known.mrSigner
		with data.productId as known.productId
		with data.svn as known.svn
}

test_known if decided({}, lists)

test_newer if decided({"svn": 6}, lists)

test_changed[field] if {
	some field, value in {"mrEnclave": "ff", "mrSigner": "ff", "productId": 0, "svn": 4}
	not decided({field: value}, lists)
}

test_by_signer if decided({"mrEnclave": "ff"}, object.union(lists, {"mrEnclave": []}))

test_by_enclave if decided({"mrSigner": "ff"}, object.union(lists, {"mrSigner": []}))

test_says_both if {
	[5, 4] == parseInfo.svn with input as enclave
		with data.mrEnclave as []
		with data.mrSigner as []
		with data.productId as 1
		with data.svn as 4
}
