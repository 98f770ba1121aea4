// SPDX-License-Identifier: Apache-2.0
// npm run bench -- verify|rego [--json] [--quick]

import { parseArgs } from "node:util";
import { hasFixtures } from "@adyton/testing";
import { FULL, QUICK } from "./measure.ts";
import { benchRego, type RegoReport } from "./rego.ts";
import { benchVerify, type VerifyReport } from "./verify.ts";

const USAGE = `Usage: npm run bench -- verify|rego [--json] [--quick]

verify: measures verification on real SGX, TDX and SEV-SNP evidence in one process, contenders taking turns:
warm (chain and collateral cached), cold, the bare signature checks that each contains, and npm peers.
rego: decisions a second of prepared policies, beside the same policies as WebAssembly, where opa is at hand.
Figures are medians; compare the ratios of one run, not the times of two.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { json: { type: "boolean" }, quick: { type: "boolean" }, help: { type: "boolean", short: "h" } },
});

if (values.help) {
  process.stdout.write(USAGE);
} else if (positionals.length === 1 && positionals[0] === "rego") {
  const report = await benchRego(values.quick ? QUICK : FULL, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : regoTable(report));
} else if (positionals.length !== 1 || positionals[0] !== "verify") {
  process.stderr.write(USAGE);
  process.exitCode = 1;
} else if (!hasFixtures) {
  process.stderr.write(
    "The benchmark needs the real evidence in ../shared/fixtures (or ADYTON_FIXTURES): none was found.\n",
  );
  process.exitCode = 6;
} else {
  const report = await benchVerify(values.quick ? QUICK : FULL, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : table(report));
}

function table({ node, cases, bundles }: VerifyReport): string {
  const lines = [`Node ${node}; microseconds an operation`, ""];
  for (const { tee, checks, timings, ratios } of cases) {
    lines.push(`${tee}: ${checks.warm} signature checks warm, ${checks.cold} cold`);
    lines.push(`  ${"".padEnd(24)}${"median".padStart(10)}${"min".padStart(10)}`);
    for (const { name, median, min } of timings) {
      lines.push(`  ${name.padEnd(24)}${median.toFixed(0).padStart(10)}${min.toFixed(0).padStart(10)}`);
    }
    lines.push(
      `  warm is ${ratios.warmToBare.toFixed(2)} times its bare checks, cold ${ratios.coldToBare.toFixed(2)} times`,
    );
    for (const [name, ratio] of Object.entries(ratios.peersToWarm)) {
      lines.push(`  ${name} takes ${ratio.toFixed(1)} times as long as warm`);
    }
    lines.push("");
  }
  lines.push("Browser bundles, gzipped bytes");
  for (const { title, gzipBytes } of bundles) {
    lines.push(`  ${title.padEnd(48)}${(gzipBytes?.toString() ?? "needs Node").padStart(10)}`);
  }
  return `${lines.join("\n")}\n`;
}

function regoTable({ node, cases }: RegoReport): string {
  const lines = [`Node ${node}; decisions a second`, ""];
  for (const { title, contenders, timesPeer } of cases) {
    lines.push(`${title.padEnd(26)}${"median".padStart(12)}${"best".padStart(12)}`);
    for (const { name, median, best } of contenders) {
      lines.push(`  ${name.padEnd(24)}${median.toFixed(0).padStart(12)}${best.toFixed(0).padStart(12)}`);
    }
    if (timesPeer !== undefined) lines.push(`  ${timesPeer.toFixed(1)} times as fast as the peer`);
    lines.push("");
  }
  return `${lines.join("\n")}\n`;
}
