// SPDX-License-Identifier: Apache-2.0
// A verdict for people: the answer in the first line, then what it rests on, then the next step.

import { type Finding, renderExplanation } from "@adyton/appraisal";
import { isJsonObject, type JsonValue } from "@adyton/core/json";
import { schemeOf, type Tcb } from "@adyton/evidence";
import { printable, type Style, styleOf, table, wrap } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { identityRows } from "./claims.ts";
import type { Verdict } from "./verdict.ts";

/** The answer goes to stdout, the next step to stderr. */
export function printVerdict(
  verdict: Verdict,
  source: { readonly path: string; readonly given: boolean },
  io: Io,
): void {
  const style = styleOf(io.stdout, io.env);
  const width = Math.min(110, io.stdout.columns);
  const sections = [headline(verdict, style), ...bodyOf(verdict, style, width)];
  io.stdout.write(`${sections.join("\n\n")}\n`);
  io.stderr.write(`Next: ${printable(nextOf(verdict, source))}\n`);
}

/** One line: VERIFIED or REJECTED, what it is, and why. */
function headline(verdict: Verdict, style: Style): string {
  const title = verdict.tee === null ? "evidence of unknown kind" : schemeOf(verdict.tee).title;
  if (verdict.verdict === "rejected") {
    const why = verdict.findings.filter((finding) => !finding.ok).map((finding) => finding.message);
    const reason = why.length > 0 ? `refused by policy: ${why.join(" ")}` : verdict.explanation.join(" ");
    return `${style.bad("REJECTED")}  ${title} [${verdict.code}]\n${printable(reason)}`;
  }
  const status = verdict.tcb?.status ? `, TCB ${verdict.tcb.status}` : "";
  const simulated = verdict.simulated === true ? `, ${style.caution("SIMULATED")}` : "";
  const debug = verdict.debug === true ? `, ${style.caution("DEBUG")}` : "";
  return `${style.good("VERIFIED")}  ${title}${status}${simulated}${debug}`;
}

function bodyOf(verdict: Verdict, style: Style, width: number): string[] {
  const sections: string[] = [];
  const add = (heading: string, text: string): void => {
    if (text !== "") sections.push(`${style.bold(heading)}\n${text}`);
  };
  if (verdict.trust !== null) {
    add(
      "Trust",
      table([
        ["root", printable(verdict.trust.root)],
        ["SHA-256", verdict.trust.rootSha256],
        ["at", verdict.at],
      ]),
    );
  }
  if (verdict.tcb !== null) add("TCB", tcbTable(verdict.tcb));
  if (verdict.claims !== null) add("Identity", table(identityRows(verdict.claims)));
  if (verdict.endorsements !== null) {
    const used = verdict.endorsements;
    add(
      "Endorsements",
      table([
        ["oldest issued", used.earliestIssue ?? "unknown"],
        ["first to expire", used.earliestExpiry ?? "unknown"],
        ["revocation", used.revocation],
      ]),
    );
  }
  add(
    "Warnings",
    verdict.warnings
      .map((warning) => wrap(printable(`${warning.code}: ${warning.message}`), width, 2))
      .join("\n"),
  );
  if (verdict.trust !== null) {
    const passed = verdict.explanation.slice(0, verdict.explanation.length - verdict.findings.length);
    const lines = [
      ...passed.map((line) => `✓ ${line}`),
      ...verdict.findings.map(
        (finding) => `${finding.ok ? "✓" : "✗"} ${finding.message}${placeOf(finding)}${vouchedOf(finding)}`,
      ),
    ];
    add("Checks", lines.map((line) => wrap(printable(line), width, 4).slice(2)).join("\n"));
  }
  const reasons = verdict.appraisal?.reasons;
  if (reasons !== null && reasons !== undefined && !reasons.ok) {
    add("Why", printable(renderExplanation(reasons)));
  }
  return sections;
}

/** Where a policy says so, after what does not hold. */
function placeOf({ ok, file, line }: Finding): string {
  return ok || file === undefined ? "" : ` (${file}:${line ?? 1})`;
}

/** Who vouches for the reference value that was met. */
function vouchedOf({ vouchers }: Finding): string {
  const names = (Array.isArray(vouchers) ? vouchers : []).flatMap((each: JsonValue) =>
    isJsonObject(each) && typeof each.name === "string" ? [each.name] : [],
  );
  return names.length === 0 ? "" : ` (vouched for by ${[...new Set(names)].join(", ")})`;
}

function tcbTable(tcb: Tcb): string {
  const rows = Object.entries(tcb.components).map(([name, component]) => [
    name,
    component.status ?? "",
    component.date?.slice(0, 10) ?? "",
    component.advisoryIds?.join(" ") ?? "",
    versionsText(component.svn ?? {}),
  ]);
  const columns = ["component", "status", "level date", "advisories", "versions"];
  const used = columns.map((_column, i) => rows.some((row) => row[i] !== ""));
  const kept = [columns, ...rows].map((row) => row.filter((_cell, i) => used[i]).map((cell) => cell || "-"));
  const converged = tcb.status === null ? [] : [`  converged status ${tcb.status}`];
  const number =
    tcb.evaluationNumber === null ? [] : [`  TCB evaluation data number ${tcb.evaluationNumber}`];
  return [table(kept), ...converged, ...number].join("\n");
}

/** `snp=24 microcode=219`; numbered series as one: `sgx=2,2,3,0… pceSvn=13`. */
function versionsText(versions: Readonly<Record<string, number>>): string {
  const series = new Map<string, number[]>();
  for (const [name, value] of Object.entries(versions)) {
    const base = name.replace(/\d+$/, "");
    series.set(base, [...(series.get(base) ?? []), value]);
  }
  return [...series]
    .map(([base, values]) => `${base}=${values.join(",").replace(/(,0)(,0)+$/, "$1…")}`)
    .join(" ");
}

function nextOf(verdict: Verdict, source: { readonly path: string; readonly given: boolean }): string {
  if (verdict.next !== null) return verdict.next;
  if (verdict.verdict === "rejected") {
    return source.given
      ? `\`adyton evidence inspect ${source.path}\` shows what the evidence claims.`
      : "Give the vendor's certificates, CRLs and TCB data with --endorsements PATH.";
  }
  return "Compare the identity above with the one you expect; `adyton up` automates that for workloads.";
}
