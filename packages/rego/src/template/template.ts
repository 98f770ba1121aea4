// SPDX-License-Identifier: Apache-2.0
// Templates of Go's package text/template: actions, pipelines, variables, `if`, `range`, `with`. Refused: templates in
// templates (`define`, `template`, `block`), methods, and the functions `call`, `html`, `js`, `slice`, `urlquery`.

import { type Token, templateFailure, templateTokens } from "./lexer.ts";
import { isTrue, sortedEntries, type TemplateValue, templateFunctions, textOf } from "./values.ts";

/** Actions in actions, and parentheses in parentheses. */
const MAX_DEPTH = 100;

interface State {
  dot: TemplateValue;
  /** Innermost last. */
  readonly variables: { readonly name: string; value: TemplateValue }[];
  out: string;
  readonly spend: (steps: number) => void;
}

type Jump = "break" | "continue" | undefined;
type Run = (state: State) => Jump;
type Evaluate = (state: State) => TemplateValue;

/** What a command begins with; takes its arguments and, last, what came through the pipe. */
type Operand = (args: readonly Evaluate[], piped: Evaluate | undefined) => Evaluate;

interface Pipeline {
  readonly names: readonly string[];
  readonly assigns: boolean;
  readonly evaluate: Evaluate;
}

/** The text of a template. Throws `BuiltinFailure`. */
export function renderTemplate(source: string, data: TemplateValue, spend: (steps: number) => void): string {
  spend(1 + Math.ceil(source.length / 4));
  const run = new TemplateParser(templateTokens(source)).parse();
  const state: State = { dot: data, variables: [{ name: "$", value: data }], out: "", spend };
  run(state);
  return state.out;
}

class TemplateParser {
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;
  #loops = 0;
  /** Variables that are declared where we are. */
  readonly #names: string[] = ["$"];

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  parse(): Run {
    const body = this.#list();
    if (this.#peek().kind !== "end") throw templateFailure(`unexpected {{${this.#peek().text}}}`);
    return body;
  }

  #peek(offset = 0): Token {
    return this.#tokens[Math.min(this.#at + offset, this.#tokens.length - 1)] as Token;
  }

