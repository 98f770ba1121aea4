// SPDX-License-Identifier: Apache-2.0
// `adyton proposal`: what waits for a second administrator.

import type { ProposalAdmin, ProposalFacts } from "@adyton/client";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, type Style, styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { adminOf } from "./place.ts";
import { type ProposedChange, proposedChange } from "./proposal-change.ts";

/** JSON: `{proposals: […]}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const all = await (await proposalsOf(invocation, io)).list();
  const proposals = invocation.flag("all")
    ? all
    : all.filter(({ state }) => ["open", "running"].includes(state));
  if (invocation.json) {
    writeJson(io.stdout, { proposals });
    return EXIT.ok;
  }
  const rows = proposals.map(({ id, state, action, target, by, expires }) =>
    [id, state, action, target, `by ${by}`, `until ${expires}`].map(printable),
  );
  if (rows.length > 0) io.stdout.write(`${table(rows, 0)}\n`);
  return EXIT.ok;
}

/** JSON: the proposal, with `summary` and, for policies, `diff`. */
export async function show(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = ""] = invocation.arguments;
  const admin = await adminOf(invocation, io);
  const facts = await admin.proposals.get(id);
  const change = await proposedChange(facts, admin);
  if (invocation.json) {
    const { summary, diff } = change;
    writeJson(io.stdout, { ...facts, summary, ...(diff === undefined ? {} : { diff }) });
    return EXIT.ok;
  }
  tell(facts, invocation, io, change.summary);
  tellChange(change, io);
  return EXIT.ok;
}

/** JSON: the proposal, with `status` and `code` once it was carried out. */
export async function approve(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = ""] = invocation.arguments;
  const proposals = await proposalsOf(invocation, io);
  const digest = invocation.value("digest") ?? (await proposals.get(id)).digest;
  const facts = await proposals.approve(id, digest);
  tell(facts, invocation, io);
  return facts.state === "failed" ? EXIT.policy : EXIT.ok;
}

/** JSON: the proposal. */
export async function reject(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = ""] = invocation.arguments;
  tell(await (await proposalsOf(invocation, io)).reject(id), invocation, io);
  return EXIT.ok;
}

async function proposalsOf(invocation: Invocation, io: Io): Promise<ProposalAdmin> {
  return (await adminOf(invocation, io)).proposals;
}

function tell(facts: ProposalFacts, invocation: Invocation, io: Io, summary?: string): void {
  if (invocation.json) {
    writeJson(io.stdout, facts);
    return;
  }
  const { action, approvals, by, bytes, code, digest, expires, method, needed, path, state, target } = facts;
  const rows = [
    ["state", `${state}${code === undefined ? "" : ` (${code})`}`],
    ["action", `${action} ${target}`.trim()],
    ...(summary === undefined ? [] : [["would", summary]]),
    ["request", `${method} ${path}, ${bytes} bytes`],
    ["proposed by", by],
    ["approved by", `${approvals.join(", ") || "nobody"} (${approvals.length} of ${needed})`],
    ["until", expires],
    ["digest", digest],
  ];
  io.stdout.write(`${table(rows.map((row) => row.map(printable)))}\n`);
}

function tellChange({ content, diff, note }: ProposedChange, io: Io): void {
  const style = styleOf(io.stdout, io.env);
  if (note !== undefined) io.stdout.write(`\n${printable(note)}\n`);
  if (diff !== undefined && diff !== "") {
    const lines = diff.slice(0, -1).split("\n");
    io.stdout.write(`\n${lines.map((line) => coloured(printable(line), style)).join("\n")}\n`);
  }
  for (const [name, value] of Object.entries(content ?? {})) {
    const shown = typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
    io.stdout.write(`\n${printable(name)}:\n${printable(shown)}\n`);
  }
}

function coloured(line: string, style: Style): string {
  if (line.startsWith("+")) return style.good(line);
  return line.startsWith("-") ? style.bad(line) : line.startsWith("@@") ? style.dim(line) : line;
}
