// SPDX-License-Identifier: Apache-2.0
// `adyton doctor`: the diagnosis, told.

import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, type Style, styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { type Check, type Diagnosis, diagnose, type TeeReadiness } from "./diagnose.ts";
import { CPU_FLAGS } from "./interfaces.ts";

/** Exits 0; with --tee, 6 when that TEE is not available here. */
export async function doctor(invocation: Invocation, io: Io): Promise<ExitCode> {
  const diagnosis = await diagnose({
    root: invocation.value("root") ?? "/",
    now: io.now(),
    nodeVersion: process.version,
    platform: process.platform,
    arch: process.arch,
    env: io.env,
  });
  if (invocation.json) writeJson(io.stdout, diagnosis);
  else print(diagnosis, io);
  const asked = invocation.value("tee");
  if (asked === undefined) return EXIT.ok;
  const available = diagnosis.tees.some((tee) => tee.tee === asked && tee.available);
  return available ? EXIT.ok : EXIT.unavailable;
}

function print(diagnosis: Diagnosis, io: Io): void {
  const style = styleOf(io.stdout, io.env);
  const { cpu } = diagnosis;
  const present = CPU_FLAGS.filter(({ name }) => cpu.flags[name] === true).map(({ name }) => name);
  const absent = CPU_FLAGS.filter(({ name }) => cpu.flags[name] !== true).map(({ name }) => name);
  const sections = [
    `${style.bold("This machine")}\n${table(diagnosis.software.map((check) => rowOf(check, "")))}`,
    `${style.bold("CPU")}\n${table([
      ["model", printable(cpu.model)],
      ["has", present.join(" ") || "none of the flags looked for"],
      ["has not", absent.join(" ") || "-"],
    ])}`,
    `${style.bold("Kernel interfaces")}\n${table(diagnosis.interfaces.map((check) => rowOf(check, check.purpose)))}`,
    `${style.bold("TEEs: can evidence be collected here?")}\n${diagnosis.tees.map((tee) => teeText(tee, style)).join("\n")}`,
  ];
  io.stdout.write(`${sections.join("\n\n")}\n`);
  io.stderr.write(`Next: ${nextOf(diagnosis)}\n`);
}

function rowOf(check: Check, purpose: string): string[] {
  const mark = check.ok === true ? "ok" : check.ok === false ? "FIX" : "-";
  const next = check.ok === false && check.next !== undefined ? `; next: ${check.next}` : "";
  return [mark, check.name, `${check.found}${next}`, purpose];
}

function teeText(tee: TeeReadiness, style: Style): string {
  const answer = tee.available ? style.good("yes") : "no ";
  const facts = tee.available ? tee.found : tee.missing;
  const first = `  ${answer}  ${tee.tee.padEnd(8)}${tee.title}`;
  const lines = facts.map(
    (fact) => `                 ${tee.available ? "found" : "missing"}: ${printable(fact)}`,
  );
  const next =
    tee.available || tee.next === undefined ? [] : [`                 next: ${printable(tee.next)}`];
  return [first, ...lines, ...next].join("\n");
}

function nextOf(diagnosis: Diagnosis): string {
  const fault = diagnosis.software.find((check) => check.ok === false);
  if (fault?.next !== undefined) return `${fault.name}: ${fault.next}.`;
  const hardware = diagnosis.tees.find((tee) => tee.available && tee.tee !== "sample");
  if (hardware !== undefined) return `\`adyton attest --tee ${hardware.tee}\` collects evidence here.`;
  return "No hardware TEE can attest here; `adyton up --dev` and `adyton sample run PROGRAM` work without one.";
}
