// SPDX-License-Identifier: Apache-2.0
// Reads from a pattern what stands for one character: escapes, groups of characters, classes in brackets.

import { CharClass, type ClassPart, PERL_GROUPS, POSIX_GROUPS, unicodeProperty } from "./charclass.ts";

/** A text that is no pattern, with Go's words for why. */
export class PatternError extends Error {
  constructor(reason: string, text: string) {
    super(`error parsing regexp: ${reason}: \`${text}\``);
    this.name = "PatternError";
  }
}

/** A place in a pattern. */
export class Scanner {
  readonly text: string;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  get done(): boolean {
    return this.at >= this.text.length;
  }

  /** The unit so far on, or "". */
  peek(offset = 0): string {
    return this.text[this.at + offset] ?? "";
  }

  /** Takes one code point. */
  next(): number {
    const c = this.text.codePointAt(this.at) ?? 0;
    this.at += c > 0xffff ? 2 : 1;
    return c;
  }

  from(start: number): string {
    return this.text.slice(start, this.at);
  }

  /** `\n`, `\.`, `\x41`, `\x{1F600}`, `\101` */
  escape(): number {
    const start = this.at++;
    if (this.done) throw new PatternError("trailing backslash at end of expression", "");
    const c = this.next();
    const char = String.fromCodePoint(c);
    const control = "abtnvfr".indexOf(char);
    if (control >= 0 && char !== "b") return control + 7;
    if (c < 128 && !/[0-9A-Za-z]/.test(char)) return c;
    const digits = /0[0-7]{0,2}|[1-7][0-7]{1,2}|x([\dA-Fa-f]{2})|x\{([\dA-Fa-f]+)\}/y;
    digits.lastIndex = start + 1;
    const match = digits.exec(this.text);
    const [whole = "", two, many] = match ?? [];
    const value = two ?? many;
    const code = value === undefined ? Number.parseInt(whole, 8) : Number.parseInt(value, 16);
    if (match === null || code > 0x10ffff)
      throw new PatternError("invalid escape sequence", this.from(start));
    this.at = digits.lastIndex;
    return code;
  }

  /** `\d`, `\W`, `\pL`, `\P{Greek}`…; undefined where there is none. */
  escapedGroup(fold: boolean): ClassPart | undefined {
    const letter = this.peek(1);
    if (this.peek() !== "\\") return undefined;
    if (letter === "p" || letter === "P") return this.#property(letter === "P", fold);
    const ranges = PERL_GROUPS[letter.toLowerCase()];
    if (ranges === undefined) return undefined;
    this.at += 2;
    return { ranges, negated: letter < "a", fold };
  }

  #property(opposite: boolean, fold: boolean): ClassPart | undefined {
    const start = this.at;
    // A lone \p at the end is left to `escape`, which refuses it.
    if (start + 2 >= this.text.length) return undefined;
    this.at += 2;
    let name = String.fromCodePoint(this.next());
    if (name === "{") {
      const end = this.text.indexOf("}", this.at);
      if (end < 0) throw new PatternError("invalid character class range", this.text.slice(start));
      name = this.text.slice(this.at, end);
      this.at = end + 1;
    }
    const not = name.startsWith("^");
    const property = unicodeProperty(not ? name.slice(1) : name);
    if (property === undefined) throw new PatternError("invalid character class range", this.from(start));
    return { ranges: [], property, negated: opposite !== not, fold };
  }

  /** `[…]` */
  bracketed(fold: boolean): CharClass {
    const start = this.at++;
    const negated = this.peek() === "^";
    if (negated) this.at++;
    const ranges: number[] = [];
    const parts: ClassPart[] = [{ ranges, fold }];
    for (let first = true; first || this.peek() !== "]"; first = false) {
      const part = this.#namedGroup(fold) ?? this.escapedGroup(fold);
      if (part !== undefined) {
        parts.push(part);
        continue;
      }
      const from = this.at;
      const low = this.#member(start);
      let high = low;
      if (this.peek() === "-" && this.peek(1) !== "" && this.peek(1) !== "]") {
        this.at++;
        high = this.#member(start);
        if (high < low) throw new PatternError("invalid character class range", this.from(from));
      }
      ranges.push(low, high);
    }
    this.at++;
    return new CharClass(parts, negated);
  }

  #member(start: number): number {
    if (this.done) throw new PatternError("missing closing ]", this.text.slice(start));
    return this.peek() === "\\" ? this.escape() : this.next();
  }

  /** `[:alpha:]`, `[:^alpha:]` */
  #namedGroup(fold: boolean): ClassPart | undefined {
    if (!this.text.startsWith("[:", this.at)) return undefined;
    const end = this.text.indexOf(":]", this.at + 2);
    if (end < 0) return undefined;
    const name = this.text.slice(this.at + 2, end);
    const negated = name.startsWith("^");
    const word = negated ? name.slice(1) : name;
    const ranges = Object.hasOwn(POSIX_GROUPS, word) ? POSIX_GROUPS[word] : undefined;
    if (ranges === undefined) {
      throw new PatternError("invalid character class range", this.text.slice(this.at, end + 2));
    }
    this.at = end + 2;
    return { ranges, negated, fold };
  }
}
