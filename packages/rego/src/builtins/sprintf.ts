// SPDX-License-Identifier: Apache-2.0
// `sprintf`: the verbs of Go's package fmt, its flags, and its notes on what does not fit, such as `%!d(string=x)`.
//
// A number here is a value, not the text that it was written as: 2.0 is the integer 2. So the verbs for fractions take
// integers too, where the reference writes `%!f(int64=2)`, and `%d` takes 2.0.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { floatText } from "../float-text.ts";
import { toBigInt } from "../number.ts";
import { isPrintable, quote, showText } from "../show.ts";
import { ANY, arrayOf, STRING } from "../types.ts";
import { bytesOf } from "../utf8.ts";
import { kindOf, type RegoNumber, type Value } from "../value.ts";
import { arrayAt, define, stringAt } from "./define.ts";

export const sprintf: readonly Builtin[] = [
  define("sprintf", [STRING, arrayOf(ANY)], STRING, (format: Value, values: Value, context: BuiltinContext) =>
    formatText(stringAt(format, 1), arrayAt(values, 2), (steps) => context.spend(steps)),
  ),
];

/** What the verbs see of a value; everything but a number is text. */
type Operand = string | bigint | Fraction;

class Fraction {
  readonly value: number;

  constructor(value: number) {
    this.value = value;
  }
}

interface Directive {
  plus: boolean;
  minus: boolean;
  sharp: boolean;
  space: boolean;
  zero: boolean;
  width: number | undefined;
  precision: number | undefined;
}

const MAX_WIDTH = 1_000_000;
const SIGNED_64 = 1n << 63n;

/** Go's `Sprintf`; `spend` gets one step for sixteen characters made. */
export function formatText(format: string, values: readonly Value[], spend: (steps: number) => void): string {
  return new Formatter(format, values.map(operandOf), spend).run();
}

function operandOf(value: Value): Operand {
  if (kindOf(value) !== "number") return showText(value);
  return toBigInt(value as RegoNumber) ?? new Fraction(Number(String(value)));
}

class Formatter {
  readonly #format: string;
  readonly #operands: readonly Operand[];
  readonly #spend: (steps: number) => void;
  #at = 0;
  /** The operand whose turn it is. */
  #turn = 0;
  #reordered = false;
  /** The directive names an operand that there is, and in the right place. */
  #goodIndex = true;
  #afterIndex = false;

  constructor(format: string, operands: readonly Operand[], spend: (steps: number) => void) {
    this.#format = format;
    this.#operands = operands;
    this.#spend = spend;
  }

