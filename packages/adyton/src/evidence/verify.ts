// SPDX-License-Identifier: Apache-2.0
// `adyton evidence verify`: reads what the options name, judges, tells the verdict.

import { basename, resolve } from "node:path";
import { type FoundEndorsements, readEndorsementPaths } from "@adyton/endorsements";
import type { ExitCode } from "../exit.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { teeOption } from "../values.ts";
import { judgeEvidence } from "./judge.ts";
import {
  appraisalOption,
  readAnchors,
  readEventLogs,
  readVerifierKeys,
  registersOption,
  reportDataOption,
  rulesOf,
  verificationTime,
} from "./options.ts";
import { printVerdict } from "./print.ts";
import { exitOf } from "./verdict.ts";

const MAX_NAMED = 6;

export async function verify(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [path = "-"] = invocation.arguments;
  const now = verificationTime(invocation, io);
  const rules = rulesOf(invocation);
  const reportData = reportDataOption(invocation);
  const { roots, anchors } = await readAnchors(invocation.values("root"), io);
  const verifierKeys = await readVerifierKeys(invocation.values("verifier-key"), io);
  const eventLog = await readEventLogs(invocation.values("event-log"), io);
  const eventLogRegisters = registersOption(invocation);
  const appraisal = await appraisalOption(invocation, rules, now, io);
  const found = await readEndorsementPaths(
    invocation.values("endorsements").map((each) => resolve(io.cwd, each)),
  );
  const { verdict, refusal } = await judgeEvidence(await readInput(path, io), {
    tee: teeOption(invocation),
    now,
    roots,
    anchors,
    verifierKeys,
    rules,
    appraisal,
    endorsements: found.endorsements,
    requireRevocation: rules.requireRevocation === true,
    sources: { read: found.read.length, ignored: found.ignored.length },
    ...(reportData === undefined ? {} : { reportData }),
    ...(eventLog.length === 0 ? {} : { eventLog }),
    ...(eventLogRegisters === undefined ? {} : { eventLogRegisters }),
  });
  tellIgnored(found.ignored, io);
  if (invocation.json) writeJson(io.stdout, verdict);
  else printVerdict(verdict, { path, given: found.read.length > 0 }, io);
  return exitOf(verdict, refusal);
}

/** Folders of the field hold quotes and notes beside certificates: named, so that a typo is found. */
function tellIgnored(ignored: FoundEndorsements["ignored"], io: Io): void {
  if (ignored.length === 0) return;
  const names = ignored.slice(0, MAX_NAMED).map((file) => basename(file.path));
  const more = ignored.length > MAX_NAMED ? `, and ${ignored.length - MAX_NAMED} more` : "";
  const text = `Left out, no endorsements: ${names.join(", ")}${more}`;
  io.stderr.write(`${printable(text)}\n`);
}
