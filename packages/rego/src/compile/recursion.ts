// SPDX-License-Identifier: Apache-2.0
// Which rules need which: a rule that needs itself is refused, also where the need goes through `with`.

import { compare, keyOf, type Value } from "../value.ts";
import {
  type Clause,
  findNode,
  type Operand,
  type Program,
  pathText,
  type Report,
  type RuleNode,
  type Statement,
} from "./program.ts";
import { bodiesOf, operandsOf } from "./variables.ts";

/** A clause, or all rules at a node and below it. */
type Vertex = Clause | RuleNode;

/** What a rule refers to, as far as it can be known before evaluation. */
interface Needs {
  /** Rules whose value, or a part of it, may be asked for; a node stands for all of its clauses. */
  readonly rules: ReadonlySet<Vertex>;
  /** `input` is asked for. */
  readonly input: boolean;
  /** Constant beginnings of paths below `data` that are asked for. */
  readonly data: readonly (readonly Value[])[];
  /** Built-in functions that are called. */
  readonly builtins: ReadonlySet<string>;
}

function partsOf(node: RuleNode): Vertex[] {
  return [...node.clauses, ...node.children.values()];
}

/** What was found of rules while looking for cycles. */
const onInput = new WeakMap<Vertex, boolean>();

interface Direct {
  readonly needs: readonly Vertex[];
  readonly input: boolean;
}

function directOf(program: Program, vertex: Vertex): Direct {
  if (!isClause(vertex)) return { needs: partsOf(vertex), input: false };
  const { rules, input } = needsOf(program, vertex);
  return { needs: [...rules], input };
}

function isClause(vertex: Vertex): vertex is Clause {
  return "body" in vertex;
}

/** What a clause, or a body, refers to itself. */
function needsOf(program: Program, of: Clause | readonly Statement[]): Needs {
  const found = {
    rules: new Set<Vertex>(),
    input: false,
    data: [] as (readonly Value[])[],
    builtins: new Set<string>(),
  };
  const operand = (at: Operand): void => {
    switch (at.kind) {
      case "ref":
        if (at.head === "input") found.input = true;
        if (at.head === "data") {
          for (const vertex of rulesAt(program, at.path)) found.rules.add(vertex);
          found.data.push(constantPrefix(at.path));
        }
        at.path.forEach(operand);
        break;
      case "array":
      case "set":
        at.items.forEach(operand);
        break;
      case "object":
        for (const [key, value] of at.entries) {
          operand(key);
          operand(value);
        }
        break;
      case "comprehension":
        if (at.key !== undefined) operand(at.key);
        operand(at.value);
        at.body.forEach(statement);
        break;
      case "template":
        for (const part of at.parts) if (typeof part !== "string") operand(part);
        break;
      default:
        break;
    }
  };
  const statement = (at: Statement): void => {
    for (const inner of operandsOf(at)) operand(inner);
    for (const { target, value } of at.with) {
      if (target.kind === "function") found.rules.add(target.node);
      if (target.kind === "data") {
        const node = findNode(program.root, target.path);
        if (node !== undefined) found.rules.add(node);
      }
      if (value.kind === "function") found.rules.add(value.node);
    }
    if (at.form.kind === "call") {
      const { callee } = at.form;
      if (callee.kind === "function") found.rules.add(callee.node);
      else found.builtins.add(callee.builtin.name);
    }
    for (const body of bodiesOf(at)) body.forEach(statement);
  };
  if (!("body" in of)) {
    of.forEach(statement);
    return found;
  }
  for (let clause: Clause | undefined = of; clause !== undefined; clause = clause.else) {
    clause.body.forEach(statement);
    if (clause.value !== undefined) operand(clause.value);
    if (clause.contains !== undefined) operand(clause.contains);
  }
  return found;
}

/** Once there is a cycle, more of them help nobody. */
const MAX_REPORTED = 50;

