// SPDX-License-Identifier: Apache-2.0
// The steps of an evaluation as lines: where, what, and with which values.

import type { TraceEvent } from "@adyton/rego";
import { printable } from "../frame/style.ts";

/** Characters of a line of policy, and of a value. */
const MAX_TEXT = 80;

/** The choices of `--explain`. */
export const EXPLANATIONS = ["full", "fails", "notes"] as const;

/** The lines that an event is worth. */
export function explain(
  event: TraceEvent,
  choice: string,
  sources: Readonly<Record<string, string>>,
): readonly string[] {
  const indent = "  ".repeat(Math.min(event.depth, 20));
  if (event.kind === "note") return [`${indent}note  ${printable(event.message)}`];
  if (choice === "notes" || (choice === "fails" && event.kind !== "fail")) return [];
  const { location, node } = event;
  if (node === undefined) return [];
  const text = (sources[location.file] ?? "").slice(location.offset, location.end).split("\n")[0] ?? "";
  const what = "head" in node ? `rule ${text}` : text;
  const operands = event.kind === "fail" && !("head" in node) ? (event.operands?.() ?? []) : [];
  const values = operands.flatMap(({ term, value }) =>
    term.kind === "scalar" || value === undefined ? [] : [shortened(JSON.stringify(value))],
  );
  const place = `${location.file}:${location.row}`;
  const found = values.length === 0 ? "" : `  found ${values.join(", ")}`;
  return [`${indent}${event.kind.padEnd(5)} ${place}  ${printable(shortened(what) + found)}`];
}

function shortened(text: string): string {
  return text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}…` : text;
}
