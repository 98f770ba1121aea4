// SPDX-License-Identifier: Apache-2.0
// A page of the manual for every level of the tree, written from the commands' own data.

import { EXIT_MEANING, type ExitCode } from "../exit.ts";
import { type ArgumentSpec, COMMON_OPTIONS, type Command, type Group, type OptionSpec } from "./command.ts";
import { definitions, type Style, wrap } from "./style.ts";

const MAX_WIDTH = 96;

/** The page of a command or group, with a line break at its end. */
export function helpOf(
  node: Command | Group,
  path: readonly string[],
  columns: number,
  style: Style,
): string {
  const width = Math.min(MAX_WIDTH, Math.max(40, columns));
  const title = style.bold(path.join(" "));
  const sections =
    node.kind === "group" ? groupSections(node, path, width) : commandSections(node, path, width);
  const body = sections.map(([heading, text]) => `${style.bold(heading)}\n${text}`);
  return `${[`${title}: ${node.summary}`, ...body].join("\n\n")}\n`;
}

/** One line of usage: `adyton evidence inspect FILE [options]`. */
export function usageOf(node: Command | Group, path: readonly string[]): string {
  if (node.kind === "group") return `${path.join(" ")} COMMAND [options]`;
  return [...path, ...node.arguments.map(argumentOf), ...node.options.map(optionalOf), "[--json]"].join(" ");
}

type Section = readonly [heading: string, text: string];

function groupSections(group: Group, path: readonly string[], width: number): Section[] {
  const sections: Section[] = [
    ["Usage", `  ${usageOf(group, path)}`],
    ["What it is", paragraphs(group.description, width)],
    [
      "Commands",
      definitions(
        group.commands.map((command) => [command.name, command.summary]),
        width,
      ),
    ],
  ];
  if (path.length === 1) {
    sections.push(
      [
        "Options",
        definitions(
          [
            ["--json", COMMON_OPTIONS[0]?.summary ?? ""],
            ["--help", "show the page of any command or group (also -h)"],
            ["--version", "show the version"],
          ],
          width,
        ),
      ],
      ["Exit codes", exitCodes([0, 1, 2, 3, 4, 5, 6, 70], width)],
    );
  }
  sections.push(["Next", wrap(`Read \`${path.join(" ")} COMMAND --help\`.`, width, 2)]);
  return sections;
}

function commandSections(command: Command, path: readonly string[], width: number): Section[] {
  const sections: Section[] = [
    ["Usage", wrapUsage(usageOf(command, path), width)],
    ["What it does", paragraphs(command.description, width)],
  ];
  if (command.arguments.length > 0) {
    sections.push([
      "Arguments",
      definitions(
        command.arguments.map((argument) => [argument.name, argument.summary]),
        width,
      ),
    ]);
  }
  sections.push(
    [
      "Options",
      definitions(
        [...command.options, ...COMMON_OPTIONS].map((option) => [nameOf(option), option.summary]),
        width,
      ),
    ],
    ["Exit codes", exitCodes([0, 1, ...command.exits, 70], width)],
    [
      "Examples",
      command.examples.map((example) => `  ${example.line}\n${wrap(example.what, width, 6)}`).join("\n"),
    ],
    ["Next", wrap(command.next, width, 2)],
  );
  return sections;
}

/** Breaks a usage line only between its bracketed parts. */
function wrapUsage(usage: string, width: number): string {
  const [first = "", ...parts] = usage.split(/ (?=\[)/);
  const lines = [`  ${first}`];
  for (const part of parts) {
    const last = lines.at(-1) ?? "";
    if (last.length + 1 + part.length > width) lines.push(`      ${part}`);
    else lines[lines.length - 1] = `${last} ${part}`;
  }
  return lines.join("\n");
}

function exitCodes(codes: readonly ExitCode[], width: number): string {
  const unique = [...new Set(codes)].sort((a, b) => a - b);
  return definitions(
    unique.map((code) => [String(code), EXIT_MEANING[code]]),
    width,
  );
}

function paragraphs(texts: readonly string[], width: number): string {
  return texts.map((text) => wrap(text, width, 2)).join("\n\n");
}

function nameOf(option: OptionSpec): string {
  return option.value === undefined ? `--${option.name}` : `--${option.name} ${option.value}`;
}

function optionalOf(option: OptionSpec): string {
  return `[${nameOf(option)}]${option.multiple === true ? "…" : ""}`;
}

function argumentOf(argument: ArgumentSpec): string {
  if (argument.rest === true) return `[-- ${argument.name}…]`;
  return argument.optional === true ? `[${argument.name}]` : argument.name;
}
