# An enclave of ours, by who signed it: any release from a security version on, on a platform without open advisories but
# those that were looked at. Unlike the default policy no release has to be registered.
package policy

default executables := 33

default hardware := 97

default configuration := 96

our_signer := "83d719e77deaca1470f6baf62a4d774303c899db69020f9c70ee1dfc08c7ce9e"

least_version := 5

looked_at := {"INTEL-SA-00615"}

executables := 4 if {
	# Our key signed the enclave.
	# Next: Sign it with the release key.
	input.sgx.body.mr_signer == our_signer

	# Its security version is not older than the last one with a known hole.
	# Next: Deploy a newer release.
	version >= least_version
}

# Two little-endian bytes in hex.
version := (high * 256) + low if {
	digits := [index |
		some digit in split(input.sgx.body.isv_svn, "")
		index := indexof("0123456789abcdef", digit)
	]
	count(digits) == 4
	min(digits) >= 0
	low := (digits[0] * 16) + digits[1]
	high := (digits[2] * 16) + digits[3]
}

hardware := 2 if {
	# A hardware vendor vouches.
	not input.adyton.simulated

	# No advisory stands open that nobody looked at.
	# Next: Update the platform, or look at the advisory and add it here.
	{advisory | some advisory in input.adyton.tcb.advisoryIds} - looked_at == set()
}

configuration := 2 if {
	# The enclave is not in debug mode.
	not input.adyton.debug
}
