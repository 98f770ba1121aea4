// SPDX-License-Identifier: Apache-2.0
// Rules: heads, bodies, `else`, `default`, and several bodies under one head.

import type { Body, Expr, Head, Rule, ScalarTerm, Term } from "../ast.ts";
import { Failure, V1_KEYWORDS } from "./cursor.ts";
import { dynamicPart, isGround, isRoot } from "./ground.ts";
import { LogicalParser } from "./logical.ts";

/** A head as it is read, before it is known what kind of rule it heads. */
interface Reading {
  readonly head: Head;
  /** Written as only the head of a body may be. */
  readonly loose: boolean;
}

export abstract class RuleParser extends LogicalParser {
  /** v1 holds: by the version asked for, or after `import rego.v1`. */
  strict = false;

  /** A rule, or several under one head: `p { … } { … }`. */
  rules(): Rule[] {
    const { start } = this.token;
    if (!this.nameKeyword() && this.take("default")) return [this.#default(start)];
    const { kind } = this;
    const { head: read, loose } = this.#head();
    const conditional = this.kind === "if";
    if (!conditional && this.kind !== "{") {
      if (loose && read.contains === undefined)
        this.fail("expected a rule body", "nothing stands between a name and its bracket");
      return [this.#unconditional(read, start)];
    }
    if (kind === "contains")
      this.failAt(read.location, "`contains` is a keyword and cannot name a rule with a body");
    this.#checkIf(read, conditional, start);
    const head = conditional ? read : asSet(read);
    const body = conditional ? this.#ifBody() : this.#bracedBody();
    const rule = this.#rule(head, body, start);
    const rules = [
      this.at("else") && !this.refFollows(this.index) ? this.#withElse(rule, read, conditional) : rule,
    ];
    while (this.at("{")) {
      if (rules[0]?.else !== undefined)
        this.fail("expected another rule", "a rule with `else` has no further bodies");
      const from = this.token.start;
      rules.push(this.#rule(head, this.#bracedBody(), from));
    }
    return rules;
  }

  #rule(head: Head, body: Body, start: number, more: Partial<Rule> = {}): Rule {
    return { default: false, head, body, implicitBody: false, ...more, location: this.since(start) };
  }

  #head(): Reading {
    const { start } = this.token;
    const { ref, args, loose } = this.#name();
    const finish = (more: Partial<Head>): Reading => {
      const head = {
        ref,
        ...(args.length === 0 ? {} : { args }),
        assign: false,
        ...more,
        location: this.since(start),
      };
      return { head, loose };
    };
    if (this.kind === "contains") {
      if (args.length > 0)
        this.fail("expected a value or body", "a function cannot be a set; give it a set as its value");
      this.next();
      return finish({ contains: this.operation() });
    }
    if (!this.at("=", ":=")) return finish({});
    const assign = this.next().text === ":=";
    return finish({ value: this.operation(), assign });
  }

  /** The name with its path and, for a function, its arguments. */
  #name(): { ref: Term[]; args: Term[]; loose: boolean } {
    if (!this.at("name", "contains")) this.fail("expected a rule", this.#hintForStatement());
    const { text, start } = this.token;
    const keyword = this.kind === "contains" || (this.version === "v0" && V1_KEYWORDS.includes(text));
    const { location } = this.variable();
    const ref: Term[] = [{ kind: "scalar", value: text, location }];
    const loose = this.token.space && this.at("[", ".", "(");
    ref.push(...this.path(true));
    const called = this.touches("(") || (ref.length === 1 && this.kind === "(");
    const args = called ? this.args() : [];
    if (ref.length === 1 && ((keyword && this.strict) || (called && args.length === 0 && text === "set"))) {
      this.failAt(this.since(start), `\`${text}\` cannot name a rule`, "choose another name");
    }
    if (called && args.length === 0 && !this.at("=", ":=", "if", "{"))
      this.fail("expected a value or body after `()`");
    return { ref, args, loose };
  }

  #default(start: number): Rule {
    this.nameKeyword();
    const { head } = this.#head();
    const location = this.since(start);
    const { value, args = [], ref } = head;
    if (head.contains !== undefined || (value === undefined && ref.length === 2 && args.length === 0)) {
      this.failAt(location, "a default rule needs a value", "write `default allow := false`");
    }
    const dynamic = value === undefined ? undefined : dynamicPart(value);
    if (dynamic !== undefined) this.failAt(dynamic.location, "the value of a default rule must be constant");
    const names = new Set<string>();
    for (const arg of args) {
      if (arg.kind !== "var" || isRoot(arg)) {
        this.failAt(arg.location, "arguments of a default function are plain variables");
      }
      if (names.has(arg.name)) this.failAt(arg.location, `the argument \`${arg.name}\` is repeated`);
      names.add(arg.name);
    }
    return this.#rule(head, [alwaysTrue(head)], start, { default: true, implicitBody: true });
  }