  #take(kind: Token["kind"]): Token {
    const token = this.#peek();
    if (token.kind !== kind)
      throw templateFailure(`unexpected ${JSON.stringify(token.text)}, expected ${kind}`);
    this.#at++;
    return token;
  }

  #isWord(text: string): boolean {
    const { kind, text: found } = this.#peek();
    return kind === "word" && found === text;
  }

  #nested<T>(work: () => T): T {
    if (++this.#depth > MAX_DEPTH) throw templateFailure("actions nest too deeply");
    const result = work();
    this.#depth--;
    return result;
  }

  /** Up to the end of the text, or to `{{end` or `{{else`, whose braces are taken. */
  #list(): Run {
    const parts: Run[] = [];
    for (;;) {
      const { kind, text } = this.#peek();
      if (kind === "end") break;
      this.#at++;
      if (kind === "text") {
        if (text !== "") parts.push((state) => write(state, text));
        continue;
      }
      if (this.#isWord("end") || this.#isWord("else")) break;
      parts.push(this.#action());
    }
    return (state) => {
      for (const part of parts) {
        const jump = part(state);
        if (jump !== undefined) return jump;
      }
      return undefined;
    };
  }

  #action(): Run {
    const { kind, text } = this.#peek();
    if (kind === "word") {
      if (text === "if" || text === "with" || text === "range")
        return this.#nested(() => this.#control(text));
      if (text === "break" || text === "continue") {
        this.#at++;
        this.#take("close");
        if (this.#loops === 0) throw templateFailure(`{{${text}}} outside {{range}}`);
        return () => text;
      }
    }
    const { names, assigns, evaluate } = this.#pipeline(false);
    this.#take("close");
    return (state) => {
      const value = evaluate(state);
      const [name] = names;
      if (name === undefined) return write(state, textOf(value, "<no value>"));
      bind(state, name, value, assigns);
      return undefined;
    };
  }

  /** `if`, `with` and `range`, with what follows up to `{{end}}`. */
  #control(kind: "if" | "with" | "range"): Run {
    const declared = this.#names.length;
    this.#at++;
    const pipeline = this.#pipeline(kind === "range");
    this.#take("close");
    if (kind === "range") this.#loops++;
    const body = this.#list();
    if (kind === "range") this.#loops--;
    let otherwise: Run | undefined;
    if (this.#isWord("else")) {
      this.#at++;
      if (kind !== "range" && this.#isWord(kind)) {
        // Its {{end}} is ours as well.
        otherwise = this.#nested(() => this.#control(kind));
        this.#names.length = declared;
        return controlOf(kind, pipeline, body, otherwise);
      }
      this.#take("close");
      otherwise = this.#list();
    }
    if (!this.#isWord("end"))
      throw templateFailure(`unexpected ${JSON.stringify(this.#peek().text)}, expected end`);
    this.#at++;
    this.#take("close");
    this.#names.length = declared;
    return controlOf(kind, pipeline, body, otherwise);
  }

  #pipeline(inRange: boolean): Pipeline {
    const names: string[] = [];
    let assigns = false;
    while (this.#peek().kind === "variable") {
      const after = this.#peek(1).kind;
      if (after !== ":=" && after !== "=" && after !== ",") break;
      names.push(this.#peek().text);
      this.#at += 2;
      if (after === ",") {
        if (!inRange || names.length > 1) throw templateFailure("too many declarations");
        continue;
      }
      assigns = after === "=";
      break;
    }
    // An assignment to what is not declared is found when it runs, as in Go.
    this.#names.push(...names);
    return { names, assigns, evaluate: this.#commands() };
  }

  #known(name: string): void {
    if (!this.#names.includes(name)) throw templateFailure(`undefined variable "${name}"`);
  }

  /** `a | b c | d` */
  #commands(): Evaluate {
    let value = this.#command(undefined);
    while (this.#peek().kind === "|") {
      this.#at++;
      value = this.#command(value);
    }
    return value;
  }

  #command(piped: Evaluate | undefined): Evaluate {
    const first = this.#isWord("nil") ? this.#nil() : this.#operand();
    const args: Evaluate[] = [];
    while (!["close", "|", ")", "end"].includes(this.#peek().kind)) {
      if (!this.#peek().spaced)
        throw templateFailure(`unexpected ${JSON.stringify(this.#peek().text)} in operand`);
      args.push(this.#operand()([], undefined));
    }
    return first(args, piped);
  }

  /** As an argument only; Go finds out when it runs. */
  #nil(): Operand {
    this.#at++;
    return () => () => {
      throw templateFailure("nil is not a command");
    };
  }

  /** A term and the fields behind it. */
  #operand(): Operand {
    const token = this.#peek();
    this.#at++;
    let term = this.#term(token);
    while (this.#peek().kind === "field" && !this.#peek().spaced) {
      if (["string", "number"].includes(token.kind)) throw templateFailure("unexpected . after constant");
      const { text } = this.#take("field");
      const inner = term([], undefined);
      term = plain((state) => fieldOf(inner(state), text));
    }
    return term;
  }

  #term({ kind, text }: Token): Operand {
    switch (kind) {
      case ".":
        return plain((state) => state.dot);
      case "field":
        return plain((state) => fieldOf(state.dot, text));
      case "variable":
        this.#known(text);
        return plain((state) => lookUp(state, text).value);
      case "string":
        return plain(() => text);
      case "number":
        return plain(constant(numberOf(text)));
      case "(": {
        const { names, evaluate } = this.#nested(() => this.#pipeline(false));
        if (names.length > 0) throw templateFailure("declarations in parentheses are not supported");
        this.#take(")");
        return plain(evaluate);
      }
      case "word":
        return wordOf(text);
      default:
        throw templateFailure(`unexpected ${JSON.stringify(text)} in command`);
    }
  }
}

function wordOf(text: string): Operand {
  if (text === "true" || text === "false") return plain(() => text === "true");
  if (text === "nil") return plain(() => null);
  if (text === "and" || text === "or") return shortOf(text === "or");
  const call = templateFunctions.get(text);
  if (call === undefined) throw templateFailure(`function "${text}" not defined, or not supported`);
  return (args, piped) => (state) => {
    const values = [...args, ...(piped === undefined ? [] : [piped])].map((evaluate) => evaluate(state));
    state.spend(1 + values.length);
    return call(values, state.spend);
  };
}

