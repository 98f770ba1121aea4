// SPDX-License-Identifier: Apache-2.0
// Layout of terms: what stood on lines of its own in the source stays there, everything else is spaced and indented anew.

import type { Body, Location, RefTerm, ScalarTerm, TemplateTerm, Term } from "../ast.ts";
import { printKey, printTerm, templateText } from "../print.ts";
import { Writer } from "./writer.ts";

const NAME = /^[A-Za-z_]\w*$/;
/** How tight operators bind. */
const STRENGTH: Readonly<Record<string, number>> = {
  in: 0,
  "|": 2,
  "&": 3,
  "+": 4,
  "-": 4,
  "*": 5,
  "/": 5,
  "%": 5,
};

export abstract class TermFormatter extends Writer {
  /** Words that keep their quotes in paths. */
  keywords: ReadonlySet<string> = new Set();

  abstract expressions(body: Body): void;

  /** `depth` 0: a whole expression; 1: a term; 2: an operand in a term, with parentheses if it has an operator. */
  term(term: Term, depth: 0 | 1 | 2 = 1): void {
    this.orVerbatim(term.location, () => {
      this.comeTo(term.location.offset);
      this.#term(term, depth);
      this.passed(term.location);
    });
  }

  /** Terms parted by commas, between signs. Those that stood on one line stay on one line. */
  list<T>(
    items: readonly T[],
    location: Location,
    placeOf: (item: T) => Pick<Location, "offset" | "end">,
    write: (item: T) => void,
    signs: readonly [open: string, close: string],
    spread = false,
  ): void {
    const [open, close] = signs;
    this.write(open);
    let row = this.rowOf(location.offset);
    const groups: T[][] = [];
    for (const item of items) {
      const own = this.rowOf(placeOf(item).offset);
      const group = groups.at(-1);
      if (group === undefined || own > row) groups.push([item]);
      else group.push(item);
      row = own;
    }
    const many =
      groups.length > 1 ||
      (spread && items.length > 0) ||
      this.#commentsBetween(items.map(placeOf), location);
    if (many) this.endLine();
    this.indent(many ? 1 : 0);
    for (const group of groups) {
      for (const [i, item] of group.entries()) {
        if (i > 0) this.write(", ");
        if (many && i === 0) this.comeTo(placeOf(item).offset);
        write(item);
      }
      if (!many) break;
      this.write(",");
      this.endLine();
    }
    if (many) this.comeTo(location.end - 1);
    this.indent(many ? -1 : 0);
    this.write(close);
    this.passed(location);
  }

  /** Arguments, with their parentheses, of a call or head at `location`, after its name. */
  args(args: readonly Term[], location: Location, spread = false): void {
    const write = (term: Term): void => this.#wrapped(term, isUnion(term) && this.#inParens(term));
    let close = this.nextThing(args.at(-1)?.location.end ?? location.end - 1);
    if (this.source[close] === ",") close = this.nextThing(close + 1);
    this.list(args, { ...location, end: close + 1 }, locationOf, write, ["(", ")"], spread);
  }

  /** A step of a path. */
  step(term: Term): void {
    if (term.kind === "scalar" && typeof term.value === "string" && !term.raw) {
      const quoted = /^["`]/.test(this.sourceOf(term.location));
      const { value } = term;
      if (NAME.test(value) && !(quoted && this.keywords.has(value))) this.write(`.${value}`);
      else this.write(printKey(value).startsWith(".") ? `["${value}"]` : `[${this.#text(term, quoted)}]`);
      this.passed(term.location);
    } else {
      this.write("[");
      this.term(term);
      this.write("]");
    }
  }

  #term(term: Term, depth: 0 | 1 | 2): void {
    switch (term.kind) {
      case "scalar":
        this.write(this.#text(term, true));
        break;
      case "ref":
        this.#ref(term);
        break;
      case "array":
        this.list(
          term.items,
          term.location,
          locationOf,
          (item) => this.#item(item),
          ["[", "]"],
          this.#opens(term),
        );
        break;
      case "set":
        if (term.items.length === 0) {
          this.write("set()");
          return;
        }
        this.list(
          term.items,
          term.location,
          locationOf,
          (item) => this.#item(item),
          ["{", "}"],
          this.#opens(term),
        );
        break;
      case "object": {
        const entry = ([key, value]: readonly [Term, Term]): void => {
          this.#item(key);
          this.write(": ");
          this.#item(value);
        };
        const place = ([key, value]: readonly [Term, Term]): Pick<Location, "offset" | "end"> => ({
          offset: key.location.offset,
          end: value.location.end,
        });
        this.list(term.entries, term.location, place, entry, ["{", "}"], this.#opens(term));
        break;
      }
      case "call":
        if (term.infix !== undefined) {
          this.#operation(term.infix, term.args, depth);
          return;
        }
        this.write(printTerm({ ...term, args: [] }).slice(0, -2));
        this.args(term.args, term.location);
        break;
      case "array-comprehension":
      case "set-comprehension":
      case "object-comprehension":
        this.#comprehension(term);
        break;
      case "template":
        this.#template(term);
        break;
      default:
        this.write(printTerm(term));
        break;
    }
  }

  /** A scalar as it was written, if it was: keys after a dot were not. */
  #text(term: ScalarTerm, written: boolean): string {
    const source = this.sourceOf(term.location);
    if (!written) return printTerm(term);
    return typeof term.value === "string"
      ? source.replace(/^[\s(]+|[\s)]+$/g, "")
      : source.replace(/[\s()]/g, "");
  }

  #ref({ head, path }: RefTerm): void {
    const operator = head.kind === "call" && head.infix !== undefined;
    this.#wrapped(head, operator);
    for (const step of path) this.step(step);
  }

