// SPDX-License-Identifier: Apache-2.0
// Cases of the compliance suite that `@adyton/rego` fails on purpose. A case named here that passes fails the test.

const NO_NETWORK = "functions that reach the network or the file system are refused at compile time";
const NO_GRAPHQL = "GraphQL functions are not built";
const NO_TEST_FUNCTION = "test.sleep exists only in OPA's own test binary";

/** By folder, or by folder and note. */
export const DIFFERENCES: Readonly<Record<string, string>> = {
  graphql: NO_GRAPHQL,
  invalidkeyerror: NO_NETWORK,
  netlookupipaddr: NO_NETWORK,
  "time: time/time caching": NO_TEST_FUNCTION,
};
