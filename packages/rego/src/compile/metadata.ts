// SPDX-License-Identifier: Apache-2.0
// Annotations: the METADATA comments above packages and rules, and what `rego.metadata.rule` and `rego.metadata.chain`
// give of them (language reference, "Metadata").

import type { Module, Rule, Term } from "../ast.ts";
import { type Builtin, type BuiltinContext, BuiltinFailure } from "../builtin.ts";
import { isObject, memberOf, type Value } from "../value.ts";
import type { CalleeProblem } from "./callee.ts";
import { groundKeys } from "./head.ts";
import { constantValues } from "./sink.ts";

/** What the functions give at one rule: known before evaluation. */
export type Describe = (which: "rule" | "chain") => { readonly value: Value } | CalleeProblem;

export function isMetadata({ operator, args }: Term & { readonly kind: "call" }): boolean {
  const [a, b, c] = operator;
  return (
    a === "rego" &&
    b === "metadata" &&
    (c === "rule" || c === "chain") &&
    operator.length === 3 &&
    args.length === 0
  );
}

type Annotations = { readonly [key: string]: Value };

/** Reads the comments of all modules at first use; `yaml.unmarshal` must be among the functions. */
export class Metadata {
  readonly #modules: readonly Module[];
  readonly #yaml: Builtin | undefined;
  readonly #packages = new Map<string, Annotations[]>();
  readonly #documents = new Map<string, Annotations>();
  #read = false;

  constructor(modules: readonly Module[], builtins: ReadonlyMap<string, Builtin>) {
    this.#modules = modules;
    this.#yaml = builtins.get("yaml.unmarshal");
  }

  describe(module: Module, rule: Rule): Describe {
    return (which) => {
      if (this.#yaml === undefined) {
        return {
          code: "REGO_COMPILE",
          message: `cannot read annotations for rego.metadata.${which}: they are YAML`,
          hint: "add `yamlBuiltins` of @adyton/rego/yaml to the functions",
        };
      }
      try {
        this.#readAll();
        const own = this.#of(rule.metadata, "rule");
        const isOwn = own !== undefined && memberOf(own, "scope") === "rule";
        if (which === "rule") return { value: isOwn ? own : {} };
        return { value: this.#chain(module, rule, isOwn ? own : undefined) };
      } catch (error) {
        if (!(error instanceof BuiltinFailure)) throw error;
        return { code: "REGO_COMPILE", message: `cannot read annotations: ${error.message}` };
      }
    };
  }

  #chain(module: Module, rule: Rule, own: Annotations | undefined): Value {
    const path = [...module.path, ...constantValues(groundKeys(rule.head))];
    const chain: Value[] = [own === undefined ? { path } : { path, annotations: own }];
    const document = this.#documents.get(keyOfPath(path));
    if (document !== undefined) chain.push({ path, annotations: document });
    const packages = this.#packages.get(keyOfPath(module.path)) ?? [];
    const ofPackage = packages.find((found) => found.scope === "package");
    chain.push(
      ofPackage === undefined ? { path: module.path } : { path: module.path, annotations: ofPackage },
    );
    for (let length = module.path.length; length > 0; length--) {
      const above = module.path.slice(0, length);
      for (const found of this.#packages.get(keyOfPath(above)) ?? []) {
        if (found.scope === "subpackages") chain.push({ path: above, annotations: found });
      }
    }
    return chain;
  }

  #readAll(): void {
    if (this.#read) return;
    this.#read = true;
    for (const module of this.#modules) {
      const key = keyOfPath(module.path);
      const ofPackage = this.#of(packageComment(module), "package");
      if (ofPackage !== undefined) this.#packages.set(key, [...(this.#packages.get(key) ?? []), ofPackage]);
      for (const rule of module.rules) {
        const found = this.#of(rule.metadata, "rule");
        if (found?.scope !== "document") continue;
        this.#documents.set(keyOfPath([...module.path, ...constantValues(groundKeys(rule.head))]), found);
      }
    }
  }

  /** One block, with its scope, and authors in the form that the reference gives them. */
  #of(text: string | undefined, scope: string): Annotations | undefined {
    if (text === undefined || this.#yaml === undefined) return undefined;
    const unmarshal = this.#yaml.call as (text: Value, context: BuiltinContext) => Value | undefined;
    const value = unmarshal(text, NO_CONTEXT);
    if (value === undefined || !isObject(value)) return undefined;
    const annotations = value as Annotations;
    const { authors, organizations, ...rest } = annotations;
    return {
      ...rest,
      scope: annotations.scope ?? scope,
      ...(Array.isArray(authors) ? { authors: authors.map(authorOf) } : {}),
      ...(organizations === undefined ? {} : { organizations }),
    };
  }
}

/** Reading comments costs the evaluation nothing. */
const NO_CONTEXT: BuiltinContext = {
  now: () => 0n,
  spend: () => {},
  cached: (_key, make) => make(),
  note: () => {},
};

/** `Jane Doe <jane@example.com>` */
function authorOf(author: Value): Value {
  if (typeof author !== "string") return author;
  const found = /^(.*?)\s*(?:<([^<>]*)>)?$/.exec(author.trim());
  const [, name = "", email] = found ?? [];
  return { ...(name === "" ? {} : { name }), ...(email === undefined ? {} : { email }) };
}

/** The block of comments that ends in the line above the package. */
function packageComment({ comments, packageLocation }: Module): string | undefined {
  const lines: string[] = [];
  let row = packageLocation.row - 1;
  for (const { text, location } of [...comments].reverse()) {
    if (location.row > row) continue;
    if (location.row < row) break;
    if (text.trim() === "METADATA") return lines.join("\n");
    lines.unshift(text.replace(/^ /, ""));
    row--;
  }
  return undefined;
}

function keyOfPath(path: readonly Value[]): string {
  return JSON.stringify(path.map(String));
}
