// SPDX-License-Identifier: Apache-2.0
// Which policies belong together. The trust services take texts in package policy one by one, so a folder may hold several
// that would contradict each other.

import { modulesBeside } from "@adyton/appraisal";
import type { Module } from "@adyton/rego";
import type { Loaded } from "./load.ts";

/**
 * One for each file in package policy, with its FILE_test.rego and all that is in neither, where there are several such
 * files and each has tests of its own. Otherwise everything together.
 */
export function unitsOf(loaded: Loaded): readonly Loaded[] {
  const byFile = new Map(loaded.modules.map((module) => [module.file, module]));
  const policies = loaded.modules.filter((module) => isPolicy(module) && !isTest(module));
  const pairs = policies.flatMap((policy): (readonly [Module, Module])[] => {
    const tests = byFile.get(testFileOf(policy));
    return tests === undefined ? [] : [[policy, tests]];
  });
  if (policies.length < 2 || pairs.length < policies.length) return [unit(loaded, loaded.modules)];
  const apart = new Set(pairs.flat());
  const common = loaded.modules.filter((module) => !apart.has(module));
  return pairs.map((pair) => unit(loaded, [...pair, ...common]));
}

function unit(loaded: Loaded, modules: readonly Module[]): Loaded {
  return { ...loaded, modules: [...modules, ...modulesBeside(modules)] };
}

function isPolicy({ path }: Module): boolean {
  return path.length === 1 && path[0] === "policy";
}

function isTest({ file }: Module): boolean {
  return file.endsWith("_test.rego");
}

function testFileOf({ file }: Module): string {
  return file.replace(/\.rego$/, "_test.rego");
}
