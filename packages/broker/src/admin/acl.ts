// SPDX-License-Identifier: Apache-2.0
// Access by address, as Trustee's `[admin.authorization.regex_acl]` has it: a role, and a regular expression of the paths
// (with their query) that it may ask for. Expressions are Go's and Rust's kind, which no text slows down.

import { AdytonError } from "@adyton/core/errors";
import { Regex } from "@adyton/rego/re2";
import { BrokerError } from "../errors.ts";

export interface AclRule {
  readonly role: string;
  /** From `^` to `$`: `^/kbs/v0/resource/.*$`. */
  readonly allowedEndpoints: string;
}

export interface Acl {
  /** Whether one of these roles may ask for this path with its query. */
  allows(roles: readonly string[], pathAndQuery: string): boolean;
}

const MAX_PATH = 8 * 1024;
const MAX_STEPS = 2_000_000;

/** Throws `STATE_INVALID` for an expression that cannot be read, or that fits in the midst of a path. */
export function compileAcl(rules: readonly AclRule[]): Acl {
  const compiled = rules.map(({ role, allowedEndpoints }) => ({
    role,
    regex: compiledRule(allowedEndpoints),
  }));
  return {
    allows: (roles, path) =>
      path.length <= MAX_PATH &&
      compiled.some(({ role, regex }) => roles.includes(role) && fits(regex, path)),
  };
}

function fits(regex: Regex, path: string): boolean {
  let left = MAX_STEPS;
  return regex.test(path, (steps) => {
    left -= steps;
    if (left < 0) {
      throw new BrokerError("ADMIN_FORBIDDEN", "policy", "Cannot decide by address: the path takes too long");
    }
  });
}

function compiledRule(expression: string): Regex {
  if (!/^\^.*[^\\]\$$/s.test(expression)) throw invalid(expression, "it does not reach from ^ to $");
  try {
    // By itself first, so that no bracket in it closes ours. Each side of a bar has to reach from ^ to $.
    new Regex(expression);
    return new Regex(`^(?:${expression})$`);
  } catch (cause) {
    if (cause instanceof AdytonError || cause instanceof Error) throw invalid(expression, cause.message);
    throw cause;
  }
}

function invalid(expression: string, why: string): BrokerError {
  return new BrokerError(
    "STATE_INVALID",
    "misuse",
    `Cannot use ${JSON.stringify(expression.slice(0, 200))} as allowed endpoints: ${why}`,
    { hint: "Write for example ^/kbs/v0/resource/team-a/.*$" },
  );
}
