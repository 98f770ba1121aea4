// SPDX-License-Identifier: Apache-2.0
// Import cycles between files, over what loads when a file loads. Types may refer to each other in a ring, and so
// may imports that wait for a call.

import { resolveImport, type Violation, type Workspace } from "./workspace.ts";

/** One violation for each ring of files that import each other. */
export function cyclesIn(workspace: Workspace): Violation[] {
  const edges = new Map<string, readonly string[]>();
  for (const pack of workspace.packages) {
    for (const source of pack.sources) {
      const targets = source.imports
        .filter((found) => !found.typeOnly && !found.lazy)
        .flatMap((found) => resolveImport(workspace, pack, source, found.specifier));
      edges.set(source.path, targets);
    }
  }
  const rings = new Map<string, readonly string[]>();
  const finished = new Set<string>();
  const path: string[] = [];
  const visit = (file: string): void => {
    if (finished.has(file)) return;
    const start = path.indexOf(file);
    if (start >= 0) {
      const ring = path.slice(start);
      rings.set([...ring].sort().join(" "), ring);
      return;
    }
    path.push(file);
    for (const target of edges.get(file) ?? []) visit(target);
    path.pop();
    finished.add(file);
  };
  for (const file of edges.keys()) visit(file);
  return [...rings.values()].map((ring) => ({
    file: ring[0] ?? "",
    message: `import cycle: ${[...ring, ring[0]].join(" → ")}`,
  }));
}
