// SPDX-License-Identifier: Apache-2.0
// The benchmark of the broker for people to read.

import type { BrokerReport, LoadReport } from "./broker.ts";

export function brokerTable({ cores, memory, node, steps, stores }: BrokerReport): string {
  const row = (head: string, cells: readonly (string | number)[]): string =>
    head.padEnd(24) + cells.map((cell) => String(cell).padStart(11)).join("");
  const lines = [
    `Node ${node}, ${cores} cores, which brokers, clients and PostgreSQL share. Handshakes: challenge, TDX evidence, one secret`,
  ];
  const figures = ({ p50, p99, perCore, perSecond }: LoadReport): string[] => [
    perSecond.toFixed(0),
    perCore.toFixed(0),
    p50.toFixed(1),
    p99.toFixed(1),
  ];
  for (const { at80, brokers, levels, store } of stores) {
    const title = `${store === "sqlite" ? "SQLite" : "PostgreSQL"}, ${brokers === 1 ? "1 process" : `${brokers} processes`}`;
    lines.push("", row(title, ["per second", "per core", "p50 ms", "p99 ms"]));
    for (const level of levels) lines.push(row(`  ${level.concurrency} clients`, figures(level)));
    lines.push(row("  80 % load", figures(at80)));
  }
  const { bare } = steps;
  lines.push("", "Microseconds of one handshake, without a socket");
  for (const name of ["auth", "attest", "resource", "handshake"] as const)
    lines.push(row(`  ${name}`, [steps[name].toFixed(0)]));
  lines.push("Its cryptography alone");
  const { evidenceChecks, ...parts } = bare;
  for (const [name, value] of Object.entries(parts)) {
    const title = name === "evidence" ? `evidence (${evidenceChecks} checks)` : name;
    lines.push(row(`  ${title}`, [value.toFixed(0)]));
  }
  lines.push(`A handshake takes ${steps.ratio.toFixed(1)} times as long as its cryptography.`);
  lines.push(
    `Verification takes ${steps.verification.toFixed(0)} of it; to ask another thread alone would take ${steps.thread.toFixed(0)}.`,
    "",
  );
  const { handshakes, heapMegabytes, residentMegabytes, sessionSeconds } = memory;
  const list = (values: readonly number[]): string => values.map((value) => value.toFixed(0)).join(" ");
  lines.push(
    `Memory over ${handshakes} handshakes, sessions of ${sessionSeconds} s, MB`,
    `  heap      ${list(heapMegabytes)}`,
    `  resident  ${list(residentMegabytes)}`,
  );
  return `${lines.join("\n")}\n`;
}
