// SPDX-License-Identifier: Apache-2.0
// `adyton attest`: evidence of this machine, or what trust services say of it.

import { createClient } from "@adyton/client";
import { fromBase64Url, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, parseJson } from "@adyton/core/json";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { writePrivateFile } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { hexOf, teeOption } from "../values.ts";
import { localAttester } from "./local-tee.ts";
import { namedUrl, stateFolder } from "./place.ts";

const REPORT_DATA_BYTES = 64;

export async function attest(invocation: Invocation, io: Io): Promise<ExitCode> {
  const url = namedUrl(invocation, io);
  return url === undefined ? collect(invocation, io) : askServices(url, invocation, io);
}

/** Evidence: raw in --out, else base64 on stdout; JSON: `{tee, evidence}`, which `evidence verify` reads. */
async function collect(invocation: Invocation, io: Io): Promise<ExitCode> {
  const hex = invocation.value("report-data");
  const reportData = hex === undefined ? new Uint8Array(REPORT_DATA_BYTES) : hexOf("report-data", hex);
  if (reportData.length > REPORT_DATA_BYTES) {
    throw misuse(
      "INVALID_VALUE",
      `Cannot bind ${reportData.length} bytes of report data: expected at most ${REPORT_DATA_BYTES}`,
    );
  }
  const attester = await localAttester(teeOption(invocation), stateFolder(invocation, io), io);
  const { tee, evidence } = await attester.collect(reportData);
  const out = invocation.value("out");
  if (out !== undefined) await writePrivateFile(out, evidence, io);
  if (invocation.json) writeJson(io.stdout, { tee, evidence: toBase64(evidence) });
  else if (out === undefined) io.stdout.write(`${toBase64(evidence)}\n`);
  io.stderr.write(`Collected ${evidence.length} bytes of ${tee} evidence through ${attester.title}\n`);
  return EXIT.ok;
}

/** The token's claims; the token itself only in --out. JSON: `{tee, url, claims}`. */
async function askServices(url: string, invocation: Invocation, io: Io): Promise<ExitCode> {
  if (invocation.value("report-data") !== undefined) {
    throw misuse("INVALID_VALUE", "Cannot choose report data: with trust services the protocol chooses it");
  }
  const attester = await localAttester(teeOption(invocation), stateFolder(invocation, io), io);
  const { token } = await createClient({ url, attester }).getToken();
  const out = invocation.value("out");
  if (out !== undefined) await writePrivateFile(out, fromUtf8(token), io);
  const claims = payloadOf(token);
  if (invocation.json) {
    writeJson(io.stdout, { tee: attester.tee, url, claims });
    return EXIT.ok;
  }
  const style = styleOf(io.stdout, io.env);
  const simulated = claims["adyton.simulated"] === true ? `, ${style.caution("SIMULATED")}` : "";
  const heading = `${style.good("ATTESTED")}  as ${attester.tee} at ${url}${simulated}`;
  io.stdout.write(`${[heading, ...submodTexts(claims)].join("\n\n")}\n`);
  io.stderr.write("Next: `adyton secret get NAME` asks for a secret with such a token.\n");
  return EXIT.ok;
}

/** A section for each submodule: status, trust vector, and what was found. */
function submodTexts(claims: JsonObject): string[] {
  const submods = isJsonObject(claims.submods) ? Object.entries(claims.submods) : [];
  return submods.map(([name, submod]) => {
    if (!isJsonObject(submod)) return printable(name);
    const vector = submod["ear.trustworthiness-vector"];
    const rows = isJsonObject(vector)
      ? Object.entries(vector).map(([key, value]) => [key, String(value)])
      : [];
    const explanation = submod["adyton.explanation"];
    const findings = Array.isArray(explanation) ? explanation.filter(isJsonObject) : [];
    const lines = findings.flatMap((finding) => [
      `  ${finding.ok === true ? "✓" : "✗"} ${printable(String(finding.message))}`,
      ...(finding.ok !== true && typeof finding.next === "string"
        ? [`    next: ${printable(finding.next)}`]
        : []),
    ]);
    return [`${printable(name)}: ${String(submod["ear.status"])}`, table(rows), ...lines].join("\n");
  });
}

/** The claims of a JWT as the services wrote them: whoever relies on the token checks its signature. */
function payloadOf(token: string): JsonObject {
  const payload = parseJson(toUtf8(fromBase64Url(token.split(".")[1] ?? "")));
  return isJsonObject(payload) ? payload : {};
}
