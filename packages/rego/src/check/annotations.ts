// SPDX-License-Identifier: Apache-2.0
// The `schemas` of METADATA comments (language reference, "Annotations"): which schema says what stands where, for a rule, all
// rules of a document, a package, or all packages below it.

import type { Comment, Module, Rule } from "../ast.ts";
import { type Builtin, type BuiltinContext, BuiltinFailure } from "../builtin.ts";
import { failure } from "../builtins/define.ts";
import { groundKeys } from "../compile/head.ts";
import type { Report } from "../compile/program.ts";
import { RegoError } from "../errors.ts";
import { parseTerm } from "../parse/module.ts";
import { isObject, memberOf, type PlainObject, type Value } from "../value.ts";

/** One entry of `schemas`. */
export interface SchemaAnnotation {
  /** `input` or `data`, and keys below it. */
  readonly path: readonly Value[];
  /** The path below `schema`, or a schema that is written right there. */
  readonly schema: { readonly name: readonly string[] } | { readonly definition: Value };
}

type Scope = "rule" | "document" | "package" | "subpackages";

/** A comment from the line after METADATA on, and the place of that line. */
interface Block {
  readonly text: string;
  readonly comment: Comment;
  readonly end: number;
}

/** All of a program, by what they hold for. */
export class SchemaAnnotations {
  readonly #rules = new Map<Rule, SchemaAnnotation[]>();
  /** Packages, subpackages and documents by their paths. */
  readonly #paths = new Map<string, SchemaAnnotation[]>();
  readonly #unmarshal: Builtin | undefined;
  /** Many rules have one comment. */
  readonly #texts = new Map<string, PlainObject>();
  readonly #report: Report;

  constructor(modules: readonly Module[], unmarshal: Builtin | undefined, report: Report) {
    this.#unmarshal = unmarshal;
    this.#report = report;
    for (const module of modules) this.#read(module);
  }

  /** Those that hold for a rule; later ones win. */
  of(module: Module, rule: Rule): readonly SchemaAnnotation[] {
    const above = Array.from({ length: module.path.length }, (_, i) => module.path.slice(0, i + 1));
    return [
      ...above.flatMap((path) => this.#at("subpackages", path)),
      ...this.#at("package", module.path),
      ...this.#at("document", documentOf(module, rule)),
      ...(this.#rules.get(rule) ?? []),
    ];
  }

  #at(scope: Scope, path: readonly Value[]): readonly SchemaAnnotation[] {
    return this.#paths.get(keyOfPath(scope, path)) ?? [];
  }

  #read(module: Module): void {
    const blocks = blocksOf(module.comments).filter(({ text }) => text.includes("schemas"));
    if (blocks.length === 0) return;
    const places: { readonly offset: number; readonly rule: Rule | undefined }[] = [
      { offset: module.packageLocation.offset, rule: undefined },
      ...module.rules.map((rule) => ({ offset: rule.location.offset, rule })),
    ];
    places.sort((a, b) => a.offset - b.offset);
    for (const block of blocks) {
      const place = places.find(({ offset }) => offset > block.end);
      if (place !== undefined) this.#attach(module, place.rule, block);
    }
  }

