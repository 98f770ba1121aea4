// SPDX-License-Identifier: Apache-2.0
// Why a policy decided as it did: a tree from the decision down to the claim, the place in the policy and the
// reference value that decided it. Plain data, and its text.

import type { JsonValue } from "@adyton/core/json";

/** One step from the decision (root) to what decided it (leaves). */
export interface Explanation {
  readonly kind: "decision" | "claim" | "rule" | "condition";
  readonly ok: boolean;
  /** A sentence for people: what was decided, or the meaning of the condition. */
  readonly text: string;
  /** Where it stands in the policy. Lines count from 1. */
  readonly file?: string;
  readonly line?: number;
  /** The expression as written. */
  readonly source?: string;
  /** As in `Finding`: stable. */
  readonly rule?: string;
  /** Path of the claim that was looked at: "input.tdx.quote.body.mr_td". */
  readonly claim?: string;
  readonly found?: JsonValue;
  readonly expected?: JsonValue;
  /** Id of the reference value that was asked for. */
  readonly reference?: string;
  /** Who vouches for the reference value that matched, where the store of reference values tells. */
  readonly vouchers?: JsonValue;
  /** The change that would make it pass. */
  readonly next?: string;
  readonly children: readonly Explanation[];
}

export interface RenderOptions {
  /** Wraps marks and places in colours (ANSI). Default false: colour never carries meaning alone. */
  readonly color?: boolean;
  /** Also what holds. Default: only the way to what does not. */
  readonly all?: boolean;
}

const MAX_VALUE = 72;

/** The tree as text, a line or more for each step. Not fit for a terminal before control characters are escaped. */
export function renderExplanation(explanation: Explanation, options: RenderOptions = {}): string {
  const { color = false, all = false } = options;
  const paint = (code: number, text: string): string => (color ? `\u001b[${code}m${text}\u001b[0m` : text);
  const lines: string[] = [];
  // A cause that stands in several ways is told once: what it takes to mend it is the same.
  const told = new Set<string>();
  const visit = (node: Explanation, indent: string, parent?: Explanation): void => {
    const again = !node.ok && !hasNews(node, told);
    if (again && node.kind !== "claim") return;
    const mark = node.ok ? paint(32, "✓") : paint(31, "✗");
    const place = placeOf(node);
    if (parent !== undefined && !node.ok && saysTheSame(node, parent)) {
      // One step further down the same way: only the place is news.
      lines.push(`${indent}  because of ${node.source ?? ""}  ${paint(2, place)}`);
      for (const child of node.children) if (!child.ok) visit(child, indent, parent);
      return;
    }
    const why = again ? ", as above" : "";
    lines.push(`${indent}${mark} ${node.text}${why}${place === "" ? "" : `  ${paint(2, place)}`}`);
    if (again) return;
    if (!node.ok) told.add(causeOf(node));
    const inner = `${indent}  `;
    if (!node.ok) {
      const { source, claim, found, expected, reference, next } = node;
      if (source !== undefined) lines.push(`${inner}  ${source}`);
      if (found !== undefined) lines.push(`${inner}  ${claim ?? "found"} = ${shortValue(found)}`);
      if (reference !== undefined) {
        lines.push(`${inner}  reference value ${reference} = ${shortValue(expected ?? [])}`);
      } else if (expected !== undefined) lines.push(`${inner}  expected ${shortValue(expected)}`);
      if (next !== undefined) lines.push(`${inner}  next: ${next}`);
    }
    // What says how to mend it has said all: below it stands only how the policy computes it.
    if (!node.ok && node.next !== undefined && !all) return;
    for (const child of node.children) if (all || node.ok || !child.ok) visit(child, inner, node);
  };
  visit(explanation, "");
  return lines.join("\n");
}

/** Whether anything below a step that fails was not told yet. */
function hasNews(node: Explanation, told: ReadonlySet<string>): boolean {
  const failing = node.next === undefined ? node.children.filter(({ ok }) => !ok) : [];
  return failing.length === 0 ? !told.has(causeOf(node)) : failing.some((child) => hasNews(child, told));
}

function causeOf({ text, claim, found, reference }: Explanation): string {
  return JSON.stringify([reference === undefined ? text : reference, claim ?? null, found ?? null]);
}

function saysTheSame(node: Explanation, parent: Explanation): boolean {
  return (
    parent.kind === "condition" &&
    node.kind === "condition" &&
    node.found !== undefined &&
    node.reference === parent.reference &&
    JSON.stringify(node.found) === JSON.stringify(parent.found)
  );
}

/** "tdx.rego:12", or "". */
export function placeOf({ file, line }: { readonly file?: string; readonly line?: number }): string {
  return file === undefined ? "" : line === undefined ? file : `${file}:${line}`;
}

/** A value in one line, cut where it is long. */
export function shortValue(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length <= MAX_VALUE ? text : `${text.slice(0, MAX_VALUE - 1)}…`;
}
