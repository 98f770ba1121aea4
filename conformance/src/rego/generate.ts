// SPDX-License-Identifier: Apache-2.0
// Random Rego modules: mostly well formed, safe and typed, so that they do something; now and then not, so that refusals
// are compared, too. Rules of every kind, every literal, `with` on input, data and functions.

import type { Random } from "./random.ts";
import { FUNCTIONS, KINDS, type Kind, LETTERS } from "./vocabulary.ts";

interface Variable {
  readonly name: string;
  readonly kind: Kind;
}

interface Rule {
  readonly name: string;
  readonly kind: Kind;
  /** Kinds of arguments, for a function. */
  readonly args?: readonly Kind[];
}

/** The text of `package <name>` with rules of all kinds. */
export function generateModule(random: Random, name: string): string {
  return new Generator(random).module(name);
}

class Generator {
  readonly #random: Random;
  /** What may be called or referred to: rules that stand before, so that nothing needs itself. */
  readonly #rules: Rule[] = [];
  #variables: Variable[] = [];
  #count = 0;
  #budget = 0;

  constructor(random: Random) {
    this.#random = random;
  }

  module(name: string): string {
    const rules = this.#random.times(4, 9, (i) => this.#rule(i));
    const text = rules.join("\n\n");
    // What is declared and never used is refused, mostly.
    const used = new Map<string, number>();
    for (const [variable] of text.matchAll(/\bx\d+\b/g)) used.set(variable, (used.get(variable) ?? 0) + 1);
    const tidy = text.replace(/\bx\d+\b/g, (variable) =>
      used.get(variable) === 1 && !this.#random.chance(0.005) ? "_" : variable,
    );
    return `package ${name}\n\n${tidy}\n`;
  }

