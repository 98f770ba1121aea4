// SPDX-License-Identifier: Apache-2.0
// The size gate: what a browser downloads to verify the evidence of one TEE, or to decide by a policy; minified, gzipped.

import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { Violation } from "./workspace.ts";

export interface Budget {
  readonly title: string;
  /** The program that is bundled. */
  readonly code: string;
  readonly maxBytes: number;
}

export const BUDGETS: readonly Budget[] = [
  { title: "TDX only", code: 'export { verifyTdx } from "@adyton/evidence/tdx";', maxBytes: 21_500 },
  { title: "SNP only", code: 'export { verifySnp } from "@adyton/evidence/snp";', maxBytes: 15_000 },
  { title: "Rego engine", code: 'export { compileWith } from "@adyton/rego/engine";', maxBytes: 40_000 },
];

/** Bytes of the minified, gzipped bundle of a program that imports the built packages below `root`. */
export async function gzippedSize(root: string, code: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: "js" },
    bundle: true,
    minify: true,
    write: false,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "silent",
  });
  return outputFiles.reduce((sum, file) => sum + gzipSync(file.contents, { level: 9 }).length, 0);
}

/** Everything the size gate finds; tells each size to `say`. Expects the build. */
export async function checkSize(
  root: string,
  say: (line: string) => void,
  budgets: readonly Budget[] = BUDGETS,
): Promise<Violation[]> {
  const violations: Violation[] = [];
  for (const { title, code, maxBytes } of budgets) {
    try {
      const size = await gzippedSize(root, code);
      say(`${title}: ${size} bytes of at most ${maxBytes}`);
      if (size > maxBytes)
        violations.push({
          file: "tools/src/size.ts",
          message: `${title}: ${size} bytes, at most ${maxBytes}`,
        });
    } catch (cause) {
      violations.push({ file: "tools/src/size.ts", message: `${title} does not bundle: ${String(cause)}` });
    }
  }
  return violations;
}
