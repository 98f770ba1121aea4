// SPDX-License-Identifier: Apache-2.0
// From words to a command and its options. node:util splits the words; what they may be is checked here,
// so that every refusal names the word, what is allowed and where to read on.

import { parseArgs } from "node:util";
import { misuse } from "../errors.ts";
import { COMMON_OPTIONS, type Command, type Group, type Invocation, type OptionSpec } from "./command.ts";
import { suggest } from "./suggest.ts";

export interface Found {
  readonly node: Command | Group;
  /** Words from "adyton" to the node. */
  readonly path: readonly string[];
  /** Words after them, with any of --json, --help, --version that stood before. */
  readonly rest: readonly string[];
}

/** Follows the leading words down the tree. Throws `UNKNOWN_COMMAND`. */
export function findCommand(root: Group, argv: readonly string[]): Found {
  let node: Command | Group = root;
  const path = [root.name];
  const early: string[] = [];
  let at = 0;
  for (; at < argv.length && node.kind === "group"; at++) {
    const word = argv[at] as string;
    if (word.startsWith("-")) {
      early.push(word);
      continue;
    }
    const child: Command | Group | undefined = node.commands.find((candidate) => candidate.name === word);
    if (child === undefined) throw unknownCommand(node, path, word);
    node = child;
    path.push(word);
  }
  return { node, path, rest: [...early, ...argv.slice(at)] };
}

/** Parses the words after `command`. Throws the codes of misuse in errors.ts. */
export function parseInvocation(
  command: Command,
  path: readonly string[],
  rest: readonly string[],
): Invocation {
  const specs = [...command.options, ...COMMON_OPTIONS];
  const { tokens } = parseArgs({
    args: [...rest],
    options: Object.fromEntries(specs.map((spec) => [spec.name, { type: kindOf(spec), multiple: true }])),
    strict: false,
    tokens: true,
  });
  const page = `Read \`${path.join(" ")} --help\`.`;
  const given = new Map<string, string[]>();
  const words: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") words.push(token.value);
    if (token.kind !== "option") continue;
    const spec = specs.find((candidate) => candidate.name === token.name);
    if (spec === undefined || !token.rawName.startsWith("--")) {
      throw unknownOption(token.rawName, specs, page);
    }
    const held = given.get(spec.name) ?? [];
    if (held.length > 0 && spec.value !== undefined && spec.multiple !== true) {
      throw misuse("REPEATED_OPTION", `Cannot take --${spec.name} twice: expected it once`, page);
    }
    given.set(spec.name, [...held, readValue(spec, token.value, token.inlineValue === true, page)]);
  }
  checkArguments(command, words, page);
  const known = (name: string): string[] => {
    if (!specs.some((spec) => spec.name === name)) throw new TypeError(`${command.name} has no --${name}`);
    return given.get(name) ?? [];
  };
  return {
    arguments: words,
    json: given.has("json"),
    flag: (name) => known(name).length > 0,
    value: (name) => known(name)[0],
    values: known,
  };
}

function readValue(spec: OptionSpec, value: string | undefined, inline: boolean, page: string): string {
  const name = `--${spec.name}`;
  if (spec.value === undefined) {
    if (value !== undefined)
      throw misuse("INVALID_VALUE", `Cannot give ${name} a value: it is a switch`, page);
    return "";
  }
  // `--at --json` is a forgotten value, not a value; `--at=--json` says it on purpose. A lone "-" is stdin.
  if (value === undefined || (!inline && value.length > 1 && value.startsWith("-"))) {
    throw misuse("MISSING_VALUE", `Cannot read ${name}: no value, expected ${name} ${spec.value}`, page);
  }
  return checkChoice(name, value, spec.choices, page);
}

function checkArguments(command: Command, words: readonly string[], page: string): void {
  const specs = command.arguments;
  const missing = specs[words.length];
  if (missing !== undefined && missing.optional !== true && missing.rest !== true) {
    throw misuse("MISSING_ARGUMENT", `Cannot run ${command.name}: ${missing.name} is missing`, page);
  }
  const surplus = words[specs.length];
  if (surplus !== undefined && specs.at(-1)?.rest !== true) {
    const expected = specs.length === 0 ? "none" : specs.map((spec) => spec.name).join(" ");
    throw misuse(
      "UNEXPECTED_ARGUMENT",
      `Cannot take argument ${JSON.stringify(surplus)}: expected ${expected}`,
      page,
    );
  }
  words.forEach((word, i) => {
    checkChoice(specs[i]?.name ?? "", word, specs[i]?.choices, page);
  });
}

function checkChoice(
  name: string,
  value: string,
  choices: readonly string[] | undefined,
  page: string,
): string {
  if (choices === undefined || choices.includes(value)) return value;
  const near = suggest(value, choices);
  throw misuse(
    "INVALID_VALUE",
    `Cannot take ${JSON.stringify(value)} for ${name}: expected one of ${choices.join(", ")}`,
    near === undefined ? page : `Did you mean ${near}?`,
  );
}

function unknownOption(raw: string, specs: readonly OptionSpec[], page: string): Error {
  const near = suggest(raw.replace(/^-+/, ""), [...specs.map((spec) => spec.name), "help", "version"]);
  return misuse(
    "UNKNOWN_OPTION",
    `Cannot take option ${raw}: it is unknown here`,
    near === undefined ? page : `Did you mean --${near}?`,
  );
}

function unknownCommand(group: Group, path: readonly string[], word: string): Error {
  const names = group.commands.map((command) => command.name);
  const near = suggest(word, names);
  const expected = `expected one of ${names.join(", ")}`;
  return misuse(
    "UNKNOWN_COMMAND",
    `Cannot run \`${[...path, word].join(" ")}\`: ${JSON.stringify(word)} is no command, ${expected}`,
    near === undefined
      ? `Read \`${path.join(" ")} --help\`.`
      : `Did you mean \`${[...path, near].join(" ")}\`?`,
  );
}

function kindOf(spec: OptionSpec): "string" | "boolean" {
  return spec.value === undefined ? "boolean" : "string";
}