  run(): string {
    const format = this.#format;
    this.#spend(1 + Math.ceil(format.length / 16));
    let out = "";
    for (;;) {
      const percent = format.indexOf("%", this.#at);
      if (percent < 0) break;
      out += format.slice(this.#at, percent);
      this.#at = percent + 1;
      const piece = this.#directive();
      this.#spend(1 + Math.ceil(piece.length / 16));
      out += piece;
    }
    out += format.slice(this.#at);
    if (this.#reordered || this.#turn >= this.#operands.length) return out;
    const extra = this.#operands.slice(this.#turn).map((operand) => {
      const text = show(operand, "v", blank());
      this.#spend(1 + Math.ceil(text.length / 16));
      return `${typeOf(operand)}=${text}`;
    });
    return `${out}%!(EXTRA ${extra.join(", ")})`;
  }

  #directive(): string {
    const directive = blank();
    this.#goodIndex = true;
    this.#afterIndex = false;
    for (; ; this.#at++) {
      const flag = this.#format[this.#at];
      if (flag === "#") directive.sharp = true;
      else if (flag === "0") directive.zero = true;
      else if (flag === "+") directive.plus = true;
      else if (flag === "-") directive.minus = true;
      else if (flag === " ") directive.space = true;
      else break;
    }
    this.#index();
    const notes = this.#width(directive) + this.#precision(directive);
    if (!this.#afterIndex) this.#index();
    const point = this.#format.codePointAt(this.#at);
    if (point === undefined) return `${notes}%!(NOVERB)`;
    const verb = String.fromCodePoint(point);
    this.#at += verb.length;
    if (verb === "%") return `${notes}%`;
    if (!this.#goodIndex) return `${notes}%!${verb}(BADINDEX)`;
    const operand = this.#operands[this.#turn];
    if (operand === undefined) return `${notes}%!${verb}(MISSING)`;
    this.#turn++;
    return notes + show(operand, verb, directive);
  }

  /** `[3]`: the operand whose turn it is now. */
  #index(): void {
    this.#afterIndex = false;
    if (this.#format[this.#at] !== "[") return;
    this.#reordered = true;
    // Three characters at least.
    const end = this.#at + 3 > this.#format.length ? -1 : this.#format.indexOf("]", this.#at);
    const digits = end < 0 ? "" : this.#format.slice(this.#at + 1, end);
    const index = /^\d+$/.test(digits) ? Number(digits) : 0;
    this.#at = end < 0 ? this.#at + 1 : end + 1;
    if (index >= 1 && index <= Math.min(this.#operands.length, MAX_WIDTH)) {
      this.#turn = index - 1;
      this.#afterIndex = true;
    } else {
      this.#goodIndex = false;
      this.#afterIndex = digits !== "" && /^\d+$/.test(digits) && index <= MAX_WIDTH;
    }
  }

  #width(directive: Directive): string {
    if (this.#format[this.#at] === "*") {
      this.#at++;
      this.#afterIndex = false;
      const width = this.#star();
      if (width === undefined) return "%!(BADWIDTH)";
      directive.width = Math.abs(width);
      if (width < 0) {
        directive.minus = true;
        directive.zero = false;
      }
      return "";
    }
    directive.width = this.#number();
    if (this.#afterIndex && directive.width !== undefined) this.#goodIndex = false;
    return "";
  }

  #precision(directive: Directive): string {
    if (this.#format[this.#at] !== "." || this.#at + 1 >= this.#format.length) return "";
    this.#at++;
    if (this.#afterIndex) this.#goodIndex = false;
    this.#index();
    if (this.#format[this.#at] !== "*") {
      directive.precision = this.#number() ?? 0;
      return "";
    }
    this.#at++;
    this.#afterIndex = false;
    const precision = this.#star();
    if (precision === undefined || precision < 0) return "%!(BADPREC)";
    directive.precision = precision;
    return "";
  }

  /** The operand for a `*`. */
  #star(): number | undefined {
    const operand = this.#operands[this.#turn];
    if (operand === undefined) return undefined;
    this.#turn++;
    const number = typeof operand === "bigint" ? Number(operand) : Number.NaN;
    return Math.abs(number) <= MAX_WIDTH ? number : undefined;
  }

  /** Digits; ones that are too many take the rest of the format with them, as in Go. */
  #number(): number | undefined {
    const digits = /\d*/y;
    digits.lastIndex = this.#at;
    const [text = ""] = digits.exec(this.#format) ?? [];
    if (text === "") return undefined;
    // Go looks before each further digit whether what it has is too large.
    if (Number(text.slice(0, -1)) > MAX_WIDTH) {
      this.#at = this.#format.length;
      return undefined;
    }
    this.#at += text.length;
    return Number(text);
  }
}

function blank(): Directive {
  return {
    plus: false,
    minus: false,
    sharp: false,
    space: false,
    zero: false,
    width: undefined,
    precision: undefined,
  };
}

function typeOf(operand: Operand): string {
  if (typeof operand === "string") return "string";
  if (typeof operand !== "bigint") return "float64";
  return isBig(operand) ? "*big.Int" : "int64";
}

function isBig(value: bigint): boolean {
  return value < -SIGNED_64 || value >= SIGNED_64;
}

function show(operand: Operand, verb: string, directive: Directive): string {
  if (verb === "T") return pad(cut(typeOf(operand), directive), directive);
  if (verb !== "v" && verb !== "w") return render(operand, verb, directive) ?? bad(operand, verb, directive);
  // `%#v` is Go's own syntax, `%+v` names fields: there are none here. `%w` is for errors only, and refused like `%v`.
  const goSyntax = directive.sharp && typeof operand === "string";
  const text = render(operand, goSyntax ? "q" : "v", { ...directive, sharp: false, plus: false }) ?? "";
  return verb === "v" ? text : `%!w(${typeOf(operand)}=${text})`;
}

/** Undefined for a verb that is not for such an operand. */
function render(operand: Operand, verb: string, directive: Directive): string | undefined {
  if (typeof operand === "string") return showString(operand, verb, directive);
  if (typeof operand === "bigint") return showInteger(operand, verb, directive);
  return showFraction(operand.value, verb, directive);
}

function bad(operand: Operand, verb: string, directive: Directive): string {
  if (typeof operand === "bigint" && isBig(operand)) return `%!${verb}(big.Int=${operand})`;
  return `%!${verb}(${typeOf(operand)}=${render(operand, "v", directive)})`;
}

function showString(text: string, verb: string, directive: Directive): string | undefined {
  switch (verb) {
    case "s":
    case "v":
      return pad(cut(text, directive), directive);
    case "q": {
      const short = cut(text, directive);
      const raw = directive.sharp && isRaw(short);
      return pad(raw ? `\`${short}\`` : quote(short, directive.plus), directive);
    }
    case "x":
    case "X":
      return hexOf(text, verb, directive);
    default:
      return undefined;
  }
}

/** Whether back quotes can stand around it. */
function isRaw(text: string): boolean {
  return /^[^`\u007f\ufeff\p{Cs}]*$/u.test(text) && [...text].every((char) => char >= " " || char === "\t");
}

/** The bytes of a string; a space between them for the flag, `0x` for the sharp one. */
function hexOf(text: string, verb: string, { precision, sharp, space, ...rest }: Directive): string {
  const bytes = Array.from(bytesOf(text).subarray(0, precision), (byte) =>
    byte.toString(16).padStart(2, "0"),
  );
  const digits = verb === "X" ? bytes.map((byte) => byte.toUpperCase()) : bytes;
  const mark = sharp && digits.length > 0 ? `0${verb}` : "";
  const shown = mark + digits.join(space ? ` ${mark}` : "");
  return pad(shown, { ...rest, precision, sharp, space });
}

function showInteger(value: bigint, verb: string, directive: Directive): string | undefined {
  const big = isBig(value);
  switch (verb) {
    case "v":
    case "d":
      return integer(value, 10, "", directive);
    case "s":
      return big ? integer(value, 10, "", directive) : undefined;
    case "b":
      return integer(value, 2, directive.sharp ? "0b" : "", directive);
    case "o":
      return integer(value, 8, directive.sharp ? "0" : "", directive);
    case "O":
      return integer(value, 8, directive.sharp && !big ? "0o0" : "0o", directive);
    case "x":
    case "X":
      return integer(value, 16, directive.sharp ? `0${verb}` : "", directive, verb === "X");
    case "c":
      return big ? undefined : pad(charOf(value), directive);
    case "q":
      return big ? undefined : pad(quote(charOf(value), directive.plus, "'"), directive);
    case "U":
      return big ? undefined : pad(codePoint(value, directive), { ...directive, zero: false });
    default:
      return /^[eEfFgG]$/.test(verb) ? showFraction(Number(value), verb, directive) : undefined;
  }
}

function integer(value: bigint, radix: number, prefix: string, directive: Directive, upper = false): string {
  const { width = 0, precision, plus, space, zero, minus } = directive;
  const sign = value < 0n ? "-" : plus ? "+" : space ? " " : "";
  if (precision === 0 && value === 0n) return " ".repeat(width);
  let digits = (value < 0n ? -value : value).toString(radix);
  if (upper) digits = digits.toUpperCase();
  // The prefix of big integers counts towards the width, that of others does not.
  const fill = width - sign.length - (isBig(value) ? prefix.length : 0);
  digits = digits.padStart(precision ?? (zero && !minus ? fill : 0), "0");
  // A zero that is there already marks octal digits well enough.
  const mark = radix === 8 && digits.startsWith("0") ? prefix.replace(/0$/, "") : prefix;
  return pad(sign + mark + digits, { ...directive, zero: false });
}

/** U+FFFD for what is no code point. */
function charOf(value: bigint): string {
  const valid = value >= 0n && value <= 0x10ffffn && (value < 0xd800n || value > 0xdfffn);
  return valid ? String.fromCodePoint(Number(value)) : "\ufffd";
}

function codePoint(value: bigint, { precision = 4, sharp }: Directive): string {
  const digits = BigInt.asUintN(64, value).toString(16).toUpperCase().padStart(Math.max(4, precision), "0");
  const char = value >= 0n && value <= 0x10ffffn ? String.fromCodePoint(Number(value)) : "";
  return `U+${digits}${sharp && isPrintable(char) ? ` '${char}'` : ""}`;
}

function showFraction(value: number, verb: string, directive: Directive): string | undefined {
  if (!/^[vbgGxXfFeE]$/.test(verb)) return undefined;
  const lower = verb === "v" ? "g" : verb.toLowerCase();
  const precision = directive.precision ?? (lower === "e" || lower === "f" ? 6 : undefined);
  let text = floatText(value, lower, precision);
  if (directive.sharp && lower !== "b") text = withPoint(text, verb, precision);
  if (/^[GXE]$/.test(verb)) text = text.toUpperCase();
  const sign = value < 0 ? "-" : directive.plus ? "+" : directive.space ? " " : "";
  const { zero, minus, width = 0 } = directive;
  if (zero && !minus && sign !== "") return sign + text.padStart(width - 1, "0");
  return pad(sign + text, directive);
}

/** The sharp flag keeps the point, and for `g` and `x` the zeros at the end. */
function withPoint(text: string, verb: string, precision: number | undefined): string {
  const hexadecimal = /^[xX]$/.test(verb);
  const end = text.search(hexadecimal ? /p/ : /e/);
  const number = end < 0 ? text : text.slice(0, end);
  const tail = end < 0 ? "" : text.slice(end);
  const wanted = /^[vgGx]$/.test(verb) ? (precision ?? 6) : 0;
  const point = number.includes(".");
  // Counted as Go does: what follows the first character that is neither zero nor point, `x` included.
  const significant = number.replace(".", "").replace(/^0+/, "").length + (!point && number === "0" ? 1 : 0);
  return `${number}${point ? "" : "."}${"0".repeat(Math.max(0, wanted - significant))}${tail}`;
}

/** At most as many characters as the precision says. */
function cut(text: string, { precision }: Directive): string {
  if (precision === undefined || text.length <= precision) return text;
  return Array.from(text).slice(0, precision).join("");
}

function pad(text: string, { width = 0, minus, zero }: Directive): string {
  // A string has at least half as many characters as units.
  if (width <= text.length / 2) return text;
  const fill = Math.max(0, width - Array.from(text).length);
  return minus ? text + " ".repeat(fill) : (zero ? "0" : " ").repeat(fill) + text;
}
