// SPDX-License-Identifier: Apache-2.0
// Types of a resolved program: what can never fit is an error before anything runs. Of `input`, of base documents and of
// what a `with` puts in their place is known what schemas say, and nothing without them.

import type {
  Callee,
  Clause,
  ComprehensionOperand,
  Form,
  Local,
  Operand,
  Program,
  RefOperand,
  Report,
  RuleNode,
  Statement,
  TypeChecker,
} from "../compile/program.ts";
import { findNode } from "../compile/program.ts";
import { printTerm } from "../print.ts";
import { showValue } from "../show.ts";
import { ANY, BOOLEAN, STRING, setOf, type Type } from "../types.ts";
import { keyOf, type Value } from "../value.ts";
import { Documents, type DocumentTypes, NOTHING_KNOWN, type ProgramDocuments } from "./documents.ts";
import {
  keysType,
  objectType,
  overlap,
  selected,
  takesArgument,
  typeOf,
  typeText,
  unionOf,
} from "./lattice.ts";
import { misfit, nameOf, nameOfRef } from "./messages.ts";

/** What is known of the rules of a program, for its queries. */
const checkers = new WeakMap<Program, Checker>();

/** Reports everything that can never fit, with what is known of the documents. */
export function typeChecker(types?: DocumentTypes): TypeChecker {
  return {
    rules: (program, report) => {
      const checker = new Checker(program, report, types?.of(program, report));
      // In order: a chain of rules may be longer than the stack is deep.
      for (const node of program.order) checker.typeOfRules(node);
      checkers.set(program, checker);
    },
    query: (program, query, report) => {
      const rules = checkers.get(program);
      new Checker(program, report, rules?.known, rules).body(query.body, new Types());
    },
  };
}

/** Types of the locals of one clause or query, those of the bodies around a body included. */
class Types {
  readonly #outer: Types | undefined;
  #own: Map<Local, Type> | undefined;

  constructor(outer?: Types) {
    this.#outer = outer;
  }

  get(local: Local): Type | undefined {
    return this.#own?.get(local) ?? this.#outer?.get(local);
  }

  /** What a body learns is not known outside of it. */
  set(local: Local, type: Type): void {
    this.#own ??= new Map();
    this.#own.set(local, type);
  }
}

class Checker {
  readonly #program: Program;
  readonly #report: Report;
  readonly #rules: Checker;
  readonly #types = new Map<RuleNode, Type>();
  readonly known: ProgramDocuments;
  #documents: Documents;
  #quiet = false;
  /** In a body of `every`, where OPA looks at references and comprehensions only. */
  #lenient = false;

  constructor(program: Program, report: Report, known: ProgramDocuments = NOTHING_KNOWN, rules?: Checker) {
    this.#program = program;
    this.#report = report;
    this.known = known;
    this.#documents = known.queries;
    this.#rules = rules ?? this;
  }

  /** What the rules at a node give; of functions what a call gives. Rules do not need themselves: recursion was refused. */
  typeOfRules(node: RuleNode): Type {
    let type = this.#types.get(node);
    if (type === undefined) {
      // Should a rule come back to itself all the same, it is anything.
      this.#types.set(node, ANY);
      type = unionOf(node.clauses.map((clause) => this.#clause(clause)));
      this.#types.set(node, type);
    }
    return type;
  }

  #clause(clause: Clause): Type {
    const types = new Types();
    const documents = this.#documents;
    this.#documents = this.known.clause(clause);
    this.body(clause.body, types);
    const result = this.#result(clause, types);
    this.#documents = documents;
    return clause.else === undefined ? result : unionOf([result, this.#clause(clause.else)]);
  }

  #result({ args, contains, ground, ref, value }: Clause, types: Types): Type {
    const given = contains === undefined ? this.#value(value, types) : setOf(this.operand(contains, types));
    if (args !== undefined) return given;
    // What stands below a variable in the head: an object for each part of the path.
    return ref
      .slice(ground)
      .reduceRight<Type>(
        (below, part) => ({ kind: "object", rest: { key: this.operand(part, types), value: below } }),
        given,
      );
  }

  #value(value: Operand | undefined, types: Types): Type {
    return value === undefined ? BOOLEAN : this.operand(value, types);
  }

  body(statements: readonly Statement[], types: Types): void {
    for (const statement of statements) this.#statement(statement, types);
  }

  #statement({ form, location, with: replacements, negated, origin }: Statement, types: Types): void {
    // `some x in 5` has no solution, and nobody is the worse for it.
    this.#quiet = origin?.form.kind === "some-in" && origin.form.domain.kind === "scalar";
    const documents = this.#documents;
    if (replacements.length > 0) this.#documents = this.#replaced(replacements, types);
    // Below a `with` other things may stand in the place of rules and functions.
    const replaced = replacements.some(({ target }) => target.kind !== "input");
    this.#form(form, negated ? new Types(types) : types, location, replaced);
    this.#documents = documents;
  }

