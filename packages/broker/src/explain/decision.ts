// SPDX-License-Identifier: Apache-2.0
// An entry of the audit log, told to people: what was decided, by which policy, which condition did not hold with which
// value, and what had been attested.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import type { AuditEntry } from "../audit.ts";

/** Told in lines of their own. */
const TOLD: ReadonlySet<string> = new Set([
  ...["type", "resource", "plugin", "path", "method", "tee", "decision", "verdict", "reason", "because"],
  ...["policy", "policySha384", "submods", "simulated", "attestation", "id", "by"],
]);
const MAX_TEXT = 400;
const MAX_VALUE = 40;

/** Several lines, without one at the end. Characters that a terminal would obey are the caller's to escape. */
export function decisionText({ seq, time, event }: AuditEntry): string {
  return [
    `${seq}  ${time}  ${shown(event.type)}${subjectOf(event)}`,
    outcomeOf(event),
    ...objectsIn(event.because).flatMap(conditionLines),
    ...attestedLines(event),
    ...Object.entries(event)
      .filter(([name]) => !TOLD.has(name))
      .map(([name, value]) => `${name}: ${shown(value)}`),
  ].join("\n");
}

function subjectOf({ resource, plugin, method, path, tee }: JsonObject): string {
  if (typeof resource === "string") return `  ${shown(resource)}`;
  if (typeof plugin === "string")
    return `  ${[method, [plugin, path].filter(isText).join("/")]
      .filter(isText)
      .map((part) => shown(part))
      .join(" ")}`;
  return typeof tee === "string" ? `  ${shown(tee)}` : "";
}

function outcomeOf({ decision, verdict, reason, policy, policySha384, by }: JsonObject): string {
  const digest = typeof policySha384 === "string" ? ` (SHA-384 ${policySha384.slice(0, 16)}…)` : "";
  const whose = typeof policy === "string" ? ` by policy ${shown(policy)}${digest}` : "";
  const rules = Array.isArray(reason)
    ? reason.map((part) => shown(part)).join(", ")
    : shown(reason ?? "no reason given");
  if (decision === "deny") return `Refused${whose}: ${rules}.`;
  if (decision === "allow") return `Allowed${whose}.`;
  if (verdict === "refused") return `The evidence was not accepted: ${rules}.`;
  if (verdict === "appraised") return "The evidence is authentic, and was appraised.";
  return `Done${isText(by) ? ` by ${shown(by)}` : ""}${isText(policy) ? `: policy ${shown(policy)}` : ""}.`;
}

/** A condition that did not hold: the rule, what it says, where it stands, what was found. */
function conditionLines({ rule, message, file, line, source, found }: JsonObject): string[] {
  const says = [rule, message ?? source]
    .filter(isText)
    .map((part) => shown(part))
    .join(": ");
  return [
    `  ✗ ${says}`,
    ...(isText(file) ? [`      at ${shown(file)}${typeof line === "number" ? `:${line}` : ""}`] : []),
    ...(isText(source) && isText(message) ? [`      ${shown(source)}`] : []),
    ...(found === undefined ? [] : [`      found: ${foundText(found)}`]),
  ];
}

/** What a condition of a policy looked at, by the expression; or the one value that a rule found. */
function foundText(found: JsonValue): string {
  if (!isJsonObject(found)) return shown(found);
  return Object.entries(found)
    .map(([expression, value]) => `${shown(expression)} is ${shown(value)}`)
    .join(", ");
}

function attestedLines({ submods, simulated, type }: JsonObject): string[] {
  if (!isJsonObject(submods)) return [];
  const lines = Object.entries(submods).flatMap(([name, submod]) => {
    // An attestation's own entry says the status alone.
    if (!isJsonObject(submod)) return [`  ${shown(name)}: ${shown(submod)}`];
    const { references } = submod;
    return [
      `  ${shown(name)}: ${shown(submod.status)}, by policy ${shown(submod.policy)}`,
      ...(isJsonObject(references) ? Object.entries(references).flatMap(referenceLines) : []),
    ];
  });
  const mark = simulated === true ? " (simulated)" : "";
  return [type === "attestation" ? "It came to:" : `What had been attested${mark}:`, ...lines];
}

function referenceLines([id, vouchers]: readonly [string, JsonValue]): string[] {
  return objectsIn(vouchers).map(
    ({ value, name, kind }) =>
      `    ${shown(id)} = ${shown(value, MAX_VALUE)}, vouched for by ${shown(name)} (${shown(kind)})`,
  );
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function shown(value: unknown, most: number = MAX_TEXT): string {
  const text = typeof value === "string" ? value : (JSON.stringify(value) ?? "");
  return text.length > most ? `${text.slice(0, most)}…` : text;
}
