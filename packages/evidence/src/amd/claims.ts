// SPDX-License-Identifier: Apache-2.0
// What policies see of an SNP report: all of it, flattened into snake_case names, which are Trustee's where Trustee
// has one. Byte strings are hex, 64-bit words 16 hex digits; fields that a report version lacks are absent.

import { toHex } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import type { Report } from "./evidence.ts";
import { parsePlatformInfo, parsePolicy } from "./policy.ts";
import { parseTcbVersion, type TcbLayout } from "./tcb.ts";

type Claims = Record<string, string | number | boolean>;

const SIGNERS: Readonly<Record<number, string>> = { 0: "VCEK", 1: "VLEK", 7: "none" };

/** The claims of a report whose TCB versions are laid out as `layout` says. */
export function claimsOf(report: Report, layout: TcbLayout): JsonObject {
  const { signature: _signature, signedPart: _signedPart, keyInfo, ...fields } = report;
  const claims: Claims = {};
  flatten(claims, "", {
    ...fields,
    initData: report.hostData,
    ...keyInfo,
    signingKey: SIGNERS[keyInfo.signingKey] ?? "reserved",
    reportedTcb: parseTcbVersion(report.reportedTcb, layout),
    currentTcb: parseTcbVersion(report.currentTcb, layout),
    committedTcb: parseTcbVersion(report.committedTcb, layout),
    launchTcb: parseTcbVersion(report.launchTcb, layout),
  });
  flatten(claims, "policy_", parsePolicy(report.policy));
  flatten(claims, "platform_", parsePlatformInfo(report.platformInfo));
  return claims;
}

/** Members of members get both names: `reportedTcb: {snp}` is `reported_tcb_snp`. */
function flatten(claims: Claims, prefix: string, fields: object): void {
  for (const name in fields) {
    const claim = prefix + snakeCase(name);
    const value = (fields as Readonly<Record<string, Claims[string] | bigint | object | undefined>>)[name];
    if (value instanceof Uint8Array) claims[claim] = toHex(value);
    else if (typeof value === "bigint") claims[claim] = value.toString(16).padStart(16, "0");
    else if (typeof value === "object") flatten(claims, `${claim}_`, value);
    else if (value !== undefined) claims[claim] = value;
  }
}

/** Worked out once per name: there are few names and many reports. */
function snakeCase(name: string): string {
  let snake = snakes.get(name);
  if (snake === undefined) {
    snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    snakes.set(name, snake);
  }
  return snake;
}
const snakes = new Map<string, string>();