  #rule(i: number): string {
    const name = `r${i}`;
    const text = this.#random.weighted<string>([
      [4, () => this.#complete(name)],
      [3, () => this.#partialSet(name)],
      [3, () => this.#partialObject(name)],
      [3, () => this.#function(name)],
      [1, () => this.#elseChain(name)],
      [1, () => this.#nested(name)],
    ]);
    return text;
  }

  #complete(name: string): string {
    const kind = this.#random.pick(KINDS);
    const fallback = this.#random.chance(0.3) ? `default ${name} := ${this.#ground(kind)}\n\n` : "";
    // More than one clause may conflict: that, too, is to be the same.
    const clauses = this.#random.times(1, 2, () =>
      this.#fresh(() => {
        const body = this.#body(3);
        return `${name} := ${this.#term(kind, 2)} if {\n${body}\n}`;
      }),
    );
    this.#rules.push({ name, kind });
    return fallback + clauses.join("\n\n");
  }

  #partialSet(name: string): string {
    const clauses = this.#random.times(1, 3, () =>
      this.#fresh(() => {
        const body = this.#body(3);
        return `${name} contains ${this.#term("any", 2)} if {\n${body}\n}`;
      }),
    );
    this.#rules.push({ name, kind: "set" });
    return clauses.join("\n\n");
  }

  #partialObject(name: string): string {
    const clauses = this.#random.times(1, 2, () =>
      this.#fresh(() => {
        const body = this.#body(3);
        const key = this.#random.chance(0.7) ? this.#term("string", 1) : this.#term("any", 1);
        return `${name}[${key}] := ${this.#term("any", 2)} if {\n${body}\n}`;
      }),
    );
    this.#rules.push({ name, kind: "object" });
    return clauses.join("\n\n");
  }

  #function(name: string): string {
    const args = this.#random.times(1, 2, () => this.#random.pick(KINDS));
    const kind = this.#random.pick(KINDS);
    const clauses = this.#random.times(1, 2, (clause) =>
      this.#fresh(() => {
        // The first clause takes anything: what only constants take is a type of its own.
        const parameters = args.map((arg) =>
          clause > 0 && this.#random.chance(0.5) ? this.#ground(arg) : this.#declare(arg),
        );
        const body = this.#body(2);
        return `${name}(${parameters.join(", ")}) := ${this.#term(kind, 2)} if {\n${body}\n}`;
      }),
    );
    this.#rules.push({ name, kind, args });
    return clauses.join("\n\n");
  }

  #elseChain(name: string): string {
    const kind = this.#random.pick(KINDS);
    const branch = (): string =>
      this.#fresh(() => {
        const body = this.#body(2);
        return `:= ${this.#term(kind, 2)} if {\n${body}\n}`;
      });
    const branches = [`${name} ${branch()}`, ...this.#random.times(1, 2, () => `else ${branch()}`)];
    this.#rules.push({ name, kind });
    return branches.join(" ");
  }

  /** A head of several names: `r.a[x].b`, some of whose parts are constants. */
  #nested(name: string): string {
    const clauses = this.#random.times(1, 3, (i) =>
      this.#fresh(() => {
        const body = this.#body(2);
        const key = this.#random.chance(0.5)
          ? `[${this.#term("string", 0)}]`
          : `.${this.#random.pick(LETTERS)}`;
        return this.#random.chance(0.5)
          ? `${name}.p${i}${key} := ${this.#term("any", 1)} if {\n${body}\n}`
          : `${name}.s${i} contains ${this.#term("any", 1)} if {\n${body}\n}`;
      }),
    );
    this.#rules.push({ name, kind: "object" });
    return clauses.join("\n\n");
  }

  /** Variables of its own for what `make` makes. */
  #fresh<T>(make: () => T): T {
    const outer = this.#variables;
    this.#variables = [];
    this.#budget = 40;
    try {
      return make();
    } finally {
      this.#variables = outer;
    }
  }

  /** The variables that `make` declares are gone behind it. */
  #scoped<T>(make: () => T): T {
    const outer = [...this.#variables];
    try {
      return make();
    } finally {
      this.#variables = outer;
    }
  }

  #declare(kind: Kind): string {
    const name = `x${this.#count++}`;
    this.#variables.push({ name, kind });
    return name;
  }

  #body(most: number): string {
    return this.#random.times(1, most, () => `\t${this.#literal()}`).join("\n");
  }

  #literal(): string {
    const random = this.#random;
    return random.weighted<string>([
      [
        4,
        () => {
          const kind = random.pick(KINDS);
          return this.#declaring(kind, (value) => `${value()} := ${this.#term(kind, 2)}`);
        },
      ],
      [4, () => this.#declaring("open", (value) => `some ${value()} in ${this.#document()}`)],
      [1, () => this.#declaring("any", (value) => `some ${value()} in ${this.#collection()}`)],
      [2, () => this.#declaring("open", (value) => `some ${value()}, ${value()} in ${this.#document()}`)],
      [2, () => this.#declaring("open", (value) => `${this.#document()}[${value()}]`)],
      [2, () => this.#declaring("open", (value) => `${value()} = ${this.#document()}[${value()}]`)],
      [1, () => this.#declaring("open", (value) => `[${value()}, ${this.#ground("any")}] = ${this.#open()}`)],
      [1, () => this.#declaring("open", (value) => `{"id": ${value()}, "tags": ${value()}} = input.d[_]`)],
      [1, () => this.#declaring("open", (value) => `walk(${this.#document()}, [_, ${value()}])`)],
      [4, () => this.#comparison()],
      [3, () => `not ${this.#negatable()}`],
      [2, () => this.#every()],
      [2, () => this.#replacing()],
      [2, () => this.#test()],
      // Nothing binds it.
      [0.05, () => `unbound == ${this.#term("any", 1)}`],
    ]);
  }

  /** The names are known only to what follows. */
  #declaring(kind: Kind, make: (value: () => string) => string): string {
    const declared: Variable[] = [];
    const text = make(() => {
      const name = `x${this.#count++}`;
      declared.push({ name, kind });
      return name;
    });
    this.#variables.push(...declared);
    return text;
  }

  #comparison(): string {
    const kind = this.#random.pick(KINDS);
    return `${this.#term("open", 0)} ${this.#random.pick(["==", "!=", "<", "<=", ">", ">="])} ${this.#term(kind, 1)}`;
  }

  #test(): string {
    return this.#random.weighted<string>([
      [2, () => this.#comparison()],
      [1, () => this.#term("boolean", 1)],
      [2, () => `${this.#term("open", 1)} in ${this.#collection()}`],
      [1, () => this.#document()],
    ]);
  }

  /** Never a constant: OPA takes `not true` in a rule whose value is a reference for true. */
  #negatable(): string {
    return this.#random.weighted<string>([
      [2, () => this.#comparison()],
      [1, () => `startswith(${this.#term("open", 1)}, ${this.#term("string", 1)})`],
      [1, () => `${this.#term("open", 1)} in ${this.#collection()}`],
      [1, () => this.#open()],
    ]);
  }

  #every(): string {
    return this.#scoped(() => {
      const domain = this.#document();
      const names = this.#random.chance(0.4)
        ? `${this.#declare("open")}, ${this.#declare("open")}`
        : this.#declare("open");
      return `every ${names} in ${domain} { ${this.#test()} }`;
    });
  }

  #replacing(): string {
    const random = this.#random;
    const target = random.weighted<string>([
      [3, () => `input as ${this.#document()}`],
      [2, () => `input.${random.pick([...LETTERS, "e", "f"])} as ${this.#term("any", 1)}`],
      [2, () => `data.base.${random.pick(LETTERS)} as ${this.#term("any", 1)}`],
      [1, () => `count as ${random.below(4)}`],
      [1, () => `data.base as {"a": ${this.#term("any", 0)}}`],
    ]);
    const plain = this.#rules.filter(({ args }) => args === undefined);
    const rule = plain.length > 0 && random.chance(0.7) ? random.pick(plain).name : this.#document();
    return random.chance(0.5)
      ? this.#declaring("any", (value) => `${value()} := ${rule} with ${target}`)
      : `not ${rule} with ${target}`;
  }

  /** Something to go through. */
  #collection(): string {
    return this.#random.weighted<string>([
      [4, () => this.#document()],
      [1, () => this.#term("array", 1)],
      [1, () => this.#term("set", 1)],
      [1, () => this.#term("object", 1)],
    ]);
  }

  /** A reference into input, base documents, or a rule that holds something. */
  #document(): string {
    const random = this.#random;
    const holders = this.#rules.filter(
      ({ kind, args }) => args === undefined && (kind === "set" || kind === "object"),
    );
    return random.weighted<string>([
      [6, () => this.#open()],
      [holders.length > 0 ? 2 : 0, () => random.pick(holders).name],
    ]);
  }

  /** A reference into input or base documents. */
  #open(): string {
    const random = this.#random;
    return random.weighted<string>([
      [4, () => `input.${random.pick([...LETTERS, "e", "f"])}`],
      [1, () => `input[${this.#term("string", 0)}]`],
      [
        1,
        () =>
          `input.${random.pick(LETTERS)}[${random.chance(0.5) ? random.below(3) : `"${random.pick(LETTERS)}"`}]`,
      ],
      [2, () => `data.base.${random.pick(LETTERS)}`],
    ]);
  }

  /** The same on every evaluation: `null`, numbers, texts, and what is made of them. */
  #ground(kind: Kind): string {
    const random = this.#random;
    switch (kind) {
      case "any":
      case "open":
        return random.pick(["null", "1", "2", '"a"', '"b"', "true", "[]", "{}", '[1, "a"]']);
      case "number":
        return random.pick(["0", "1", "2", "-1", "1.5", "10"]);
      case "string":
        return `"${random.pick(["", "a", "b", "ab", "c"])}"`;
      case "boolean":
        return random.pick(["true", "false"]);
      case "array":
        return random.pick(["[]", "[1, 2]", '["a", "b"]', "[1, [2]]"]);
      case "set":
        return random.pick(["set()", "{1, 2}", '{"a", "b"}']);
      case "object":
        return random.pick(["{}", '{"a": 1}', '{"a": {"b": 2}, "c": [1]}']);
    }
  }

  #term(kind: Kind, depth: number): string {
    const random = this.#random;
    const fitting = this.#variables.filter(
      (variable) => kind === "any" || variable.kind === kind || variable.kind === "open",
    );
    if (kind === "open")
      return fitting.length > 0 && random.chance(0.6) ? random.pick(fitting).name : this.#open();
    if (this.#budget-- <= 0) return this.#ground(kind);
    const deep = depth > 0 ? 1 : 0;
    const known = this.#rules.filter((rule) => rule.kind === kind && rule.args === undefined);
    const callable = this.#rules.filter((rule) => rule.kind === kind && rule.args !== undefined);
    const builtins = FUNCTIONS.filter(([result]) => result === kind);
    return random.weighted<string>([
      [2, () => this.#ground(kind)],
      [fitting.length > 0 ? 5 : 0, () => random.pick(fitting).name],
      [2, () => this.#open()],
      [known.length > 0 ? 2 : 0, () => random.pick(known).name],
      [
        callable.length > 0 ? 2 * deep : 0,
        () => {
          const { name, args = [] } = random.pick(callable);
          return `${name}(${args.map((arg) => this.#term(arg, depth - 1)).join(", ")})`;
        },
      ],
      [
        builtins.length > 0 ? 2 * deep : 0,
        () => {
          const [, name, ...args] = random.pick(builtins);
          return `${name}(${args.map((arg) => this.#term(arg, depth - 1)).join(", ")})`;
        },
      ],
      [2 * deep, () => this.#made(kind, depth - 1)],
    ]);
  }

  /** Operators, literals and comprehensions. */
  #made(kind: Kind, depth: number): string {
    const random = this.#random;
    const term = (of: Kind): string => this.#term(of, depth);
    switch (kind) {
      case "any":
      case "open":
        return this.#term(random.pick(KINDS.slice(2)), depth);
      case "number":
        return `(${term("number")} ${random.pick(["+", "-", "*", "/", "%"])} ${term("number")})`;
      case "string":
        return `sprintf("%v-%v", [${term("any")}, ${term("any")}])`;
      case "boolean":
        return `(${term("open")} ${random.pick(["==", "!=", "<", ">="])} ${term("any")})`;
      case "array":
        return random.chance(0.5)
          ? `[${random.times(0, 3, () => term("any")).join(", ")}]`
          : this.#comprehension("[", "]", () => term("any"));
      case "set":
        return random.weighted<string>([
          [1, () => `{${random.times(1, 3, () => term("any")).join(", ")}}`],
          [2, () => this.#comprehension("{", "}", () => term("any"))],
          [1, () => `(${term("set")} ${random.pick(["|", "&", "-"])} ${term("set")})`],
        ]);
      case "object":
        // Values are constant: with others, which of two errors comes first depends on the order of evaluation.
        return random.chance(0.5)
          ? `{${random.times(0, 2, (i) => `"${LETTERS[i]}": ${term("any")}`).join(", ")}}`
          : this.#comprehension("{", "}", () => `${term("string")}: ${this.#ground("any")}`);
    }
  }

  #comprehension(open: string, close: string, head: () => string): string {
    return this.#scoped(() => {
      const body = this.#random.times(1, 2, () => this.#literal()).join("; ");
      return `${open}${head()} | ${body}${close}`;
    });
  }
}
