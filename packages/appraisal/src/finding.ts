// SPDX-License-Identifier: Apache-2.0
// One line of an explanation: which rule looked at what, how it went, and what to do when it went badly.

import type { JsonValue } from "@adyton/core/json";

export interface Finding {
  /** A member of `Rules`, `reference:<id>`, `claim:<path>`, `policy:<name>`, `init-data` or `tee`. Stable. */
  readonly rule: string;
  readonly ok: boolean;
  /** A sentence for people. Never a secret. */
  readonly message: string;
  readonly found?: JsonValue;
  readonly expected?: JsonValue;
  /** Who vouches for the reference value that matched, where the store of reference values tells. */
  readonly vouchers?: JsonValue;
  /** The next thing to try. Every refusal has one. */
  readonly next?: string;
  /** Where the policy says so: file, and line from 1. */
  readonly file?: string;
  readonly line?: number;
}

interface Facts {
  readonly found?: JsonValue | undefined;
  readonly expected?: JsonValue | undefined;
}

/** A rule that holds. */
export function passed(rule: string, message: string, facts: Facts = {}): Finding {
  return Object.freeze({ rule, ok: true, message, ...present(facts) });
}

/** A rule that does not hold; `next` says what would change that. */
export function refused(rule: string, message: string, next: string, facts: Facts = {}): Finding {
  return Object.freeze({ rule, ok: false, message, ...present(facts), next });
}

function present({ found, expected }: Facts): { found?: JsonValue; expected?: JsonValue } {
  return { ...(found === undefined ? {} : { found }), ...(expected === undefined ? {} : { expected }) };
}