  /** The documents below a `with`: what is put somewhere may be what stood there as well, where it is not read. */
  #replaced(replacements: Statement["with"], types: Types): Documents {
    const documents = new Documents(this.#documents);
    for (const { target, value } of replacements) {
      const given = isOperand(value) ? this.operand(value, types) : ANY;
      if (target.kind !== "input" && target.kind !== "data") continue;
      documents[target.kind].put(target.path, unionOf([this.#typeAt(target.kind, target.path), given]));
    }
    return documents;
  }

  /** What stands at a path, as far as it is known. */
  #typeAt(document: "input" | "data", path: readonly Value[]): Type {
    const known = this.#documents.find(document, path);
    if (known === undefined) {
      const node = document === "data" ? findNode(this.#program.root, path) : undefined;
      return node === undefined || node.clauses.length === 0 || node.children.size > 0
        ? ANY
        : this.#rules.typeOfRules(node);
    }
    let { type } = known;
    for (const key of path.slice(known.length)) type = selected(type, key, typeOf(key)) ?? ANY;
    return type;
  }

  #form(form: Form, types: Types, location: Statement["location"], replaced: boolean): void {
    switch (form.kind) {
      case "test":
        this.operand(form.term, types);
        break;
      case "unify":
        this.#unify(form.left, form.right, types, location);
        break;
      case "call":
        this.#call(form, types, location, replaced);
        break;
      case "print":
        for (const arg of form.args) this.operand(arg, types);
        break;
      case "every": {
        this.operand(form.domain, types);
        const lenient = this.#lenient;
        this.#lenient = true;
        this.body(form.body, new Types(types));
        this.#lenient = lenient;
        break;
      }
      case "not":
        this.body(form.body, new Types(types));
        break;
      case "and":
      case "or":
        this.body(form.left, new Types(types));
        this.body(form.right, new Types(types));
        break;
    }
  }

  #unify(left: Operand, right: Operand, types: Types, location: Statement["location"]): void {
    const a = this.#pattern(left, types);
    const b = this.#pattern(right, types);
    if (this.#lenient) return;
    const [known, given] = [a ?? ANY, b ?? ANY];
    if (a !== undefined && b !== undefined && !this.#comparable(a, b, location)) return;
    this.#bind(left, given, types);
    this.#bind(right, known, types);
  }

  /** Reports two sides of which nothing is ever equal. */
  #comparable(left: Type, right: Type, location: Statement["location"]): boolean {
    if (overlap(left, right)) return true;
    this.#report({
      code: "REGO_TYPE",
      message: `match error: ${typeText(left)} on the left and ${typeText(right)} on the right can never be equal`,
      location,
      hint: "compare values of one type",
    });
    return false;
  }

