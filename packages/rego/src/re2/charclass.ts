// SPDX-License-Identifier: Apache-2.0
// Which code points a class takes: ranges, properties of Unicode, each with its opposite, with or without case.

/** Part of a class: code points of the ranges or of the property, or, negated, all others. */
export interface ClassPart {
  /** First and last, in pairs. */
  readonly ranges: readonly number[];
  /** As a native pattern writes it: `\p{L}`. */
  readonly property?: string;
  readonly negated?: boolean;
  /** Takes also what differs in case only, by Unicode's simple folding. */
  readonly fold?: boolean;
}

/** What takes one code point. Bytes that are no UTF-8, and lone surrogates, count as U+FFFD. */
export class CharClass {
  readonly #parts: readonly ClassPart[];
  readonly #negated: boolean;
  /** 1 for what is taken. */
  readonly #ascii: Uint8Array;
  readonly #native: (RegExp | undefined)[] = [];

  constructor(parts: readonly ClassPart[], negated = false) {
    this.#parts = parts;
    this.#negated = negated;
    const ascii = new Uint8Array(128).fill(negated ? 1 : 0);
    for (const part of parts) {
      const taken = asciiOf(part);
      const marked = part.negated === true ? 0 : 1;
      for (let c = 0; c < 128; c++) if (taken[c] === marked) ascii[c] = negated ? 0 : 1;
    }
    this.#ascii = ascii;
  }

  has(c: number): boolean {
    return c < 128 ? this.#ascii[c] === 1 : this.#decide(c);
  }

  #decide(c: number): boolean {
    return (
      this.#parts.some((part, i) => this.#takes(part, i, c) !== (part.negated === true)) !== this.#negated
    );
  }

  #takes(part: ClassPart, i: number, c: number): boolean {
    if (inRanges(part.ranges, c)) return true;
    if (part.property === undefined && part.fold !== true) return false;
    this.#native[i] ??= nativeOf(part);
    return this.#native[i].test(String.fromCodePoint(c));
  }
}

/** 1 for each character of ASCII that the part takes when it is not negated. */
function asciiOf(part: ClassPart): Uint8Array {
  const { ranges, property, fold } = part;
  const taken = new Uint8Array(128);
  for (let i = 0; i < ranges.length; i += 2) {
    if ((ranges[i] as number) < 128) taken.fill(1, ranges[i], (ranges[i + 1] as number) + 1);
  }
  if (property !== undefined) {
    const native = nativeOf(part);
    for (let c = 0; c < 128; c++) if (native.test(String.fromCharCode(c))) taken[c] = 1;
  } else if (fold === true) {
    for (let c = 65; c < 91; c++) if (foldsInto(ranges, c)) taken[c] = taken[c + 32] = 1;
  }
  return taken;
}

/** All but line feeds, and all. */
export const NOT_NEWLINE: CharClass = /* @__PURE__ */ new CharClass([{ ranges: [10, 10] }], true);
export const ANY_CHAR: CharClass = /* @__PURE__ */ new CharClass([{ ranges: [0, 0x10ffff] }]);

function inRanges(ranges: readonly number[], c: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (c >= (ranges[i] as number) && c <= (ranges[i + 1] as number)) return true;
  }
  return false;
}

/** Whether a form of a capital of ASCII is in the ranges: itself, its small letter, the Kelvin sign, the long s. */
function foldsInto(ranges: readonly number[], c: number): boolean {
  return (
    inRanges(ranges, c) ||
    inRanges(ranges, c + 32) ||
    (c === 0x4b && inRanges(ranges, 0x212a)) ||
    (c === 0x53 && inRanges(ranges, 0x17f))
  );
}

/** One native class for one code point: never more than a look-up. */
function nativeOf({ ranges, property = "", fold }: ClassPart): RegExp {
  let text = property;
  for (let i = 0; i < ranges.length; i += 2) text += `${codeOf(ranges[i])}-${codeOf(ranges[i + 1])}`;
  return new RegExp(`[${text}]`, fold === true ? "iu" : "u");
}

function codeOf(c: number | undefined): string {
  return `\\u{${(c ?? 0).toString(16)}}`;
}

/** Groups named by a letter after a backslash, and by a name between `[:` and `:]`. */
export const PERL_GROUPS: Readonly<Record<string, readonly number[]>> = {
  d: [48, 57],
  s: [9, 10, 12, 13, 32, 32],
  w: [48, 57, 65, 90, 95, 95, 97, 122],
};
export const POSIX_GROUPS: Readonly<Record<string, readonly number[]>> = {
  alnum: [48, 57, 65, 90, 97, 122],
  alpha: [65, 90, 97, 122],
  ascii: [0, 127],
  blank: [9, 9, 32, 32],
  cntrl: [0, 31, 127, 127],
  digit: [48, 57],
  graph: [33, 126],
  lower: [97, 122],
  print: [32, 126],
  punct: [33, 47, 58, 64, 91, 96, 123, 126],
  space: [9, 13, 32, 32],
  upper: [65, 90],
  word: [48, 57, 65, 90, 95, 95, 97, 122],
  xdigit: [48, 57, 65, 70, 97, 102],
};

const CATEGORY = /^(?:C[cfnos]?|L[clmotu]?|M[cen]?|N[dlo]?|P[cdefios]?|S[ckmo]?|Z[lps]?)$/;
const CATEGORY_WORDS = /^(.+)(letter|punctuation|mark|number|symbol|separator|use)$/;
/** Scripts whose name has four letters; all other words of four letters are codes of scripts, which are not taken. */
const SHORT_SCRIPTS = /^(?:Ahom|Cham|Kawi|Lisu|Modi|Thai|Toto)$/;

/**
 * The native text for a category or script as Go 1.26 knows them: in any case, with spaces, hyphens and underscores
 * where one likes; scripts of several words are not known to it. Undefined when there is none.
 */
export function unicodeProperty(name: string): string | undefined {
  const plain = name.replace(/[ _-]/g, "").toLowerCase();
  const word = capital(plain);
  if (/^(?:any|assigned|ascii)$/.test(plain)) return `\\p{${plain === "ascii" ? "ASCII" : word}}`;
  if (CATEGORY.test(word)) return `\\p{${word === "Lc" ? "LC" : word}}`;
  if (!/^[a-z]{2,40}$/.test(plain)) return undefined;
  const words = plain.replace(
    CATEGORY_WORDS,
    (_, first: string, last: string) => `${first}_${capital(last)}`,
  );
  const candidates = [`gc=${plain}`, `gc=${capital(words)}`];
  if (plain !== "unknown" && (plain.length !== 4 || SHORT_SCRIPTS.test(word))) candidates.push(`sc=${word}`);
  return candidates
    .filter((text) => plain.length > 2 || text.startsWith("sc="))
    .map((text) => `\\p{${text}}`)
    .find(isNative);
}

function capital(word: string): string {
  return word.slice(0, 1).toUpperCase() + word.slice(1);
}

function isNative(property: string): boolean {
  try {
    new RegExp(property, "u");
    return true;
  } catch {
    return false;
  }
}