  #wrapped(term: Term, parens: boolean): void {
    if (parens) this.write("(");
    this.term(term);
    if (parens) this.write(")");
  }

  /** In brackets or braces, where a bar would make a comprehension. */
  #item(term: Term): void {
    this.#wrapped(term, leadsWithUnion(term));
  }

  #operation(sign: string, args: readonly Term[], depth: 0 | 1 | 2): void {
    const [first, second, third] = args;
    if (first === undefined || second === undefined) return;
    const parens = depth === 2 || (depth === 1 && third !== undefined);
    if (parens) this.write("(");
    if (sign === "-" && this.sourceOf(first.location) === "-") {
      this.write("-");
      this.term(second, 2);
    } else {
      const loose = depth === 0 && sign !== "in";
      const operand = (term: Term, right: boolean): void =>
        this.term(term, loose && fits(term, sign, right) ? 1 : 2);
      // x in y in z groups to the left.
      if (sign === "in" && third === undefined && isMembership(first)) this.term(first);
      else operand(first, false);
      this.write(third === undefined ? ` ${sign} ` : ", ");
      operand(second, true);
      if (third !== undefined) {
        this.write(` ${sign} `);
        operand(third, true);
      }
    }
    if (parens) this.write(")");
  }

  #comprehension(term: Term & { readonly body: Body }): void {
    const { location, body } = term;
    const array = term.kind === "array-comprehension";
    this.write(array ? "[" : "{");
    let head: Term;
    if (term.kind === "object-comprehension") {
      this.#item(term.key);
      this.write(": ");
      head = term.value;
    } else if (term.kind === "array-comprehension" || term.kind === "set-comprehension") {
      head = term.term;
      if (this.rowOf(head.location.offset) > this.rowOf(location.offset)) this.endLine();
    } else return;
    this.#wrapped(head, head.kind === "call" && head.infix !== undefined);
    this.write(" |");
    const row = this.rowOf((term.kind === "object-comprehension" ? location : head.location).offset);
    this.bodyWithin(body, row);
    this.write(array ? "]" : "}");
  }

  /** A body up to its closing sign: on lines of its own, or on the row where it is opened. */
  bodyWithin(body: Body, row: number, space = ""): void {
    const close = this.nextThing(body.at(-1)?.location.end ?? 0);
    if (body.some((expr) => this.rowOf(expr.location.offset) > row) || this.hasComments(0, close)) {
      this.endLine();
      this.indent(1);
      this.expressions(body);
      this.comeTo(close);
      this.indent(-1);
    } else {
      this.write(" ");
      this.inline(body);
      this.write(space);
    }
  }

  abstract inline(body: Body): void;
  abstract templateExpression(part: TemplateTerm["parts"][number]): void;

  #template({ parts, raw }: TemplateTerm): void {
    const sign = raw ? "`" : '"';
    this.write(`$${sign}`);
    for (const part of parts) {
      if (typeof part === "string") this.write(templateText(part, raw === true));
      else {
        this.write("{");
        this.indent(1);
        this.templateExpression(part);
        this.indent(-1);
        this.write("}");
      }
    }
    this.write(sign);
  }

  /** Whether comments stand between items, not only inside of them. */
  #commentsBetween(items: readonly Pick<Location, "offset" | "end">[], { offset, end }: Location): boolean {
    let from = offset;
    for (const item of items) {
      if (this.hasComments(from, item.offset)) return true;
      from = item.end;
    }
    return this.hasComments(from, end);
  }

  /** A line ends between the opening sign and the first item. */
  #opens(term: Term): boolean {
    return /^[\s(]*[[{][ \t\r,]*\n/.test(this.sourceOf(term.location));
  }

  #inParens(term: Term): boolean {
    return (
      this.source[term.location.offset] === "(" &&
      term.kind === "call" &&
      term.args[0]?.location.offset !== term.location.offset
    );
  }
}

function locationOf(term: Term): Location {
  return term.location;
}

function isUnion(term: Term): boolean {
  return term.kind === "call" && term.infix === "|";
}

export function leadsWithUnion(term: Term): boolean {
  if (term.kind !== "call" || term.infix === undefined) return false;
  return term.infix === "|" || (term.args[0] !== undefined && leadsWithUnion(term.args[0]));
}

/** Whether an operand needs no parentheses to stay one. */
function fits(term: Term, sign: string, right: boolean): boolean {
  if (term.kind !== "call" || term.infix === undefined) return true;
  const [own, outer] = [STRENGTH[term.infix] ?? 1, STRENGTH[sign] ?? 1];
  return own > outer || (own === outer && !right);
}

function isMembership(term: Term): boolean {
  return term.kind === "call" && term.infix === "in" && term.args.length === 2;
}
