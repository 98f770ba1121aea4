// SPDX-License-Identifier: Apache-2.0
// `adyton proposal`: what waits for a second administrator.

import type { ProposalAdmin, ProposalFacts } from "@adyton/client";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { adminOf } from "./place.ts";

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

/** JSON: the proposal. */
export async function show(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = ""] = invocation.arguments;
  tell(await (await proposalsOf(invocation, io)).get(id), invocation, io);
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

function tell(facts: ProposalFacts, invocation: Invocation, io: Io): void {
  if (invocation.json) {
    writeJson(io.stdout, facts);
    return;
  }
  const {
    action,
    approvals,
    by,
    bytes,
    code,
    content,
    digest,
    expires,
    method,
    needed,
    path,
    state,
    target,
  } = facts;
  const rows = [
    ["state", `${state}${code === undefined ? "" : ` (${code})`}`],
    ["action", `${action} ${target}`.trim()],
    ["request", `${method} ${path}, ${bytes} bytes`],
    ["proposed by", by],
    ["approved by", `${approvals.join(", ") || "nobody"} (${approvals.length} of ${needed})`],
    ["until", expires],
    ["digest", digest],
  ];
  io.stdout.write(`${table(rows.map((row) => row.map(printable)))}\n`);
  for (const [name, value] of Object.entries(content ?? {})) {
    const shown = typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
    io.stdout.write(`\n${printable(name)}:\n${printable(shown)}\n`);
  }
}
