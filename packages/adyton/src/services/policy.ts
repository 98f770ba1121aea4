// SPDX-License-Identifier: Apache-2.0
// `adyton policy set|get|list`: the policies that running trust services decide by.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { POLICY_NAMES, type PolicyName } from "@adyton/client";
import { toUtf8 } from "@adyton/core/bytes";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { integerOf } from "../values.ts";
import { adminOf } from "./place.ts";

const MAX_VERSION = 2 ** 31;

/** JSON: `{name, path?, tested}`; `tested` says whether tests went along. */
export async function set(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [, path = "-"] = invocation.arguments;
  const name = nameOf(invocation);
  const beside = path.replace(/(_test)?\.rego$/, "_test.rego");
  const tests = beside !== path && existsSync(resolve(io.cwd, beside)) ? await textOf(beside, io) : undefined;
  const text = await textOf(path, io);
  const pattern = patternOf(name, invocation);
  const admin = await adminOf(invocation, io);
  if (pattern === undefined) await admin.setPolicy(name, text, tests);
  else await admin.resourcePolicies.set(pattern, text, tests);
  const tested = tests !== undefined;
  const scope = pattern === undefined ? {} : { path: pattern };
  if (invocation.json) writeJson(io.stdout, { name, ...scope, tested });
  else
    io.stderr.write(
      `Set policy ${name}${pattern === undefined ? "" : ` of ${printable(pattern)}`}${tested ? `, tested with ${printable(beside)}` : ""}\n`,
    );
  return EXIT.ok;
}

/** The text on stdout; JSON: `{name, policy}`. */
export async function get(invocation: Invocation, io: Io): Promise<ExitCode> {
  const name = nameOf(invocation);
  const pattern = patternOf(name, invocation);
  const admin = await adminOf(invocation, io);
  const policy = await (pattern === undefined ? admin.getPolicy(name) : admin.resourcePolicies.get(pattern));
  if (invocation.json) writeJson(io.stdout, { name, policy });
  else io.stdout.write(io.stdout.isTTY ? printable(policy) : policy);
  return EXIT.ok;
}

/** JSON: `{name, version, sha384, set}` of what is in force now; without a version `{name, versions: […]}`. */
export async function activate(invocation: Invocation, io: Io): Promise<ExitCode> {
  const name = nameOf(invocation);
  const [, text] = invocation.arguments;
  const admin = await adminOf(invocation, io);
  if (text === undefined) {
    const versions = (await admin.listPolicyVersions(name)).map(({ text: _, ...facts }) => facts);
    const rows = versions.map(({ version, set: time, sha384, active }) =>
      [active ? "*" : "", `@${version}`, time, sha384].map(printable),
    );
    if (invocation.json) writeJson(io.stdout, { name, versions });
    else if (rows.length > 0) io.stdout.write(`${table(rows, 0)}\n`);
    return EXIT.ok;
  }
  const facts = await admin.activatePolicy(
    name,
    integerOf("VERSION", text.replace(/^@/, ""), 1, MAX_VERSION),
  );
  if (invocation.json) writeJson(io.stdout, facts);
  else
    io.stderr.write(`Version ${printable(text)} of policy ${name} is in force again, as @${facts.version}\n`);
  return EXIT.ok;
}

/** JSON: `{policies: [{name, version, sha384, set}], paths: [{path, version, sha384, set}]}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const admin = await adminOf(invocation, io);
  const policies = await admin.listPolicies();
  const paths = (await admin.resourcePolicies.list()).filter(({ path }) => path !== "**");
  if (invocation.json) {
    writeJson(io.stdout, { policies, paths });
    return EXIT.ok;
  }
  const named = [...policies, ...paths.map(({ path, ...rest }) => ({ name: `resource ${path}`, ...rest }))];
  const rows = named.map(({ name, version, sha384, set: time }) =>
    [name, `@${version}`, time, sha384].map(printable),
  );
  if (rows.length > 0) io.stdout.write(`${table(rows, 0)}\n`);
  return EXIT.ok;
}

/** JSON: `{path, deleted}`. */
export async function remove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [pattern = ""] = invocation.arguments;
  await (await adminOf(invocation, io)).resourcePolicies.delete(pattern);
  if (invocation.json) writeJson(io.stdout, { path: pattern, deleted: true });
  else io.stderr.write(`Deleted the resource policy of ${printable(pattern)}\n`);
  return EXIT.ok;
}

/** `--path`, which means something for releases alone. */
function patternOf(name: PolicyName, invocation: Invocation): string | undefined {
  const pattern = invocation.value("path");
  if (pattern === undefined || name === "resource") return pattern;
  throw misuse("INVALID_VALUE", `Cannot set policy ${name} for some names: --path goes with resource`);
}

function nameOf(invocation: Invocation): PolicyName {
  const [given = ""] = invocation.arguments;
  const name = POLICY_NAMES.find((known) => known === given);
  if (name === undefined) {
    throw misuse(
      "INVALID_VALUE",
      `Cannot use ${JSON.stringify(given)} as policy name: expected one of ${POLICY_NAMES.join(", ")}`,
    );
  }
  return name;
}

async function textOf(path: string, io: Io): Promise<string> {
  const bytes = await readInput(path, io);
  try {
    return toUtf8(bytes);
  } catch {
    throw misuse("INVALID_VALUE", `Cannot read ${JSON.stringify(path)} as policy: it is no UTF-8`);
  }
}
