// SPDX-License-Identifier: Apache-2.0
// A pattern as a program of a machine that is in many places at once: what the matchers run.

import { RegoError } from "../errors.ts";
import type { CharClass } from "./charclass.ts";
import { isAnchored, isNullable, type Node } from "./syntax.ts";

/** Takes the character `argument`. */
export const CHAR = 0;
/** Takes a character of the class numbered `argument`. */
export const CLASS = 1;
/** Goes on at `next` or, second choice, at `argument`. */
export const SPLIT = 2;
/** Notes the place in slot `argument`. */
export const SLOT = 3;
/** Goes on where the condition `argument` holds. */
export const CONDITION = 4;
export const MATCH = 5;

/** Instructions that a program may have. */
const MAX_SIZE = 50_000;

export interface Program {
  readonly operations: readonly number[];
  readonly next: readonly number[];
  readonly arguments: readonly number[];
  readonly classes: readonly CharClass[];
  readonly start: number;
  /** Matches at the beginning of the text only. */
  readonly anchored: boolean;
  /** What every match begins with. */
  readonly prefix: string;
  /** The prefix is all there is. */
  readonly literal: boolean;
  /** Has conditions on places. */
  readonly conditional: boolean;
}

/** Throws `RegoError` with `REGO_LIMIT` for what is too large when counted repetitions are written out. */
export function compileProgram(root: Node): Program {
  const operations: number[] = [];
  const next: number[] = [];
  const args: number[] = [];
  const classes: CharClass[] = [];
  let conditional = false;

  /** Parts are written from the end: each knows what comes after it. */
  const add = (operation: number, after: number, argument: number): number => {
    if (operations.length >= MAX_SIZE) throw tooLarge();
    next.push(after);
    args.push(argument);
    return operations.push(operation) - 1;
  };
  const split = (first: number, second: number, greedy: boolean): number =>
    greedy ? add(SPLIT, first, second) : add(SPLIT, second, first);

  const emitLoop = (part: Node, after: number, greedy: boolean): { loop: number; body: number } => {
    const loop = add(SPLIT, after, after);
    const body = emit(part, loop);
    (greedy ? next : args)[loop] = body;
    return { loop, body };
  };

  const emitRepeat = (node: Node & { kind: "repeat" }, after: number): number => {
    const { part, min, max, greedy } = node;
    let at = after;
    let copies = min;
    if (max === Number.POSITIVE_INFINITY) {
      const { loop, body } = emitLoop(part, after, greedy);
      // What can be empty runs once before it may be left, so that the order of choices stays right.
      if (min === 0) return isNullable(part) ? split(body, after, greedy) : loop;
      at = body;
      copies--;
    } else {
      for (let i = min; i < max; i++) at = split(emit(part, at), after, greedy);
    }
    for (let i = 0; i < copies; i++) at = emit(part, at);
    return at;
  };

  const emit = (node: Node, after: number): number => {
    switch (node.kind) {
      case "char":
        return add(CHAR, after, node.char);
      case "class":
        return add(CLASS, after, classes.push(node.class) - 1);
      case "empty":
        conditional = true;
        return add(CONDITION, after, node.condition);
      case "sequence":
        return node.parts.reduceRight((at, part) => emit(part, at), after);
      case "choice": {
        const starts = node.parts.map((part) => emit(part, after));
        return starts.reduceRight((second, first) => add(SPLIT, first, second));
      }
      case "group":
        return add(SLOT, emit(node.part, add(SLOT, after, 2 * node.index + 1)), 2 * node.index);
      case "repeat":
        return emitRepeat(node, after);
    }
  };

  const start = emit(root, add(MATCH, 0, 0));
  const { prefix, literal } = prefixOf(root);
  return {
    operations,
    next,
    arguments: args,
    classes,
    start,
    anchored: isAnchored(root),
    prefix,
    literal,
    conditional,
  };
}

function prefixOf(root: Node): { prefix: string; literal: boolean } {
  const parts = root.kind === "sequence" ? root.parts : [root];
  let prefix = "";
  for (const part of parts) {
    // U+FFFD is also what bytes that are no UTF-8 are taken for, and surrogates are in no text.
    if (part.kind !== "char" || part.char === 0xfffd || (part.char >= 0xd800 && part.char < 0xe000)) {
      return { prefix, literal: false };
    }
    prefix += String.fromCodePoint(part.char);
  }
  return { prefix, literal: true };
}

function tooLarge(): RegoError {
  return new RegoError([
    {
      code: "REGO_LIMIT",
      message: `Cannot compile the pattern: more than ${MAX_SIZE} instructions, expected fewer`,
      hint: "Count fewer repetitions: {1,1000} is written out a thousand times.",
    },
  ]);
}
