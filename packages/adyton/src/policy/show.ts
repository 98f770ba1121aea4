// SPDX-License-Identifier: Apache-2.0
// `adyton policy show`: the attestation policy in force for a TEE, the default one or that of trust services.

import { defaultPolicyFor, referenceIdsOf } from "@adyton/appraisal";
import { POLICY_NAMES, type PolicyName } from "@adyton/client";
import { TEE_NAMES, type TeeName } from "@adyton/evidence";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { adminOf } from "../services/place.ts";

/** JSON: `{tee, policy, modules: {file: text}, references}`; without a TEE `{tees: [{tee, files, references}]}`. */
export async function show(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [given] = invocation.arguments;
  const tee = TEE_NAMES.find((name) => name === given);
  if (tee === undefined) return overview(invocation, io);
  const asked = invocation.value("url") !== undefined || invocation.value("dir") !== undefined;
  const theirs = asked ? await policyOfServices(tee, invocation, io) : undefined;
  const modules = theirs?.modules ?? defaultPolicyFor(tee);
  const policy = theirs?.name ?? "default";
  const references = policy === "default" ? referenceIdsOf(tee) : [];
  if (invocation.json) {
    writeJson(io.stdout, { tee, policy, modules, references });
    return EXIT.ok;
  }
  const style = styleOf(io.stdout, io.env);
  const texts = Object.entries(modules).map(
    ([file, text]) => `${style.dim(`# --- ${printable(file)}`)}\n${io.stdout.isTTY ? printable(text) : text}`,
  );
  io.stdout.write(texts.join("\n"));
  const ids = references.map(({ id, meaning, needed }) => [id, needed ? "needed" : "if stated", meaning]);
  if (ids.length > 0) io.stderr.write(`Reference values it asks for:\n${table(ids)}\n`);
  io.stderr.write(
    policy === "default"
      ? "Next: `adyton reference set ID VALUE` states a value; `adyton policy set` replaces the policy.\n"
      : `This is policy ${policy} of the trust services.\n`,
  );
  return EXIT.ok;
}

function overview(invocation: Invocation, io: Io): ExitCode {
  const tees = TEE_NAMES.map((tee) => ({
    tee,
    files: Object.keys(defaultPolicyFor(tee)),
    references: referenceIdsOf(tee).map(({ id }) => id),
  }));
  if (invocation.json) {
    writeJson(io.stdout, { tees });
    return EXIT.ok;
  }
  io.stdout.write(
    `${table(
      tees.map(({ tee, files }) => [tee, files.join(" ")]),
      0,
    )}\n`,
  );
  io.stderr.write("Next: `adyton policy show TEE` prints the policy.\n");
  return EXIT.ok;
}

/** That of the TEE's kind, or that of all kinds; undefined while neither was set, which leaves the default in force. */
async function policyOfServices(
  tee: TeeName,
  invocation: Invocation,
  io: Io,
): Promise<{ name: PolicyName; modules: Readonly<Record<string, string>> } | undefined> {
  const admin = await adminOf(invocation, io);
  const set = new Set((await admin.listPolicies()).map(({ name }) => name));
  const wanted = [`attestation_${tee === "nvidia" ? "gpu" : "cpu"}`, "attestation"];
  const name = POLICY_NAMES.find((known) => known === wanted.find((each) => set.has(each)));
  return name === undefined
    ? undefined
    : { name, modules: { [`${name}.rego`]: await admin.getPolicy(name) } };
}
