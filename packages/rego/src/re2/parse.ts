// SPDX-License-Identifier: Apache-2.0
// Reads the regular expressions of Go's package regexp, as of Go 1.26: RE2's syntax without \C. Nothing here runs back
// over the text, and groups nest on a stack of our own.

import { ANY_CHAR, CharClass, NOT_NEWLINE } from "./charclass.ts";
import { PatternError, Scanner } from "./scan.ts";
import {
  BEGIN_LINE,
  BEGIN_TEXT,
  charNode,
  choice,
  classNode,
  END_LINE,
  END_TEXT,
  emptyNode,
  group,
  NO_WORD_BOUNDARY,
  type Node,
  repeat,
  sequence,
  WORD_BOUNDARY,
} from "./syntax.ts";

const MAX_REPEAT = 1000;
const MAX_HEIGHT = 1000;
const UNBOUNDED = Number.POSITIVE_INFINITY;

export interface Pattern {
  readonly root: Node;
  /** By index from 0, which is the whole match; "" for groups without a name. */
  readonly names: readonly string[];
}

interface Flags {
  readonly fold: boolean;
  readonly lines: boolean;
  readonly dotAll: boolean;
  readonly lazy: boolean;
}

/** A group that is open, or the whole. */
interface Frame {
  readonly choices: Node[][];
  /** Those that hold again behind it. */
  readonly flags: Flags;
  /** 0 for a group that captures nothing. */
  readonly index: number;
}

/** Throws `PatternError`. */
export function parsePattern(text: string): Pattern {
  return new Parser(text).parse();
}

class Parser {
  readonly #in: Scanner;
  #flags: Flags = { fold: false, lines: false, dotAll: false, lazy: false };
  #frame: Frame = { choices: [[]], flags: this.#flags, index: 0 };
  readonly #outer: Frame[] = [];
  readonly #names: string[] = [""];
  /** Where the repetition operator just read begins. */
  #repeated: number | undefined;

  constructor(text: string) {
    this.#in = new Scanner(text);
  }

  parse(): Pattern {
    const { text } = this.#in;
    if (!text.isWellFormed()) throw new PatternError("invalid UTF-8", text);
    while (!this.#in.done) {
      const repeated = this.#repeated;
      this.#repeated = undefined;
      this.#step(repeated);
    }
    const root = this.#close();
    if (this.#outer.length > 0) throw new PatternError("missing closing )", text);
    return { root, names: this.#names };
  }

  #step(repeated: number | undefined): void {
    switch (this.#in.peek()) {
      case "(":
        this.#open();
        break;
      case ")":
        this.#closeGroup();
        break;
      case "|":
        this.#in.at++;
        this.#frame.choices.push([]);
        break;
      case "*":
        this.#repeat(1, 0, UNBOUNDED, repeated);
        break;
      case "+":
        this.#repeat(1, 1, UNBOUNDED, repeated);
        break;
      case "?":
        this.#repeat(1, 0, 1, repeated);
        break;
      case "{":
        this.#counted(repeated);
        break;
      default:
        if (this.#in.text.startsWith("\\Q", this.#in.at)) this.#quoted();
        else this.#push(this.#atom());
    }
  }

  /** What stands for one character or for a condition. */
  #atom(): Node {
    const { fold, lines, dotAll } = this.#flags;
    const char = this.#in.peek();
    if (char === "[") return classNode(this.#in.bracketed(fold));
    if (char === "\\") return this.#escaped();
    if (!/[\^$.]/.test(char)) return this.#literal(this.#in.next());
    this.#in.at++;
    if (char === ".") return classNode(dotAll ? ANY_CHAR : NOT_NEWLINE);
    if (char === "^") return emptyNode(lines ? BEGIN_LINE : BEGIN_TEXT);
    return emptyNode(lines ? END_LINE : END_TEXT);
  }

  #escaped(): Node {
    const letter = this.#in.peek(1);
    const condition = { A: BEGIN_TEXT, z: END_TEXT, b: WORD_BOUNDARY, B: NO_WORD_BOUNDARY }[letter];
    if (condition !== undefined) {
      this.#in.at += 2;
      return emptyNode(condition);
    }
    const part = this.#in.escapedGroup(this.#flags.fold);
    return part === undefined ? this.#literal(this.#in.escape()) : classNode(new CharClass([part]));
  }

  /** `\Q…\E`: what is between is itself. */
  #quoted(): void {
    const end = this.#in.text.indexOf("\\E", this.#in.at + 2);
    this.#in.at += 2;
    const last = end < 0 ? this.#in.text.length : end;
    while (this.#in.at < last) this.#push(this.#literal(this.#in.next()));
    if (end >= 0) this.#in.at = end + 2;
  }

  #literal(c: number): Node {
    if (!this.#flags.fold) return charNode(c);
    const char = String.fromCodePoint(c);
    if (char.toLowerCase() === char && char.toUpperCase() === char) return charNode(c);
    return classNode(new CharClass([{ ranges: [c, c], fold: true }]));
  }

  #items(): Node[] {
    return this.#frame.choices.at(-1) ?? [];
  }

