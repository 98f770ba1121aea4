// SPDX-License-Identifier: Apache-2.0
// The default policy for Intel SGX.

export const SGX: string = `# Intel SGX: an enclave on an up-to-date platform, known by its measurement, or by signer, product and version.
package policy

hardware := 2 if {
	platform_is_genuine
	tcb_is_healthy
}

executables := 3 if {
	# The enclave's measurement (MRENCLAVE) is known.
	known("sgx_mrenclave", input.sgx.body.mr_enclave)

	# The enclave's signer (MRSIGNER) is known, where a reference value is stated.
	known_if_stated("sgx_mrsigner", input.sgx.body.mr_signer)

	# The enclave's product id is known, where a reference value is stated.
	known_if_stated("sgx_isv_prod_id", u16(input.sgx.body.isv_prod_id))

	# The enclave's security version is high enough, where a reference value is stated.
	at_least_if_stated("sgx_isv_svn", u16(input.sgx.body.isv_svn))
} else := 4 if {
	# The enclave's measurement (MRENCLAVE) is known, where a reference value is stated.
	known_if_stated("sgx_mrenclave", input.sgx.body.mr_enclave)

	# The enclave's signer (MRSIGNER) is known.
	known("sgx_mrsigner", input.sgx.body.mr_signer)

	# The enclave's product id is known.
	known("sgx_isv_prod_id", u16(input.sgx.body.isv_prod_id))

	# The enclave's security version is high enough.
	at_least("sgx_isv_svn", u16(input.sgx.body.isv_svn))
}

# The enclave is in debug mode: the platform's owner can look inside.
configuration := 96 if not debug_is_off

else := 2 if init_data_is_known

identifiers["mr_enclave"] := input.sgx.body.mr_enclave

identifiers["mr_signer"] := input.sgx.body.mr_signer

# Two little-endian bytes in hex, as Trustee writes SGX's numbers.
u16(text) := number if {
	is_string(text)
	regex.match(\`^[0-9a-fA-F]{4}$\`, text)
	digits := [indexof("0123456789abcdef", digit) | some digit in split(lower(text), "")]
	number := (((digits[2] * 4096) + (digits[3] * 256)) + (digits[0] * 16)) + digits[1]
}

u16(number) := number if is_number(number)
`;
