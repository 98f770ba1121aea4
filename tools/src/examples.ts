// SPDX-License-Identifier: Apache-2.0
// The examples gate: TypeScript blocks of the docs compile against the built packages and run, each as its own module.
// A block marked `ts no-run` is shown only.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { filesBelow, type Violation } from "./workspace.ts";

export interface Example {
  /** The page, relative to the root. */
  readonly file: string;
  /** Of the first line of code. */
  readonly line: number;
  readonly code: string;
}

/** An example that runs longer has hung: the slowest makes an RSA-4096 vendor. */
const RUN_LIMIT_MS = 120_000;

/** Everything the examples gate finds. Expects the build; writes below `scratch`, which it empties first. */
export async function checkExamples(root: string, scratch = "tools/dist/examples"): Promise<Violation[]> {
  const folder = join(root, scratch);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const examples = pagesOf(root).flatMap((file) => examplesIn(file, readFileSync(join(root, file), "utf8")));
  const files = examples.map((example, i) => {
    const path = join(folder, `${String(i).padStart(2, "0")}.ts`);
    // Empty lines in front: what compiler and stack traces call line n is line n of the page.
    writeFileSync(path, `${"\n".repeat(example.line - 1)}${example.code}\nexport {};\n`);
    return { path, example };
  });
  const violations = compile(files);
  for (const { path, example } of files) {
    if (violations.some((found) => found.file === example.file)) continue;
    const { code, output } = await runNode(path.replace(/\.ts$/, ".js"), root);
    if (code !== 0) {
      violations.push({
        file: example.file,
        line: example.line,
        message: `example ended with ${code}:\n${output}`,
      });
    }
  }
  return violations;
}

/** Blocks fenced with exactly ```ts. */
export function examplesIn(file: string, text: string): Example[] {
  const examples: Example[] = [];
  let open: { fence: string; line: number; lines: string[] } | undefined;
  text.split("\n").forEach((line, i) => {
    if (open === undefined) {
      const fence = /^(`{3,})(.*)$/.exec(line);
      if (fence !== null)
        open = { fence: fence[1] ?? "", line: i + 2, lines: fence[2]?.trim() === "ts" ? [""] : [] };
    } else if (line === open.fence) {
      if (open.lines.length > 0)
        examples.push({ file, line: open.line, code: open.lines.slice(1).join("\n") });
      open = undefined;
    } else if (open.lines.length > 0) open.lines.push(line);
  });
  return examples;
}

function pagesOf(root: string): string[] {
  const pages = filesBelow(root, ".", /\.md$/);
  return pages.filter(
    (path) => path.endsWith("README.md") || path.startsWith("docs/") || !path.includes("/"),
  );
}

function compile(files: readonly { readonly path: string; readonly example: Example }[]): Violation[] {
  const program = ts.createProgram(
    files.map(({ path }) => path),
    {
      module: ts.ModuleKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      lib: ["lib.es2024.d.ts", "lib.dom.d.ts"],
      types: ["node"],
      strict: true,
      noEmitOnError: false,
      skipLibCheck: true,
    },
  );
  const { diagnostics } = program.emit();
  return [...ts.getPreEmitDiagnostics(program), ...diagnostics].map((found) => {
    const message = ts.flattenDiagnosticMessageText(found.messageText, "\n");
    const example = files.find(({ path }) => path === found.file?.fileName)?.example;
    if (found.file === undefined || example === undefined) return { file: "docs", message };
    const { line } = found.file.getLineAndCharacterOfPosition(found.start ?? 0);
    return { file: example.file, line: line + 1, message };
  });
}

function runNode(path: string, cwd: string): Promise<{ code: number | string; output: string }> {
  if (!existsSync(path))
    return Promise.resolve({ code: "no output", output: `the compiler wrote no ${path}` });
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path], {
      cwd,
      stdio: ["ignore", "pipe", "pipe"],
      timeout: RUN_LIMIT_MS,
    });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output = `${output}${chunk.toString()}`.slice(-4_000);
      });
    }
    child.on("error", (error) => resolve({ code: "an error", output: error.message }));
    child.on("close", (code, signal) => resolve({ code: code ?? signal ?? "no code", output }));
  });
}
