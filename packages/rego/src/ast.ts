// SPDX-License-Identifier: Apache-2.0
// The syntax tree of a Rego module, as written: what the parser makes, and what the printer, the formatter and the
// compiler read. Names follow the language reference ("Policy Language", "Policy Reference: Grammar").

import type { RegoNumber } from "./value.ts";

/** Which language a text is read as: v1 demands `if` and `contains`, v0 does without. */
export type RegoVersion = "v0" | "v1";

/** A stretch of source text. Rows and columns count from 1, columns in UTF-16 units; offsets from 0. */
export interface Location {
  readonly file: string;
  readonly row: number;
  readonly column: number;
  readonly offset: number;
  /** Exclusive. */
  readonly end: number;
}

export interface Module {
  readonly file: string;
  /** The version that holds after `import rego.v1`. */
  readonly version: RegoVersion;
  /** `package a.b["c"]` is ["a", "b", "c"], without the leading "data". */
  readonly path: readonly string[];
  readonly packageLocation: Location;
  readonly imports: readonly Import[];
  readonly rules: readonly Rule[];
  /** In source order, METADATA blocks included. */
  readonly comments: readonly Comment[];
}

export interface Comment {
  /** Without the leading `#`. */
  readonly text: string;
  readonly location: Location;
}

export interface Import {
  /** `import data.a.b` is ["data", "a", "b"]; also ["input", …], ["rego", "v1"], ["future", "keywords", "in"]. */
  readonly path: readonly string[];
  readonly alias?: string;
  readonly location: Location;
}

/** One rule, or one clause of a rule: a `default`, or a head with a body and its `else` branches. */
export interface Rule {
  readonly default: boolean;
  readonly head: Head;
  /** Never empty; a rule without a body has the expression `true`, and `implicitBody` is then set. */
  readonly body: Body;
  readonly implicitBody: boolean;
  readonly else?: Rule;
  /** Text of the METADATA block that stands directly above, without the marks of the comments: YAML. */
  readonly metadata?: string;
  /** From the head, or for a further body of the same head (`p { … } { … }`) from that body, to the end. */
  readonly location: Location;
}

/**
 * `a.b[x].c` with `args` is a function; with `contains` a partial set; otherwise a complete rule, or, when the
 * reference holds a variable or a further constant key, part of an object.
 */
export interface Head {
  /** As written, with the name first, a string like what stands after a dot: a plain name is one string term. */
  readonly ref: readonly Term[];
  /** Never empty. */
  readonly args?: readonly Term[];
  /** The member in `p contains member`; in v0 also of `p[member]`. */
  readonly contains?: Term;
  /** After `:=` or `=`; absent when not written, which means `true`. */
  readonly value?: Term;
  /** Written with `:=`. */
  readonly assign: boolean;
  readonly location: Location;
}

export type Body = readonly Expr[];

/** One expression of a body. */
export interface Expr {
  readonly form: ExprForm;
  readonly negated: boolean;
  readonly with: readonly With[];
  readonly location: Location;
}

export type ExprForm =
  /** Any term that stands alone, a call such as `x > 1` or `startswith(a, b)` included. */
  | { readonly kind: "term"; readonly term: Term }
  | { readonly kind: "unify"; readonly left: Term; readonly right: Term }
  | { readonly kind: "assign"; readonly left: Term; readonly right: Term }
  /** `some x, y`. */
  | { readonly kind: "some"; readonly variables: readonly VarTerm[] }
  /** `some x in xs`, `some k, v in xs`. */
  | { readonly kind: "some-in"; readonly key?: Term; readonly value: Term; readonly domain: Term }
  | {
      readonly kind: "every";
      readonly key?: VarTerm;
      readonly value: VarTerm;
      readonly domain: Term;
      readonly body: Body;
    }
  /** `a and b`, `a or b`, after `import future.keywords`. */
  | { readonly kind: "and" | "or"; readonly left: Operand; readonly right: Operand }
  /** `not` after `import future.keywords.not`: no solution of the operand. Otherwise `negated` of the expression is set. */
  | { readonly kind: "not"; readonly operand: Operand };

/** What stands on a side of `and` and `or`, or after `not`. Without braces it is one expression. */
export interface Operand {
  readonly body: Body;
  readonly braces: boolean;
}

export interface With {
  /** `input`, `data.x.y`, or the name of a function. */
  readonly target: Term;
  readonly value: Term;
  readonly location: Location;
}

export type Term =
  | ScalarTerm
  | VarTerm
  | RefTerm
  | ArrayTerm
  | SetTerm
  | ObjectTerm
  | CallTerm
  | ArrayComprehension
  | SetComprehension
  | ObjectComprehension
  | TemplateTerm;

interface TermBase {
  readonly location: Location;
}

export interface ScalarTerm extends TermBase {
  readonly kind: "scalar";
  readonly value: null | boolean | RegoNumber | string;
  /** A string written between back quotes. */
  readonly raw?: boolean;
}

/** Each `_` has the name `$0`, `$1`… of its own, and `wildcard` set. */
export interface VarTerm extends TermBase {
  readonly kind: "var";
  readonly name: string;
  readonly wildcard?: boolean;
}

/** `head.a[b]`: the head is a variable, a call, a literal collection or a comprehension; the path is never empty. */
export interface RefTerm extends TermBase {
  readonly kind: "ref";
  readonly head: Term;
  readonly path: readonly Term[];
}

export interface ArrayTerm extends TermBase {
  readonly kind: "array";
  readonly items: readonly Term[];
}

export interface SetTerm extends TermBase {
  readonly kind: "set";
  readonly items: readonly Term[];
}

export interface ObjectTerm extends TermBase {
  readonly kind: "object";
  readonly entries: readonly (readonly [key: Term, value: Term])[];
}

/**
 * `x = y` and `x := y` are never calls where they stand as expressions, even when written `eq(x, y)`; `-x` is `0 - x`.
 * A call: `operator` is the dotted name as written (`["array", "concat"]`, `["data", "lib", "f"]`), or for an infix
 * operator the name of its built-in function (`["plus"]`, `["gt"]`, `["internal", "member_2"]`) with `infix` set.
 */
export interface CallTerm extends TermBase {
  readonly kind: "call";
  readonly operator: readonly string[];
  readonly args: readonly Term[];
  /** The sign as written: `+`, `<=`, `in`. */
  readonly infix?: string;
}

export interface ArrayComprehension extends TermBase {
  readonly kind: "array-comprehension";
  readonly term: Term;
  readonly body: Body;
}

export interface SetComprehension extends TermBase {
  readonly kind: "set-comprehension";
  readonly term: Term;
  readonly body: Body;
}

export interface ObjectComprehension extends TermBase {
  readonly kind: "object-comprehension";
  readonly key: Term;
  readonly value: Term;
  readonly body: Body;
}

/**
 * `$"text {x} text"`: strings, none empty, and expressions; one that is undefined prints `<undefined>`. The expressions
 * are never `some`, `every`, `=`, `:=` or negated, but may have `with`.
 */
export interface TemplateTerm extends TermBase {
  readonly kind: "template";
  readonly parts: readonly (string | Expr)[];
  readonly raw?: boolean;
}
