// SPDX-License-Identifier: Apache-2.0
// `adyton explain`: the reasons behind attestation results, as the trust services keep them.

import { type Explanation, readEarUnverified, renderExplanation } from "@adyton/appraisal";
import type { Admin } from "@adyton/client";
import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { readToken } from "../token/input.ts";
import { adminOf } from "./place.ts";

const DECISION = /^[1-9]\d{0,14}$/;
const SESSION = /^[0-9a-f]{32}$/;

/**
 * JSON: `{id, at, status, submods: {name: {tee, status, policy, reasons}}}`; of the list `{explanations: [{id, at, status,
 * tees}]}`; of an entry of the audit log `{seq, time, event, text, explanation}`.
 */
export async function explain(invocation: Invocation, io: Io): Promise<ExitCode> {
  const admin = await adminOf(invocation, io);
  const id = await idOf(invocation, admin, io);
  if (id === undefined) {
    const explanations = await admin.listExplanations();
    if (invocation.json) writeJson(io.stdout, { explanations });
    else io.stdout.write(listText(explanations));
    return EXIT.ok;
  }
  const found = await foundBy(id, admin);
  if (invocation.json) writeJson(io.stdout, found);
  else io.stdout.write(`${textOf(found, invocation.flag("all"), io)}\n`);
  return EXIT.ok;
}

function foundBy(id: string, admin: Admin): Promise<JsonObject> {
  if (DECISION.test(id)) return admin.explainDecision(Number(id));
  return SESSION.test(id) ? admin.explainSession(id) : admin.getExplanation(id);
}

function textOf(found: JsonObject, all: boolean, io: Io): string {
  const style = styleOf(io.stdout, io.env);
  if (typeof found.text === "string") {
    const { explanation } = found;
    const rest = isJsonObject(explanation) ? textOf(explanation, all, io) : "";
    const lines = found.text.split("\n").map((line) => printable(line));
    return [lines.join("\n"), ...(rest === "" ? [] : [rest])].join("\n\n");
  }
  const heading = `${style.bold(printable(String(found.id)))}  ${printable(String(found.at))}  ${printable(String(found.status))}`;
  return [heading, ...reasonTexts(found, all)].join("\n\n");
}

/** Each submodule, with its policy and its tree. */
export function reasonTexts({ submods }: JsonObject, all: boolean = false): string[] {
  return Object.entries(isJsonObject(submods) ? submods : {}).map(([name, part]) => {
    if (!isJsonObject(part)) return printable(name);
    const head = printable(`${name}: ${String(part.status)}, by policy ${String(part.policy)}`);
    return isExplanation(part.reasons)
      ? `${head}\n${printable(renderExplanation(part.reasons, { all }))}`
      : `${head}\nThis policy tells no reasons.`;
  });
}

async function idOf(invocation: Invocation, admin: Admin, io: Io): Promise<string | undefined> {
  const [id] = invocation.arguments;
  const path = invocation.value("token");
  if (path !== undefined) {
    if (id !== undefined)
      throw misuse("UNEXPECTED_ARGUMENT", "Cannot explain two things: expected ID or --token");
    const { jti } = readEarUnverified(await readToken(path, io)).claims;
    if (typeof jti === "string") return jti;
    throw misuse(
      "INVALID_VALUE",
      `Cannot explain ${path}: the token has no jti`,
      "Ask the verifier that issued it.",
    );
  }
  if (id !== "last") return id;
  const newest = (await admin.listExplanations(1))[0]?.id;
  if (typeof newest === "string") return newest;
  throw misuse("INVALID_VALUE", "Cannot explain the last attestation: there was none in a day");
}

function listText(explanations: readonly JsonObject[]): string {
  const rows = explanations.map(({ id, at, status, tees }) =>
    [id, at, status, Array.isArray(tees) ? tees.join("+") : ""].map((cell) => printable(String(cell))),
  );
  return rows.length === 0 ? "" : `${table(rows, 0)}\n`;
}

function isExplanation(value: JsonValue | undefined): value is JsonObject & Explanation {
  return (
    isJsonObject(value) &&
    typeof value.text === "string" &&
    typeof value.ok === "boolean" &&
    typeof value.kind === "string" &&
    Array.isArray(value.children) &&
    value.children.every(isExplanation)
  );
}
