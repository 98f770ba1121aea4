// SPDX-License-Identifier: Apache-2.0
// Completion scripts for bash, zsh and fish, written from the command tree. They contain words only: nothing of
// adyton runs while the user types.

import { COMMON_OPTIONS, type Command, type Group } from "./command.ts";

export const SHELLS = ["bash", "zsh", "fish"] as const;
export type Shell = (typeof SHELLS)[number];

/** The script of a shell, for a file that the shell reads at its start. */
export function completionScript(shell: Shell, root: Group): string {
  const nodes = walk(root, [root.name]);
  switch (shell) {
    case "bash":
      return bash(nodes);
    case "zsh":
      return zsh(nodes);
    case "fish":
      return fish(nodes);
  }
}

interface Node {
  readonly path: readonly string[];
  readonly node: Command | Group;
}

function walk(node: Command | Group, path: readonly string[]): Node[] {
  const below =
    node.kind === "group" ? node.commands.flatMap((child) => walk(child, [...path, child.name])) : [];
  return [{ path, node }, ...below];
}

/** Words that may stand after a node: sub-commands, or choices of its first argument, then its options. */
function wordsAfter({ node, path }: Node): string[] {
  if (node.kind === "group") {
    const version = path.length === 1 ? ["--version"] : [];
    return [...node.commands.map((child) => child.name), "--help", "--json", ...version];
  }
  const options = [...node.options, ...COMMON_OPTIONS].map((option) => `--${option.name}`);
  return [...(node.arguments[0]?.choices ?? []), ...options];
}

/** The parts of a `case` that bash and zsh share. */
interface Cases {
  /** Paths of groups: a word after one of these is a command. */
  readonly groups: string;
  /** "path --option": the option's choices. */
  readonly choices: string;
  /** Options whose value is a file or free text. */
  readonly values: string;
  /** "path": the words that may follow. */
  readonly words: string;
}

function casesOf(nodes: readonly Node[], variable: string): Cases {
  const line = (pattern: string, list: string): string => `    "${pattern}") ${variable}="${list}" ;;`;
  const options = nodes.flatMap(({ path, node }) =>
    node.kind === "group" ? [] : node.options.map((option) => ({ path: path.join(" "), option })),
  );
  const valued = options.filter(({ option }) => option.value !== undefined);
  return {
    groups: nodes
      .filter(({ node }) => node.kind === "group")
      .map(({ path }) => `"${path.join(" ")}"`)
      .join("|"),
    choices: options
      .filter(({ option }) => option.choices !== undefined)
      .map(({ path, option }) => line(`${path} --${option.name}`, option.choices?.join(" ") ?? ""))
      .join("\n"),
    values: [...new Set(valued.map(({ option }) => `--${option.name}`))].join("|"),
    words: nodes.map((each) => line(each.path.join(" "), wordsAfter(each).join(" "))).join("\n"),
  };
}

function bash(nodes: readonly Node[]): string {
  const cases = casesOf(nodes, "words");
  return `# bash completion for adyton
_adyton() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}"
  local path="adyton" words="" i
  for ((i = 1; i < COMP_CWORD; i++)); do
    case "$path" in
      ${cases.groups}) [[ "\${COMP_WORDS[i]}" == -* ]] || path="$path \${COMP_WORDS[i]}" ;;
    esac
  done
  case "$path $previous" in
${cases.choices}
  esac
  if [[ -z "$words" ]]; then
    case "$previous" in
      ${cases.values}) COMPREPLY=($(compgen -f -- "$current")); return ;;
    esac
    case "$path" in
${cases.words}
    esac
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ "$current" == -* || \${#COMPREPLY[@]} -gt 0 ]] || COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _adyton adyton
`;
}

function zsh(nodes: readonly Node[]): string {
  const cases = casesOf(nodes, "list");
  return `#compdef adyton
_adyton() {
  local current="\${words[CURRENT]}" previous="\${words[CURRENT-1]}"
  local at="adyton" list="" i
  for ((i = 2; i < CURRENT; i++)); do
    case "$at" in
      ${cases.groups}) [[ "\${words[i]}" == -* ]] || at="$at \${words[i]}" ;;
    esac
  done
  case "$at $previous" in
${cases.choices}
  esac
  if [[ -z "$list" ]]; then
    case "$previous" in
      ${cases.values}) _files; return ;;
    esac
    case "$at" in
${cases.words}
    esac
  fi
  compadd -- \${=list}
  case "$at" in
    ${cases.groups}) ;;
    *) [[ "$current" == -* ]] || _files ;;
  esac
}
if [[ "\${funcstack[1]}" == "_adyton" ]]; then _adyton "$@"; else compdef _adyton adyton; fi
`;
}

function fish(nodes: readonly Node[]): string {
  const lines = nodes.flatMap(({ path, node }) => {
    const words = path.slice(1);
    if (node.kind === "group") {
      const here = `complete -c adyton -n ${quoted(["__adyton_at", ...words].join(" "))} -f`;
      return node.commands.map((child) => `${here} -a ${child.name} -d ${quoted(child.summary)}`);
    }
    const here = `complete -c adyton -n ${quoted(["__adyton_in", ...words].join(" "))}`;
    const options = [...node.options, ...COMMON_OPTIONS].map((option) => {
      const choices = option.choices === undefined ? "" : ` -f -a ${quoted(option.choices.join(" "))}`;
      const value = option.value === undefined ? "" : " -r";
      return `${here} -l ${option.name}${value}${choices} -d ${quoted(option.summary)}`;
    });
    const choices = node.arguments[0]?.choices;
    return choices === undefined ? options : [`${here} -f -a ${quoted(choices.join(" "))}`, ...options];
  });
  return `# fish completion for adyton
function __adyton_words
    set -l words (commandline -opc | string match -v -- '-*')
    set -e words[1]
    string join ' ' -- $words
end
function __adyton_at
    test "$argv" = (__adyton_words | string collect --allow-empty)
end
function __adyton_in
    string match -q -- "$argv *" (__adyton_words)" "
end
complete -c adyton -n __adyton_at -l help -d 'show the page of adyton'
complete -c adyton -n __adyton_at -l version -d 'show the version'
${lines.join("\n")}
`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}
