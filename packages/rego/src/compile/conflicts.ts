// SPDX-License-Identifier: Apache-2.0
// Rules that cannot stand beside each other.

import type { Location } from "../ast.ts";
import { nodesBelow, type Program, pathText, type Report, type RuleNode } from "./program.ts";

export function checkConflicts(program: Program, report: Report): void {
  for (const node of program.nodes) checkNode(node, report);
  for (const node of program.nodes) {
    for (const clause of node.clauses) {
      const { packageOf } = node;
      if (packageOf === undefined || clause.ground < clause.ref.length) continue;
      conflict(
        report,
        packageOf.packageLocation,
        `package ${pathText(packageOf.path)} conflicts with rule ${pathText(node.path)} defined at ${placeOf(clause.location)}`,
      );
      break;
    }
  }
}

function checkNode(node: RuleNode, report: Report): void {
  const { clauses } = node;
  const [first] = clauses;
  if (first === undefined) return;
  const name = pathText(node.path);
  const isGround = (clause: (typeof clauses)[number]) => clause.ground === clause.ref.length;
  const below = [...nodesBelow(node)].filter((other) => other !== node && other.clauses.length > 0);
  const inExtent = clauses.some(isGround) ? below : below.filter(({ arity }) => arity !== undefined);
  if (inExtent.length > 0) {
    const names = inExtent.map(
      ({ path, clauses: [other] }) =>
        `${pathText(path)}${other === undefined ? "" : ` (${placeOf(other.location)})`}`,
    );
    conflict(report, first.location, `rule ${name} conflicts with [${names.join(" ")}]`);
    return;
  }
  const kinds = new Set(
    clauses.map((clause) => {
      const shape = clause.contains === undefined ? (clause.args?.length ?? "value") : "set";
      return `${shape}${isGround(clause) ? "" : "…"}`;
    }),
  );
  if (kinds.size > 1) {
    conflict(
      report,
      first.location,
      `conflicting rules ${name} found`,
      "all rules of one name must be of one kind: values, sets, objects, or functions of as many arguments",
    );
    return;
  }
  const defaults = clauses.filter((clause) => clause.default);
  if (defaults.length > 1) {
    const places = defaults.map(({ location }) => placeOf(location)).join(", ");
    conflict(
      report,
      defaults[1]?.location ?? first.location,
      `multiple default rules ${name} found at ${places}`,
    );
  }
}

function conflict(report: Report, location: Location, message: string, hint?: string): void {
  report({ code: "REGO_TYPE", message, location, ...(hint === undefined ? {} : { hint }) });
}

function placeOf({ file, row }: Location): string {
  return `${file}:${row}`;
}
