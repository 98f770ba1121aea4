// SPDX-License-Identifier: Apache-2.0
// Cases of the compliance suite that `@adyton/rego` fails on purpose. A case named here that passes fails the test.

const NO_NETWORK = "functions that reach the network or the file system are refused at compile time";
const NUMBERS_ARE_VALUES = "numbers are values, not texts: 2e308 is an integer and shown in full";
const NO_PARSER_FUNCTION =
  "rego.parse_module would show our syntax tree as OPA's, and carry the parser into every bundle";
const NO_TEST_FUNCTION = "test.sleep exists only in OPA's own test binary";

/** By folder, or by folder and note. */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  invalidkeyerror: NO_NETWORK,
  netlookupipaddr: NO_NETWORK,
  regoparsemodule: NO_PARSER_FUNCTION,
  "strings: strings/sprintf: float too big": NUMBERS_ARE_VALUES,
  "time: time/time caching": NO_TEST_FUNCTION,
  "withkeyword: withkeyword/builtin: http.send example": NO_NETWORK,
  "withkeyword: withkeyword/builtin: nested, multiple mocks": NO_NETWORK,
  "withkeyword: withkeyword/builtin-builtin: arity 0": NO_NETWORK,
};