/** `and`, `or`: the first that decides, or the last. */
function shortOf(stops: boolean): Operand {
  return (args, piped) => {
    const all = piped === undefined ? args : [...args, piped];
    if (all.length === 0) throw templateFailure("wrong number of args: want at least 1 got 0");
    return (state) => {
      let value: TemplateValue;
      for (const evaluate of all) {
        value = evaluate(state);
        if (isTrue(value) === stops) break;
      }
      return value;
    };
  };
}

/** What takes no arguments. */
function plain(evaluate: Evaluate): Operand {
  return (args, piped) => {
    if (args.length > 0 || piped !== undefined) throw templateFailure("cannot give argument to non-function");
    return evaluate;
  };
}

function constant(value: TemplateValue): Evaluate {
  return () => value;
}

/** As Go decides: an integer where the text is one. */
function numberOf(text: string): TemplateValue {
  const sign = text.startsWith("-") ? -1n : 1n;
  const digits = text.replace(/^[+-]/, "");
  if (/^0[0-7]+$/.test(digits)) return sign * BigInt(`0o${digits.slice(1)}`);
  if (/^(?:\d+|0[xXbBoO][\da-fA-F]+)$/.test(digits)) return sign * BigInt(digits);
  const value = Number(text);
  if (!Number.isFinite(value)) throw templateFailure(`illegal number syntax: ${text}`);
  return Number.isInteger(value) ? BigInt(value) : value;
}

function write(state: State, text: string): undefined {
  state.spend(1 + Math.ceil(text.length / 16));
  state.out += text;
}

/** What is not there has no fields either; all but maps have none at all. */
function fieldOf(value: TemplateValue, name: string): TemplateValue {
  if (value === undefined) return undefined;
  if (value instanceof Map) return value.get(name);
  throw templateFailure(`can't evaluate field ${name}`);
}

function lookUp(state: State, name: string): { value: TemplateValue } {
  const found = state.variables.findLast((variable) => variable.name === name);
  if (found === undefined) throw templateFailure(`undefined variable "${name}"`);
  return found;
}

function bind(state: State, name: string, value: TemplateValue, assigns: boolean): void {
  if (assigns) lookUp(state, name).value = value;
  else state.variables.push({ name, value });
}

function controlOf(
  kind: "if" | "with" | "range",
  pipeline: Pipeline,
  body: Run,
  otherwise: Run | undefined,
): Run {
  return (state) => {
    const { dot } = state;
    const declared = state.variables.length;
    const value = pipeline.evaluate(state);
    let jump: Jump;
    // Until a loop sets them, its variables hold what it goes through.
    for (const name of pipeline.names) bind(state, name, value, pipeline.assigns);
    if (kind === "range" ? loop(state, pipeline.names, value, body) : isTrue(value)) {
      if (kind === "with") state.dot = value;
      if (kind !== "range") jump = body(state);
    } else jump = otherwise?.(state);
    state.dot = dot;
    state.variables.length = declared;
    return jump;
  };
}

/** Whether there was anything to go through. */
function loop(state: State, names: readonly string[], value: TemplateValue, body: Run): boolean {
  const declared = state.variables.length;
  const entries = entriesIn(value, names.length);
  let any = false;
  for (const [key, item] of entries) {
    any = true;
    state.spend(1);
    const [first, second] = names;
    if (first !== undefined) lookUp(state, first).value = second === undefined ? item : key;
    if (second !== undefined) lookUp(state, second).value = item;
    state.dot = item;
    const jump = body(state);
    state.variables.length = declared;
    if (jump === "break") break;
  }
  return any;
}

function* entriesIn(value: TemplateValue, names: number): Iterable<readonly [TemplateValue, TemplateValue]> {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield [BigInt(i), item];
  } else if (value instanceof Map) {
    yield* sortedEntries(value);
  } else if (typeof value === "bigint" && names < 2) {
    for (let i = 0n; i < value; i++) yield [undefined, i];
  } else if (value !== undefined && value !== null) {
    throw templateFailure("range can't iterate over that");
  }
}
