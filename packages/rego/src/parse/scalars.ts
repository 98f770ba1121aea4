// SPDX-License-Identifier: Apache-2.0
// Scalars and variables.

import type { Location, ScalarTerm, Term, VarTerm } from "../ast.ts";
import { numberOf } from "../number.ts";
import type { RegoNumber } from "../value.ts";
import { Cursor } from "./cursor.ts";
import { stringValue } from "./strings.ts";

export abstract class ScalarParser extends Cursor {
  /** The variable that the next word names. */
  variable(): VarTerm {
    const { text, start } = this.next();
    const location = this.since(start);
    return text === "_"
      ? { kind: "var", name: `$${this.wildcards++}`, wildcard: true, location }
      : { kind: "var", name: text, location };
  }

  scalar(start: number, value: null | boolean | RegoNumber | string): ScalarTerm {
    return { kind: "scalar", value, location: this.since(start) };
  }

  /** A number, whose sign and leading point are tokens of their own. */
  number(): Term {
    const { start } = this.token;
    const sign = this.take("-") ? "-" : "";
    const point = this.take(".");
    if (this.kind !== "number") this.fail("expected a number");
    const { text } = this.next();
    const location = this.since(start);
    if (point ? /^\d+\./.test(text) : /^0\d/.test(text)) {
      this.failAt(location, `\`${text.slice(0, 40)}\` is no number`, point ? undefined : "no zero may lead");
    }
    return { kind: "scalar", value: this.#value(sign + (point ? `0.${text}` : text), location), location };
  }

  #value(text: string, location: Location): RegoNumber {
    try {
      return numberOf(text);
    } catch {
      return this.failAt(location, "number too big", "its exponent is beyond what is computed with");
    }
  }

  string(): Term {
    const { text, start } = this.next();
    const value = stringValue(text);
    if (value === undefined) this.failEscape(this.since(start));
    const term = this.scalar(start, value);
    return text.startsWith("`") ? { ...term, raw: true } : term;
  }

  failEscape(location: Location): never {
    return this.failAt(
      location,
      "illegal escape sequence in string",
      "write \\\\ for a backslash, or put the string between back quotes",
    );
  }
}
