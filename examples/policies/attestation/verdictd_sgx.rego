# Intel SGX as verdictd's policies judge it: enclave, signer, product and version, each against its list in the data file.
package policy

default allow := false

allow if {
	mrEnclave_is_grant
	mrSigner_is_grant
	input.productId >= data.productId
	input.svn >= data.svn
}

mrEnclave_is_grant if {
	count(data.mrEnclave) == 0
}

mrEnclave_is_grant if {
	count(data.mrEnclave) > 0
	input.mrEnclave == data.mrEnclave[_]
}

mrSigner_is_grant if {
	count(data.mrSigner) == 0
}

mrSigner_is_grant if {
	count(data.mrSigner) > 0
	input.mrSigner == data.mrSigner[_]
}

parseInfo := {
	"mrEnclave": [input.mrEnclave, data.mrEnclave],
	"mrSigner": [input.mrSigner, data.mrSigner],
	"productId": [input.productId, data.productId],
	"svn": [input.svn, data.svn],
}
