// SPDX-License-Identifier: Apache-2.0
// A token for people: who, when, and what it says of each submodule, trust values in words.

import {
  type EarAppraisal,
  type EarClaims,
  TRUST_CLAIMS,
  type TrustTier,
  tierOf,
  trustWords,
} from "@adyton/appraisal";
import type { JsonObject } from "@adyton/core/json";
import { printable, type Style, table, wrap } from "../frame/style.ts";

/** Sections: the token, and each submodule. */
export function tokenSections(
  form: string,
  header: JsonObject,
  claims: EarClaims,
  style: Style,
  width: number,
): string[] {
  const { iat, exp, iss, eat_nonce: nonce, eat_profile: profile } = claims;
  const { developer, build } = claims["ear.verifier-id"];
  const rows = [
    ["form", `${form}, ${String(header.alg)}`],
    ...(header.kid === undefined ? [] : [["key id", String(header.kid)]]),
    ["profile", profile],
    ["issuer", iss ?? "not named"],
    ["verifier", `${build} by ${developer}`],
    ["issued", timeText(iat)],
    ["expires", exp === undefined ? "not named" : timeText(exp)],
    ...(nonce === undefined ? [] : [["nonce", nonce]]),
  ];
  const token = `${style.bold("Token")}\n${table(rows.map((row) => row.map(printable)))}`;
  return [
    token,
    ...Object.entries(claims.submods).map(([name, part]) => submodText(name, part, style, width)),
  ];
}

function submodText(name: string, part: EarAppraisal, style: Style, width: number): string {
  const status = part["ear.status"];
  const simulated = part["adyton.simulated"] === true ? `, ${style.caution("SIMULATED")}` : "";
  const vector = part["ear.trustworthiness-vector"];
  const rows = TRUST_CLAIMS.flatMap((claim) => {
    const value = vector[claim];
    return value === undefined || value === 0
      ? []
      : [[claim, String(value), tierOf(value), trustWords(claim, value)]];
  });
  const policy = part["ear.appraisal-policy-id"];
  const findings = (part["adyton.explanation"] ?? []).flatMap(({ ok, message, next }) => [
    wrap(printable(`${ok ? "✓" : "✗"} ${message}`), width, 4).slice(2),
    ...(ok || next === undefined ? [] : [wrap(printable(`next: ${next}`), width, 4)]),
  ]);
  return [
    `${style.bold(printable(name))}: ${tierText(status, style)}${simulated}`,
    ...(rows.length === 0 ? [] : [table(rows)]),
    ...(policy === undefined ? [] : [wrap(printable(`policy ${policy}`), width, 2)]),
    ...findings,
  ].join("\n");
}

export function tierText(status: TrustTier, style: Style): string {
  return status === "affirming" ? style.good(status) : style.bad(status);
}

/** Seconds since 1970 as RFC 3339; as a number where it is no year that anyone writes. */
function timeText(seconds: number): string {
  const time = new Date(seconds * 1000);
  return Number.isNaN(time.getTime()) ? `${seconds} seconds since 1970` : time.toISOString();
}
