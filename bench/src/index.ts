// SPDX-License-Identifier: Apache-2.0
// npm run bench -- verify|rego|broker [--json] [--quick]

import { parseArgs } from "node:util";
import { hasFixtures } from "@adyton/testing";
import { benchBroker } from "./broker.ts";
import { brokerTable } from "./broker-table.ts";
import { FULL, QUICK } from "./measure.ts";
import { benchRego, type RegoReport } from "./rego.ts";
import { benchVerify, type VerifyReport } from "./verify.ts";

const USAGE = `Usage: npm run bench -- verify|rego|broker [--json] [--quick]

verify: measures verification of every TEE in one process, contenders taking turns: warm (chains and collateral cached),
cold (files parsed, everything verified), the bare signature checks that each contains, and npm peers; then SM2 and
the replay of event logs. Evidence is real where there is any that verifies whole, else the simulator's.
rego: decisions a second of prepared policies, beside the same policies as WebAssembly, where opa is at hand.
broker: handshakes a second with TDX evidence, by number of clients, over SQLite and PostgreSQL; the latency at 80 % load; a
handshake's steps beside their bare cryptography; and memory, over 200,000 handshakes with --long. --profile FOLDER has the
brokers write CPU profiles.
Figures are medians; compare the ratios of one run, not the times of two.
`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean" },
    quick: { type: "boolean" },
    long: { type: "boolean" },
    profile: { type: "string" },
    help: { type: "boolean", short: "h" },
  },
});

if (values.help) {
  process.stdout.write(USAGE);
} else if (positionals.length === 1 && positionals[0] === "rego") {
  const report = await benchRego(values.quick ? QUICK : FULL, (line) => process.stderr.write(`${line}\n`));
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : regoTable(report));
} else if (positionals.length === 1 && positionals[0] === "broker") {
  const report = await benchBroker(
    {
      effort: values.quick ? QUICK : FULL,
      seconds: values.quick ? 2 : 10,
      handshakes: values.long ? 200_000 : values.quick ? 2_000 : 20_000,
      ...(values.profile === undefined ? {} : { profiles: values.profile }),
    },
    (line) => process.stderr.write(`${line}\n`),
  );
  process.stdout.write(values.json ? `${JSON.stringify(report, null, 2)}\n` : brokerTable(report));
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

function table({ node, cases, rates, bundles }: VerifyReport): string {
  const columns = ["checks", "warm", "bare", "ratio", "checks", "cold", "bare", "ratio"];
  const row = (head: string, cells: readonly string[]): string =>
    head.padEnd(28) + cells.map((cell) => cell.padStart(9)).join("");
  const lines = [`Node ${node}; medians in microseconds an operation`, "", row("", columns)];
  for (const { title, source, checks, timings, ratios } of cases) {
    const time = (name: string): string =>
      timings.find((timing) => timing.name === name)?.median.toFixed(0) ?? "";
    const half = (name: "warm" | "cold", ratio: number): string[] => [
      String(checks[name]),
      time(name),
      time(`bare ${name}`),
      ratio.toFixed(2),
    ];
    const head = source === "real" ? title : `${title} *`;
    lines.push(row(head, [...half("warm", ratios.warmToBare), ...half("cold", ratios.coldToBare)]));
    for (const [name, ratio] of Object.entries(ratios.peersToWarm)) {
      lines.push(`  ${name} takes ${time(name)}, ${ratio.toFixed(1)} times as long as warm`);
    }
  }
  lines.push("* the simulator's evidence; all other is real", "");
  lines.push(`SM2 verification: ${rates.sm2Verify.toFixed(0)}`, "");
  lines.push(row("Event logs", ["bank", "events", "bytes", "us", "MB/s", "file", "MB/s", "bare us"]));
  for (const log of rates.logs) {
    const cells = [
      log.bank,
      String(log.events),
      String(log.eventBytes),
      log.microseconds.toFixed(0),
      log.eventMegabytes.toFixed(1),
      String(log.fileBytes),
      log.fileMegabytes.toFixed(1),
      log.bareMicroseconds.toFixed(0),
    ];
    lines.push(row(log.log, cells));
  }
  lines.push("", "Browser bundles, gzipped bytes");
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