  /** The type of an operand in which locals may be free; undefined for a free local. */
  #pattern(operand: Operand, types: Types): Type | undefined {
    if (operand.kind === "local") return types.get(operand.local);
    return this.operand(operand, types);
  }

  /** Free locals of a pattern take the types of what they stand for. */
  #bind(operand: Operand, type: Type, types: Types): void {
    if (operand.kind === "local") {
      if (types.get(operand.local) === undefined) types.set(operand.local, type);
    } else if (operand.kind === "array") {
      operand.items.forEach((item, i) => {
        this.#bind(item, selected(type, i, typeOf(i)) ?? ANY, types);
      });
    } else if (operand.kind === "object") {
      for (const [key, value] of operand.entries) {
        const constant = key.kind === "value" ? key.value : undefined;
        this.#bind(value, selected(type, constant, this.operand(key, types)) ?? ANY, types);
      }
    }
  }

  #call(
    { callee, args, output }: Extract<Form, { kind: "call" }>,
    types: Types,
    location: Statement["location"],
    replaced: boolean,
  ): void {
    const given = args.map((arg) => this.operand(arg, types));
    if (this.#lenient) return;
    const result = replaced ? ANY : this.#resultOf(callee);
    if (callee.kind === "builtin" && !replaced) {
      const { name, type } = callee.builtin;
      if (name === "equal" && given[0] !== undefined && given[1] !== undefined) {
        this.#comparable(given[0], given[1], location);
      }
      if (!given.every((each, i) => takesArgument(type.args[i] ?? type.variadic ?? ANY, each))) {
        this.#report(misfit(name, given, type, location));
      }
    }
    if (output === undefined) return;
    const taken = this.#pattern(output, types);
    if (taken !== undefined && !overlap(taken, result)) {
      this.#report({
        code: "REGO_TYPE",
        message: `match error: ${nameOf(callee)} gives ${typeText(result)}, which is never ${typeText(taken)}`,
        location,
      });
    }
    this.#bind(output, result, types);
  }

  #resultOf(callee: Callee): Type {
    return callee.kind === "builtin"
      ? (callee.builtin.type.result ?? ANY)
      : this.#rules.typeOfRules(callee.node);
  }

  operand(operand: Operand, types: Types): Type {
    switch (operand.kind) {
      case "value":
        return typeOf(operand.value);
      case "local":
        return types.get(operand.local) ?? ANY;
      case "ref":
        return this.#ref(operand, types);
      case "array":
        return { kind: "array", items: operand.items.map((item) => this.operand(item, types)) };
      case "set": {
        const members = operand.items.map((item) => this.operand(item, types));
        return { kind: "set", of: members.length === 0 ? ANY : unionOf(members) };
      }
      case "object":
        return objectType(
          operand.entries.map(([key, value]) => {
            if (key.kind !== "value") this.operand(key, types);
            return [key.kind === "value" ? key.value : undefined, this.operand(value, types)] as const;
          }),
        );
      case "template":
        for (const part of operand.parts) if (typeof part !== "string") this.operand(part, types);
        return STRING;
      case "comprehension":
        return this.#comprehension(operand, types);
    }
  }

  #comprehension({ body, key, of, value }: ComprehensionOperand, types: Types): Type {
    const inner = new Types(types);
    const lenient = this.#lenient;
    this.#lenient = false;
    this.body(body, inner);
    this.#lenient = lenient;
    const member = this.operand(value, inner);
    if (of === "array") return { kind: "array", rest: member };
    if (of === "set") return { kind: "set", of: member };
    return {
      kind: "object",
      rest: { key: key === undefined ? ANY : this.operand(key, inner), value: member },
    };
  }

  #ref(operand: RefOperand, types: Types): Type {
    const { head, path } = operand;
    let at = 0;
    let type: Type = ANY;
    const known = typeof head === "string" ? this.#documents.find(head, path.map(keyIn)) : undefined;
    if (known !== undefined) {
      type = known.type;
      at = known.length;
    } else if (head === "data") {
      let node: RuleNode | undefined = this.#program.root;
      while (node !== undefined && node.clauses.length === 0 && at < path.length) {
        const part: Operand | undefined = path[at];
        if (part === undefined) break;
        const key: Value | undefined = part.kind === "value" ? part.value : undefined;
        at += 1;
        node = key === undefined ? undefined : node.children.get(keyOf(key));
      }
      // Further rules, or base documents, may stand beside what is known.
      if (node === undefined || node.clauses.length === 0 || node.children.size > 0) type = ANY;
      else type = this.#rules.typeOfRules(node);
    } else if (head !== "input") {
      type = types.get(head) ?? ANY;
    }
    for (; at < path.length; at++) {
      const part = path[at];
      if (part === undefined) break;
      const key = part.kind === "value" ? part.value : undefined;
      const free = part.kind === "local" && types.get(part.local) === undefined;
      const keyType = free ? ANY : this.operand(part, types);
      const below = selected(type, key, keyType);
      if (below === undefined) {
        this.#undefinedRef(operand, type, part);
        this.#bindAll(path.slice(at), types);
        return ANY;
      }
      if (free) this.#bind(part, keysType(type), types);
      type = below;
    }
    return type;
  }

  #bindAll(parts: readonly Operand[], types: Types): void {
    for (const part of parts) this.#bind(part, ANY, types);
  }

  #undefinedRef({ head, location, path, term }: RefOperand, type: Type, part: Operand): void {
    if (this.#quiet) return;
    const key = part.kind === "value" ? showValue(part.value) : undefined;
    const name = term === undefined ? nameOfRef(head, path) : printTerm(term);
    const members = type.kind === "object" && type.rest === undefined ? type.members : undefined;
    const known = members?.map((member) => showValue(member.key)).join(", ");
    this.#report({
      code: "REGO_TYPE",
      message:
        key === undefined
          ? `undefined ref: ${name}, which looks into a ${typeText(type)}`
          : `undefined ref: ${name}, which looks for ${key} in a ${typeText(type)}`,
      location,
      ...(known === undefined || known === "" ? {} : { hint: `its keys are ${known}` }),
    });
  }
}

function keyIn(part: Operand): Value | undefined {
  return part.kind === "value" ? part.value : undefined;
}

function isOperand(value: Operand | Callee): value is Operand {
  return value.kind !== "builtin" && value.kind !== "function";
}