  #attach(module: Module, rule: Rule | undefined, block: Block): void {
    try {
      const annotations = this.#parsed(block.text);
      const schemas = schemasIn(annotations);
      if (schemas.length === 0) return;
      const isEntrypoint = memberOf(annotations, "entrypoint") === true;
      const scope =
        memberOf(annotations, "scope") ??
        (rule === undefined ? "package" : isEntrypoint ? "document" : "rule");
      if (rule !== undefined && scope === "rule") {
        this.#rules.set(rule, [...(this.#rules.get(rule) ?? []), ...schemas]);
      } else if (rule !== undefined && scope === "document") {
        this.#put(scope, documentOf(module, rule), schemas);
      } else if (rule === undefined && (scope === "package" || scope === "subpackages")) {
        this.#put(scope, module.path, schemas);
      } else {
        const above = rule === undefined ? "the package" : "a rule";
        throw failure(`the scope ${JSON.stringify(scope)} does not fit above ${above}`);
      }
    } catch (error) {
      if (!(error instanceof BuiltinFailure) && !(error instanceof RegoError)) throw error;
      this.#report({
        code: "REGO_COMPILE",
        message: `cannot read annotations: ${error.message}`,
        location: block.comment.location,
      });
    }
  }

  #parsed(text: string): PlainObject {
    if (this.#unmarshal === undefined) {
      throw failure("they are YAML; add `yamlBuiltins` of @adyton/rego/yaml to the functions");
    }
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    const unmarshal = this.#unmarshal.call as (text: Value, context: BuiltinContext) => Value | undefined;
    const value = unmarshal(text, NO_CONTEXT);
    const annotations = value !== undefined && isObject(value) ? (value as PlainObject) : {};
    this.#texts.set(text, annotations);
    return annotations;
  }

  #put(scope: Scope, path: readonly Value[], schemas: readonly SchemaAnnotation[]): void {
    const key = keyOfPath(scope, path);
    this.#paths.set(key, [...(this.#paths.get(key) ?? []), ...schemas]);
  }
}

/** Reading comments costs the evaluation nothing. */
const NO_CONTEXT: BuiltinContext = {
  now: () => 0n,
  spend: () => {},
  cached: (_key, make) => make(),
  note: () => {},
};

function documentOf(module: Module, rule: Rule): readonly Value[] {
  return [...module.path, ...groundKeys(rule.head).map((key) => (key.kind === "value" ? key.value : null))];
}

function keyOfPath(scope: Scope, path: readonly Value[]): string {
  return JSON.stringify([scope, ...path.map(String)]);
}

function blocksOf(comments: readonly Comment[]): readonly Block[] {
  const blocks: Block[] = [];
  let open: { readonly comment: Comment; readonly lines: string[]; row: number; end: number } | undefined;
  const close = (): void => {
    if (open !== undefined)
      blocks.push({ text: open.lines.join("\n"), comment: open.comment, end: open.end });
    open = undefined;
  };
  for (const comment of comments) {
    const { column, end, row } = comment.location;
    if (column === 1 && comment.text.trim() === "METADATA") {
      close();
      open = { comment, lines: [], row, end };
    } else if (open !== undefined && column === 1 && row === open.row + 1) {
      open.lines.push(comment.text.replace(/^ /, ""));
      open.row = row;
      open.end = end;
    } else close();
  }
  close();
  return blocks;
}

function schemasIn(annotations: PlainObject): SchemaAnnotation[] {
  const list = memberOf(annotations, "schemas") ?? [];
  if (!Array.isArray(list)) throw failure("`schemas` is no list");
  return (list as readonly Value[]).flatMap((entry) => {
    const [pair] = isObject(entry) ? Object.entries(entry as PlainObject) : [];
    if (pair === undefined) throw failure("`schemas` has an entry that names no document");
    const [document, schema] = pair;
    return { path: pathOf(document), schema: schemaOf(document, schema) };
  });
}

function schemaOf(document: string, schema: Value): SchemaAnnotation["schema"] {
  if (isObject(schema)) return { definition: schema };
  if (typeof schema !== "string") throw failure(`invalid schema declaration for path "${document}"`);
  const [root, ...name] = constantsOf(schema);
  if (root !== "schema" || !name.every((part) => typeof part === "string")) {
    throw failure(`invalid schema reference ${JSON.stringify(schema)}`);
  }
  return { name };
}

function pathOf(text: string): readonly Value[] {
  const path = constantsOf(text);
  if (path[0] !== "input" && path[0] !== "data") {
    throw failure(`invalid document reference ${JSON.stringify(text)}`);
  }
  return path;
}

/** The name and the constant keys of a reference. */
function constantsOf(text: string): readonly Value[] {
  const term = parseTerm(text);
  if (term.kind === "var") return [term.name];
  if (term.kind !== "ref" || term.head.kind !== "var") return [];
  const keys = term.path.map((part) => (part.kind === "scalar" ? part.value : undefined));
  return keys.includes(undefined)
    ? []
    : [term.head.name, ...keys.flatMap((key) => (key === undefined ? [] : [key]))];
}
