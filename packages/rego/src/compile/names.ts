// SPDX-License-Identifier: Apache-2.0
// Names of functions that are special: refused, deprecated, or not to be replaced.

/** Functions that reach out of the evaluation, and why there is none here. */
export const REFUSED: ReadonlyMap<string, string> = new Map([
  ["http.send", "policies do not reach the network; fetch first and pass the answer as input or data"],
  [
    "net.lookup_ip_addr",
    "policies do not reach the network; resolve names first and pass them as input or data",
  ],
  ["opa.runtime", "there is no OPA process; pass what the policy needs as input or data"],
  ["rego.parse_module", "policies are parsed before evaluation, not in it"],
]);

/** In v1 an error: what each was replaced by. */
export const DEPRECATED: ReadonlyMap<string, string> = new Map([
  ["all", "`every`"],
  ["any", "`some … in`"],
  ["cast_array", "a check with is_array"],
  ["cast_boolean", "a check with is_boolean"],
  ["cast_null", "a check with is_null"],
  ["cast_object", "a check with is_object"],
  ["cast_set", "a check with is_set"],
  ["cast_string", "a check with is_string"],
  ["net.cidr_overlap", "net.cidr_contains"],
  ["re_match", "regex.match"],
  ["set_diff", "the operator `-`"],
]);

/** Whether `with` must not replace a built-in function of this name. */
export function isFixed(name: string): boolean {
  return name === "eq" || name.startsWith("internal.") || name.startsWith("rego.metadata.");
}