  /** A rule without a body. */
  #unconditional(read: Head, start: number): Rule {
    const { ref, args, value, contains } = read;
    const told = value !== undefined || contains !== undefined || args !== undefined;
    const name = String((ref[0] as ScalarTerm).value);
    if (!told && (ref.length === 1 || this.strict)) {
      const hint = ref.length === 1 ? this.#hintForLone(name) : `for a set write \`${name} contains …\``;
      this.failAt(this.since(start), "a rule needs a value or a body", hint);
    }
    const head = asSet(read);
    return this.#rule(head, [alwaysTrue(head)], start, { implicitBody: true });
  }

  #hintForLone(name: string): string | undefined {
    const next = this.token.text;
    if (name === "and" || name === "or") return `\`import future.keywords.${name}\` for \`x ${name} y\``;
    if (name === "if" || name === "contains") return `\`import future.keywords.${name}\`, or use v1`;
    if (next === "if" || next === "contains") return `\`import future.keywords.${next}\`, or use v1`;
    return `write \`${name} := value\` or \`${name} if { … }\``;
  }

  #checkIf({ ref, args, value, contains }: Head, conditional: boolean, start: number): void {
    if (conditional || !this.strict) return;
    const name = String((ref[0] as ScalarTerm).value);
    const set = ref.length > 1 && args === undefined && value === undefined && contains === undefined;
    const form = set ? `${name} contains … if { … }` : `${name} if { … }`;
    this.failAt(this.since(start), "`if` is required before a rule body", `write \`${form}\`, or use v0`);
  }

  /** After `if`: one expression, or a body in braces. A set is never false, so braces that could be one are a body. */
  #ifBody(): Body {
    this.next();
    if (this.kind !== "{") return [this.literal()];
    const mark = this.mark();
    const expr = this.attempt(() => this.literal());
    const set = !(expr instanceof Failure) && expr.form.kind === "term" && expr.form.term.kind === "set";
    if (!(expr instanceof Failure) && !(set && expr.with.length === 0)) return [expr];
    this.reset(mark);
    return this.#bracedBody();
  }

  #bracedBody(): Body {
    const opener = this.next();
    const body = this.body("}", opener);
    this.next();
    return body;
  }

  #withElse(rule: Rule, { ref, args, contains }: Head, conditional: boolean): Rule {
    const [, key, more] = ref;
    const keyed = args === undefined && more === undefined && key !== undefined;
    if (!ref.slice(1).every(isGround))
      this.fail("expected a rule: with a variable in its head a rule has no `else`");
    if (contains !== undefined || (keyed && (!conditional || key.kind === "ref" || isRoot(key)))) {
      this.fail("expected a rule: a set has no `else`");
    }
    return { ...rule, else: this.#else(rule.head) };
  }

  #else(head: Head): Rule {
    return this.nest(() => {
      const { start } = this.next();
      const { ref, args } = head;
      let value: Partial<Head> = { assign: false };
      if (this.at("=", ":=")) {
        const assign = this.next().text === ":=";
        value = { assign, value: this.operation() };
      } else if (!this.at("if", "{")) this.fail("expected a value or a body after `else`");
      const own: Head = {
        ref,
        ...(args === undefined ? {} : { args }),
        assign: false,
        ...value,
        location: this.since(start),
      };
      const conditional = this.take("if");
      if (!conditional && this.kind !== "{") {
        return this.#rule(own, [alwaysTrue(own)], start, { implicitBody: true });
      }
      this.#checkIf(head, conditional, start);
      const body = this.kind === "{" ? this.#bracedBody() : [this.literal()];
      const rule = this.#rule(own, body, start);
      return this.kind === "else" ? { ...rule, else: this.#else(head) } : rule;
    });
  }

  #hintForStatement(): string | undefined {
    const { kind, token } = this;
    if (kind === "==") return "a value is given with `:=`";
    if (kind === "with" || kind === "and" || kind === "or" || kind === ";")
      return "put the expression into a body: p if { … }";
    if (kind === "else") return "`else` follows a rule with a body";
    if (token.kind === "word" && kind !== "name")
      return `\`${token.text}\` is a keyword and cannot name a rule`;
    return undefined;
  }
}

/** v0: `p[x]` is the set p with the member x, unless it has a value or arguments. */
function asSet(head: Head): Head {
  const [name, key, more] = head.ref;
  if (name === undefined || key === undefined || more !== undefined) return head;
  if (head.value !== undefined || head.args !== undefined || head.contains !== undefined) return head;
  return { ...head, ref: [name], contains: key };
}

function alwaysTrue({ location }: Head): Expr {
  const term: Term = { kind: "scalar", value: true, location };
  return { form: { kind: "term", term }, negated: false, with: [], location };
}
