package policy

token(version, realm) := {"evidence": {
	"platform": {"cca-platform-sw-components": [{"measurement-type": "TF-A", "version": version}]},
	"realm": {"cca-realm-personalization-value": realm},
}}

test_current if {
	hardware == NO_CLAIM with input as token("2.10.0", "realm-a")
	executables == NO_CLAIM with input as token("2.11.3", "realm-b")
}

test_old_firmware if hardware == UNSAFE_HW with input as token("2.9.9", "realm-a")

test_unlisted_realm if executables == UNRECOGNIZED_RT with input as token("2.10.0", "realm-c")

test_names_the_realm if {
	added_claims["organisation.realm"] == "realm-a" with input as token("2.10.0", "realm-a")
}
