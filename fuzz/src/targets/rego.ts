// SPDX-License-Identifier: Apache-2.0
// Rego: what is parsed is printed, parsed again and the same; formatting keeps the meaning and comes to rest.

import { type Module, parseModule, parseQuery, parseTerm, type RegoVersion } from "@adyton/rego";
import { formatModule } from "@adyton/rego/format";
import { printModule } from "@adyton/rego/print";
import { bytesOf, textOf, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  for (const version of ["v1", "v0"] as const) {
    tolerant(
      () => modules(text, version),
      () => parseQuery(text, { version }),
      () => parseTerm(text, { version }),
    );
  }
}

function modules(text: string, version: RegoVersion): void {
  const module = parseModule(text, { version });
  const printed = must(() => printModule(module));
  const again = must(() => parseModule(printed, { version }));
  if (essence(again) !== essence(module)) throw new Error("what is printed reads differently");
  const formatted = must(() => formatModule(text, { version }));
  if (must(() => formatModule(formatted, { version })) !== formatted)
    throw new Error("formatting does not come to rest");
}

/** What must not refuse, whatever it throws. */
function must<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw new Error("what was parsed is refused", { cause });
  }
}

/** The rules without places and without the numbers of wildcards. */
function essence({ path, rules }: Module): string {
  return JSON.stringify([path, rules], (key, value: unknown) => {
    if (key === "location" || key === "metadata") return undefined;
    if (key === "name" && typeof value === "string" && value.startsWith("$")) return "_";
    return typeof value === "bigint" ? `${value}n` : value;
  });
}

export async function seeds(): Promise<Uint8Array[]> {
  return [
    "package a.b\n\nimport data.x as y\n\ndefault allow := false\n\nallow if {\n\tinput.measure in data.measure # c\n\tnot denied\n}\n",
    'package a\np contains x if some x in [1, 2.5e3, -3, "s\\n", `r`, null, true, set(), {}, {"k": [1]}]\n',
    "package a\nf(x, [_, y]) := z if { z := x + y * 2 } else := 3 if { x == -y } else := 4\n",
    "package a\np[x].q[y] := [a | some k, v in x; a := {k: v | every z in y { z > 1 }}] if x\n",
    'package a\nimport future.keywords\np if { (a or { b; c }) and not { d } with input.x as 1 with f as g }\nq := $"x {y} \\{ {z}" ; $`r {s}`\n',
    "package a\np[x] { x = 1 } { x := 2 }\nq = 1 { a } else = 2 { b }\nr.s.t { u | v & w }\n",
    "# METADATA\n# title: t\npackage a\np := {a | b, c} | {d | e} # f\n# g\n\n# h",
    "{a | b; c} | [d | e, f] == {g: h | i, j: k}",
  ].map(bytesOf);
}
