// SPDX-License-Identifier: Apache-2.0
// What a pattern is made of, and what can be said of a part without running it.

import type { CharClass } from "./charclass.ts";

/** Conditions on the place between two characters, as bits. */
export const BEGIN_TEXT = 1;
export const END_TEXT = 2;
export const BEGIN_LINE = 4;
export const END_LINE = 8;
export const WORD_BOUNDARY = 16;
export const NO_WORD_BOUNDARY = 32;

export type Node = Shape & {
  /** Of the tree below, this node included. */
  readonly height: number;
  /** How often the innermost part may be written out for counted repetitions. */
  readonly copies: number;
};

type Shape =
  | { readonly kind: "char"; readonly char: number }
  | { readonly kind: "class"; readonly class: CharClass }
  | { readonly kind: "empty"; readonly condition: number }
  | { readonly kind: "sequence"; readonly parts: readonly Node[] }
  | { readonly kind: "choice"; readonly parts: readonly Node[] }
  | { readonly kind: "group"; readonly index: number; readonly part: Node }
  | {
      readonly kind: "repeat";
      readonly part: Node;
      readonly min: number;
      /** Infinity for none. */
      readonly max: number;
      readonly greedy: boolean;
    };

export function charNode(char: number): Node {
  return { kind: "char", char, height: 1, copies: 1 };
}

export function classNode(of: CharClass): Node {
  return { kind: "class", class: of, height: 1, copies: 1 };
}

export function emptyNode(condition: number): Node {
  return { kind: "empty", condition, height: 1, copies: 1 };
}

/** One after the other; a single part is itself. */
export function sequence(parts: readonly Node[]): Node {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : { kind: "sequence", parts, ...below(parts) };
}

/** The first that leads to a match; a single part is itself. */
export function choice(parts: readonly Node[]): Node {
  const [first] = parts;
  return first !== undefined && parts.length === 1 ? first : { kind: "choice", parts, ...below(parts) };
}

export function group(index: number, part: Node): Node {
  return { kind: "group", index, part, ...below([part]) };
}

export function repeat(part: Node, min: number, max: number, greedy = true): Node {
  const { height, copies } = below([part]);
  const count = Number.isFinite(max) ? max : min;
  return {
    kind: "repeat",
    part,
    min,
    max,
    greedy,
    height,
    copies: max === 0 ? 1 : copies * Math.max(1, count),
  };
}

function below(parts: readonly Node[]): { height: number; copies: number } {
  let height = 0;
  let copies = 1;
  for (const part of parts) {
    height = Math.max(height, part.height);
    copies = Math.max(copies, part.copies);
  }
  return { height: height + 1, copies };
}

/** Whether it can match without taking a character. */
export function isNullable(node: Node): boolean {
  switch (node.kind) {
    case "char":
    case "class":
      return false;
    case "empty":
      return true;
    case "sequence":
      return node.parts.every(isNullable);
    case "choice":
      return node.parts.some(isNullable);
    case "group":
      return isNullable(node.part);
    case "repeat":
      return node.min === 0 || isNullable(node.part);
  }
}

/** Whether it can match at the beginning of the text only. */
export function isAnchored(node: Node): boolean {
  switch (node.kind) {
    case "empty":
      return node.condition === BEGIN_TEXT;
    case "sequence":
      return node.parts[0] !== undefined && isAnchored(node.parts[0]);
    case "choice":
      return node.parts.every(isAnchored);
    case "group":
      return isAnchored(node.part);
    case "repeat":
      return node.min > 0 && isAnchored(node.part);
    default:
      return false;
  }
}
