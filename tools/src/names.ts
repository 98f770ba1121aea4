// SPDX-License-Identifier: Apache-2.0
// The names gate: a public name means one thing. Two entries may share a name only when it is the same declaration.

import { join } from "node:path";
import ts from "typescript";
import { entriesOf, type Violation, type Workspace } from "./workspace.ts";

interface Home {
  readonly file: string;
  readonly line: number;
  readonly from: string;
}

/** Everything the names gate finds. */
export function checkNames(workspace: Workspace): Violation[] {
  const publics = workspace.packages.filter((pack) => pack.manifest.private !== true);
  const entries = publics.flatMap((pack) => entriesOf(pack).map((path) => join(workspace.root, path)));
  const program = ts.createProgram(entries, {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    customConditions: ["@adyton/source"],
    allowImportingTsExtensions: true,
    noEmit: true,
    types: [],
  });
  const checker = program.getTypeChecker();
  const homes = new Map<string, Home>();
  const violations: Violation[] = [];
  for (const entry of entries) {
    const file = program.getSourceFile(entry);
    const module = file === undefined ? undefined : checker.getSymbolAtLocation(file);
    if (module === undefined) continue;
    const shown = relativeTo(workspace.root, entry);
    for (const symbol of checker.getExportsOfModule(module)) {
      const declaration = declarationOf(checker, symbol);
      if (declaration === undefined) continue;
      const where = declaration.getSourceFile();
      const home: Home = {
        file: relativeTo(workspace.root, where.fileName),
        line: where.getLineAndCharacterOfPosition(declaration.getStart()).line + 1,
        from: shown,
      };
      const other = homes.get(symbol.name);
      if (other === undefined) homes.set(symbol.name, home);
      else if (other.file !== home.file || other.line !== home.line) {
        violations.push({
          file: home.file,
          line: home.line,
          message: `${symbol.name} (public in ${shown}) is also declared in ${other.file}:${other.line} (public in ${other.from})`,
        });
      }
    }
  }
  return violations;
}

function declarationOf(checker: ts.TypeChecker, symbol: ts.Symbol): ts.Declaration | undefined {
  const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
  return target.declarations?.[0];
}

function relativeTo(root: string, path: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