  #push(node: Node): void {
    this.#items().push(this.#checked(node));
  }

  #checked(node: Node): Node {
    if (node.height > MAX_HEIGHT) throw new PatternError("expression nests too deeply", this.#in.text);
    return node;
  }

  #repeat(length: number, min: number, max: number, repeated: number | undefined): void {
    const start = this.#in.at;
    this.#in.at += length;
    let greedy = !this.#flags.lazy;
    if (this.#in.peek() === "?") {
      this.#in.at++;
      greedy = !greedy;
    }
    if (repeated !== undefined) {
      throw new PatternError("invalid nested repetition operator", this.#in.from(repeated));
    }
    const part = this.#items().pop();
    if (part === undefined) {
      throw new PatternError("missing argument to repetition operator", this.#in.from(start));
    }
    const node = repeat(part, min, max, greedy);
    const counted = min > 1 || (max > 1 && max !== UNBOUNDED);
    if (counted && node.copies > MAX_REPEAT) {
      throw new PatternError("invalid repeat count", this.#in.from(start));
    }
    this.#push(node);
    this.#repeated = start;
  }

  /** `{2}`, `{2,}`, `{2,5}`; a brace that begins none of them stands for itself. */
  #counted(repeated: number | undefined): void {
    const form = /\{(0|[1-9]\d*)(?:(,)(0|[1-9]\d*)?)?\}/y;
    form.lastIndex = this.#in.at;
    const match = form.exec(this.#in.text);
    if (match === null) {
      this.#push(this.#literal(this.#in.next()));
      return;
    }
    const [whole, first, comma, second] = match;
    // Digits without end are a large number, but not UNBOUNDED.
    const min = Math.min(Number(first), Number.MAX_VALUE);
    const given = second === undefined ? UNBOUNDED : Math.min(Number(second), Number.MAX_VALUE);
    const max = comma === undefined ? min : given;
    if (min > MAX_REPEAT || (max !== UNBOUNDED && (max > MAX_REPEAT || min > max))) {
      throw new PatternError("invalid repeat count", whole);
    }
    this.#repeat(whole.length, min, max, repeated);
  }

  #open(): void {
    const { text, at } = this.#in;
    if (this.#in.peek(1) !== "?") {
      this.#in.at++;
      this.#enter(this.#flags, this.#names.push("") - 1);
      return;
    }
    const opener = /\(\?(?:P<(?=.)|<(?=.))/sy;
    opener.lastIndex = at;
    const match = opener.exec(text);
    if (match === null) {
      this.#setFlags();
      return;
    }
    const end = text.indexOf(">", at);
    if (end < 0) throw new PatternError("invalid named capture", text.slice(at));
    const name = text.slice(opener.lastIndex, end);
    this.#in.at = end + 1;
    if (!/^\w+$/.test(name)) throw new PatternError("invalid named capture", this.#in.from(at));
    this.#enter(this.#flags, this.#names.push(name) - 1);
  }

  /** `(?i-s)` holds to the end of the group around, `(?i-s:` opens one. */
  #setFlags(): void {
    const start = this.#in.at;
    this.#in.at += 2;
    let { fold, lines, dotAll, lazy } = this.#flags;
    let on = true;
    let seen = true;
    while (!this.#in.done) {
      const char = String.fromCodePoint(this.#in.next());
      if (char === "i") fold = on;
      else if (char === "m") lines = on;
      else if (char === "s") dotAll = on;
      else if (char === "U") lazy = on;
      else if (char === "-" && on) {
        on = seen = false;
        continue;
      } else {
        if (!seen || (char !== ":" && char !== ")")) break;
        const before = this.#flags;
        this.#flags = { fold, lines, dotAll, lazy };
        if (char === ":") this.#enter(before, 0);
        return;
      }
      seen = true;
    }
    throw new PatternError("invalid or unsupported Perl syntax", this.#in.from(start));
  }

  #enter(flags: Flags, index: number): void {
    this.#outer.push(this.#frame);
    this.#frame = { choices: [[]], flags, index };
  }

  #close(): Node {
    return this.#checked(choice(this.#frame.choices.map((parts) => this.#checked(sequence(parts)))));
  }

  #closeGroup(): void {
    const outer = this.#outer.pop();
    if (outer === undefined) throw new PatternError("unexpected )", this.#in.text);
    const { flags, index } = this.#frame;
    const node = this.#close();
    this.#in.at++;
    this.#frame = outer;
    this.#flags = flags;
    this.#push(index === 0 ? node : group(index, node));
  }
}
