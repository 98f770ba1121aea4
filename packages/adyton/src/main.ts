// SPDX-License-Identifier: Apache-2.0
// From argv to an exit code: find the command, show its page or run it, tell what went wrong.

import { ROOT } from "./commands/tree.ts";
import { misuse } from "./errors.ts";
import { EXIT } from "./exit.ts";
import { reportFailure } from "./frame/failure.ts";
import { helpOf, usageOf } from "./frame/help.ts";
import { writeJson } from "./frame/json.ts";
import { findCommand, parseInvocation } from "./frame/parse.ts";
import { styleOf } from "./frame/style.ts";
import type { Io } from "./io.ts";
import { VERSION } from "./version.ts";

/** Runs one command line, `argv` without the program's name. Never throws; returns the exit code. */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const words = argv[0] === "help" ? [...argv.slice(1), "--help"] : argv;
  const options = words.slice(0, words.includes("--") ? words.indexOf("--") : words.length);
  const json = options.includes("--json");
  try {
    const { node, path, rest } = findCommand(ROOT, words);
    if (path.length === 1 && (options.includes("--version") || options.includes("-V"))) {
      if (json) writeJson(io.stdout, { name: ROOT.name, version: VERSION, node: process.version });
      else io.stdout.write(`${ROOT.name} ${VERSION}\n`);
      return EXIT.ok;
    }
    if (options.includes("--help") || options.includes("-h")) {
      const style = styleOf(io.stdout, io.env);
      if (json) writeJson(io.stdout, { usage: usageOf(node, path), help: helpOf(node, path, 80, style) });
      else io.stdout.write(helpOf(node, path, io.stdout.columns, style));
      return EXIT.ok;
    }
    if (node.kind === "command") {
      const invocation = parseInvocation(node, path, rest);
      return await (await node.load())(invocation, io);
    }
    const unknown = rest.find((word) => word !== "--json");
    if (unknown !== undefined) {
      throw misuse("UNKNOWN_OPTION", `Cannot take option ${unknown} before a command`, pageOf(path));
    }
    if (!json) io.stderr.write(helpOf(node, path, io.stderr.columns, styleOf(io.stderr, io.env)));
    throw misuse("MISSING_COMMAND", `Cannot run \`${path.join(" ")}\`: a command is missing`, pageOf(path));
  } catch (error) {
    return reportFailure(error, json, io);
  }
}

function pageOf(path: readonly string[]): string {
  return `Read \`${path.join(" ")} --help\`.`;
}
