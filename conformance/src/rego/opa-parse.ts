// SPDX-License-Identifier: Apache-2.0
// OPA's parser and formatter, many modules at a time.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RegoVersion } from "@adyton/rego";
import { opaProgram } from "./opa.ts";
import type { OpaNode } from "./syntax.ts";

const BATCH = 500;

/** OPA's tree of each module of v1, in one process for many; null for one that it refuses. */
export function opaModules(texts: readonly string[]): (OpaNode | null)[] {
  return inFolder((folder) => {
    const found: (OpaNode | null)[] = [];
    for (let from = 0; from < texts.length; from += BATCH) {
      const input = join(folder, "input.json");
      writeFileSync(input, JSON.stringify(texts.slice(from, from + BATCH)));
      const query = '{i: module | some i, text in input; module := rego.parse_module("m.rego", text)}';
      const parsed = JSON.parse(run("eval", "-f", "raw", "-i", input, query)) as Record<string, OpaNode>;
      for (let i = from; i < Math.min(from + BATCH, texts.length); i++) found.push(parsed[i - from] ?? null);
    }
    return found;
  });
}

/** Whether `opa parse` takes a module: a process for each. */
export function opaParses(texts: readonly string[], version: RegoVersion): boolean[] {
  return inFolder((folder) =>
    texts.map((text) => {
      const file = join(folder, "m.rego");
      writeFileSync(file, text);
      const flags = version === "v0" ? ["--v0-compatible"] : [];
      return spawnSync(opaProgram ?? "opa", ["parse", ...flags, file], { stdio: "ignore" }).status === 0;
    }),
  );
}

/** What `opa fmt` makes of each module. */
export function opaFormatted(texts: readonly string[], version: RegoVersion): string[] {
  return inFolder((folder) => {
    const modules = join(folder, "modules");
    mkdirSync(modules);
    const files = texts.map((text, i) => {
      const file = join(modules, `${i}.rego`);
      writeFileSync(file, text);
      return file;
    });
    run("fmt", ...(version === "v0" ? ["--v0-compatible"] : []), "--write", modules);
    return files.map((file) => readFileSync(file, "utf8"));
  });
}

function run(...args: readonly string[]): string {
  return execFileSync(opaProgram ?? "opa", args, { encoding: "utf8", maxBuffer: 512 * 1024 * 1024 });
}

function inFolder<T>(act: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "adyton-rego-"));
  try {
    return act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