/** Reports each rule that may need itself, once for each cycle; without one, says in `order` which rule needs which. */
export function checkRecursion(program: Program, report: Report): void {
  const state = new Map<Vertex, "open" | "done">();
  const reported = new Set<RuleNode>();
  const owners = new Map<Clause, RuleNode>();
  for (const node of program.nodes) for (const clause of node.clauses) owners.set(clause, node);
  for (const node of program.nodes) {
    // Depth first, with a stack of its own: chains of rules may be long.
    const stack: (Direct & { readonly vertex: Vertex; next: number })[] = [];
    const push = (vertex: Vertex) => {
      state.set(vertex, "open");
      stack.push({ ...directOf(program, vertex), vertex, next: 0 });
    };
    if (state.has(node)) continue;
    push(node);
    for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
      const next = top.needs[top.next++];
      if (next === undefined) {
        state.set(top.vertex, "done");
        onInput.set(top.vertex, top.input || top.needs.some((need) => onInput.get(need) === true));
        if (!isClause(top.vertex) && top.vertex.clauses.length > 0) program.order.push(top.vertex);
        stack.pop();
        continue;
      }
      const known = state.get(next);
      if (known === undefined) push(next);
      const owner = isClause(next) ? owners.get(next) : next;
      if (known !== "open" || (owner !== undefined && reported.has(owner))) continue;
      if (reported.size > MAX_REPORTED) return;
      const start = stack.findLastIndex(({ vertex }) => vertex === next);
      const cycle = stack
        .slice(start)
        .map(({ vertex }) => vertex)
        .filter(isClause);
      reportCycle(cycle, owners, reported, report);
    }
  }
}

function reportCycle(
  cycle: readonly Clause[],
  owners: ReadonlyMap<Clause, RuleNode>,
  reported: Set<RuleNode>,
  report: Report,
): void {
  const nodes = cycle.flatMap((clause) => owners.get(clause) ?? []);
  const [first] = cycle;
  if (first === undefined || nodes.some((node) => reported.has(node))) return;
  for (const node of nodes) reported.add(node);
  const names = nodes.map(({ path }) => pathText(path));
  report({
    code: "REGO_RECURSION",
    message: `rule ${names[0]} is recursive: ${[...names, names[0]].join(" -> ")}`,
    location: first.location,
    hint: "break the cycle: no rule may need its own value, not even for some inputs",
  });
}

/** The rules that a path below `data` may ask for. */
function rulesAt(program: Program, path: readonly Operand[]): Set<Vertex> {
  const found = new Set<Vertex>();
  const walk = (node: RuleNode, i: number): void => {
    const part = path[i];
    if (part === undefined || path.slice(i).every(({ kind }) => kind !== "value")) {
      found.add(node);
      return;
    }
    const children = part.kind === "value" ? [node.children.get(keyOf(part.value))] : node.children.values();
    for (const child of children) {
      if (child === undefined) continue;
      addClauses(child, path, i + 1, found);
      walk(child, i + 1);
    }
  };
  walk(program.root, 0);
  return found;
}

/** Those clauses of a node whose keys may be the next ones of the path. */
function addClauses(node: RuleNode, path: readonly Operand[], from: number, found: Set<Vertex>): void {
  const open = node.clauses.filter((clause) => mayMeet(clause.ref, path, from));
  if (open.length === node.clauses.length && node.children.size === 0) found.add(node);
  else for (const clause of open) found.add(clause);
}

function mayMeet(a: readonly Operand[], b: readonly Operand[], from: number): boolean {
  for (let i = from; i < a.length && i < b.length; i++) {
    const [x, y] = [a[i], b[i]];
    if (x?.kind === "value" && y?.kind === "value" && compare(x.value, y.value) !== 0) return false;
  }
  return true;
}

function constantPrefix(path: readonly Operand[]): Value[] {
  const keys: Value[] = [];
  for (const part of path) {
    if (part.kind !== "value") break;
    keys.push(part.value);
  }
  return keys;
}

/** Whether the value of a rule may change with `input`. The program holds no cycles. */
export function dependsOnInput(program: Program, vertex: Vertex): boolean {
  const known = onInput.get(vertex);
  if (known !== undefined) return known;
  const { input, needs } = directOf(program, vertex);
  const depends = input || needs.some((need) => dependsOnInput(program, need));
  onInput.set(vertex, depends);
  return depends;
}
