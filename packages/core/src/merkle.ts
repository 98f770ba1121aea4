// SPDX-License-Identifier: Apache-2.0
// The Merkle tree of append-only logs (RFC 6962 section 2.1, RFC 9162 section 2.1) with SHA-256: growing it, proving
// from it, checking proofs.

import { type Bytes, concat, equal } from "./bytes.ts";
import { CoreError } from "./errors.ts";
import { syncCrypto } from "./sync-crypto.ts";

/** Bytes of every hash here. */
export const HASH_BYTES = 32;

/** Where a node is: level 0 holds the leaves, and node i of a level covers leaves i·2^level and on. */
export interface NodeId {
  readonly level: number;
  readonly index: number;
}

/** A node over a whole subtree: 2^level leaves. It never changes. */
export interface TreeNode extends NodeId {
  readonly hash: Uint8Array;
}

/** All that is needed to append: the size of the tree, and the hashes of its largest whole subtrees, left to right. */
export interface Frontier {
  readonly size: number;
  readonly hashes: readonly Uint8Array[];
}

/** Answers the hashes of whole subtrees, in the order asked for. */
export type NodeReader = (ids: readonly NodeId[]) => readonly Uint8Array[] | Promise<readonly Uint8Array[]>;

export const EMPTY_FRONTIER: Frontier = { size: 0, hashes: [] };

const LEAF = /* @__PURE__ */ Uint8Array.of(0);
const NODE = /* @__PURE__ */ Uint8Array.of(1);

/** The hash of a leaf's content. */
export function leafHash(content: Uint8Array): Bytes {
  return sha256(concat(LEAF, content));
}

/** The hash of a node over two others. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Bytes {
  return sha256(concat(NODE, left, right));
}

/** The tree after further leaves, and the nodes that became whole by them, leaves too. Throws `LOG_RANGE`. */
export function appendLeaves(
  frontier: Frontier,
  leaves: readonly Uint8Array[],
): { readonly frontier: Frontier; readonly nodes: readonly TreeNode[] } {
  if (frontier.hashes.length !== onesIn(checkedSize(frontier.size)))
    throw range(`Cannot append to a tree of ${frontier.size} leaves: its frontier does not fit the size`);
  const hashes = [...frontier.hashes];
  const nodes: TreeNode[] = [];
  let { size } = frontier;
  for (const leaf of leaves) {
    let node: TreeNode = { level: 0, index: size, hash: leaf };
    nodes.push(node);
    // Each one at the end of the size is a whole subtree that the new one completes.
    for (; node.index % 2 === 1; ) {
      const left = hashes.pop() as Uint8Array;
      node = { level: node.level + 1, index: (node.index - 1) / 2, hash: nodeHash(left, node.hash) };
      nodes.push(node);
    }
    hashes.push(node.hash);
    size = checkedSize(size + 1);
  }
  return { frontier: { size, hashes }, nodes };
}

/** The root hash of the tree; of an empty one the hash of nothing. */
export function rootOf({ hashes }: Frontier): Bytes {
  return hashes.length === 0 ? sha256(new Uint8Array(0)) : joined(hashes);
}

/** The frontier of the tree as it was with `size` leaves. */
export async function frontierAt(size: number, read: NodeReader): Promise<Frontier> {
  return { size, hashes: await read(nodesOf([0, checkedSize(size)])) };
}

/** Proves that the leaf `index` (from 0) is in the tree of `size` leaves. Throws `LOG_RANGE`. */
export async function inclusionProof(
  index: number,
  size: number,
  read: NodeReader,
): Promise<readonly Bytes[]> {
  checkIndex(index, size);
  const path: Range[] = [];
  let [start, end] = [0, size];
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      path.push([middle, end]);
      end = middle;
    } else {
      path.push([start, middle]);
      start = middle;
    }
  }
  return hashesOf(path.reverse(), read);
}

/** Proves that the tree of `from` leaves is the beginning of the one of `to`. Throws `LOG_RANGE`. */
export async function consistencyProof(
  from: number,
  to: number,
  read: NodeReader,
): Promise<readonly Bytes[]> {
  checkOrder(from, to);
  if (from === 0) return [];
  const path: Range[] = [];
  let [start, end] = [0, to];
  while (end !== from) {
    const middle = start + splitOf(end - start);
    if (from <= middle) {
      path.push([middle, end]);
      end = middle;
    } else {
      path.push([start, middle]);
      start = middle;
    }
  }
  // The old tree itself is known to whoever asks.
  if (start !== 0) path.push([start, end]);
  return hashesOf(path.reverse(), read);
}

export interface InclusionClaim {
  /** Of the leaf's content. */
  readonly leaf: Uint8Array;
  /** From 0. */
  readonly index: number;
  readonly size: number;
  readonly root: Uint8Array;
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162 section 2.1.3.2. Throws `LOG_PROOF` unless the leaf is in the tree there, `LOG_RANGE`. */
export function checkInclusion({ leaf, index, size, root, proof }: InclusionClaim): void {
  checkIndex(index, size);
  let hash = leaf;
  let [first, last] = [index, size - 1];
  for (const sibling of proof) {
    if (last === 0) throw refused(`entry ${index}`, size, "it is too long");
    if (first % 2 === 1 || first === last) {
      hash = nodeHash(sibling, hash);
      while (first % 2 === 0 && first !== 0) [first, last] = [first / 2, half(last)];
    } else hash = nodeHash(hash, sibling);
    [first, last] = [half(first), half(last)];
  }
  if (last !== 0) throw refused(`entry ${index}`, size, "it is too short");
  if (!equal(hash, root)) throw refused(`entry ${index}`, size, "it leads to another root");
}

export interface ConsistencyClaim {
  readonly from: { readonly size: number; readonly root: Uint8Array };
  readonly to: { readonly size: number; readonly root: Uint8Array };
  readonly proof: readonly Uint8Array[];
}

/** RFC 9162 section 2.1.4.2. Throws `LOG_PROOF` unless the one tree is the beginning of the other, `LOG_RANGE`. */
export function checkConsistency({ from, to, proof }: ConsistencyClaim): void {
  checkOrder(from.size, to.size);
  const what = `the first ${from.size} entries`;
  if (from.size === to.size || from.size === 0) {
    if (proof.length > 0) throw refused(what, to.size, "it is too long");
    if (from.size === 0 && !equal(from.root, rootOf(EMPTY_FRONTIER)))
      throw refused(what, to.size, "their root is not that of an empty log");
    if (from.size === to.size && !equal(from.root, to.root))
      throw refused(what, to.size, "the roots of one size differ");
    return;
  }
  // A whole subtree is its own start: the proof leaves it out.
  const [start, ...rest] = onesIn(from.size) === 1 ? [from.root, ...proof] : proof;
  if (start === undefined) throw refused(what, to.size, "it is too short");
  let [first, last] = [from.size - 1, to.size - 1];
  while (first % 2 === 1) [first, last] = [half(first), half(last)];
  let [older, newer] = [start, start];
  for (const hash of rest) {
    if (last === 0) throw refused(what, to.size, "it is too long");
    if (first % 2 === 1 || first === last) {
      [older, newer] = [nodeHash(hash, older), nodeHash(hash, newer)];
      while (first % 2 === 0 && first !== 0) [first, last] = [first / 2, half(last)];
    } else newer = nodeHash(newer, hash);
    [first, last] = [half(first), half(last)];
  }
  if (last !== 0) throw refused(what, to.size, "it is too short");
  if (!equal(older, from.root)) throw refused(what, to.size, "it leads to another root for the old size");
  if (!equal(newer, to.root)) throw refused(what, to.size, "it leads to another root for the new size");
}

/** Leaves from the first number to before the second. */
type Range = readonly [start: number, end: number];

async function hashesOf(ranges: readonly Range[], read: NodeReader): Promise<readonly Bytes[]> {
  const ids = ranges.map(nodesOf);
  const hashes = await read(ids.flat());
  let at = 0;
  return ids.map(({ length }) => {
    at += length;
    return joined(hashes.slice(at - length, at));
  });
}

/** The whole subtrees that a range consists of, largest first: ranges of the tree start where a large one may. */
function nodesOf([start, end]: Range): readonly NodeId[] {
  const ids: NodeId[] = [];
  let at = start;
  while (at < end) {
    const level = Math.floor(Math.log2(end - at));
    ids.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return ids;
}

function joined(hashes: readonly Uint8Array[]): Bytes {
  let hash = hashes.at(-1);
  if (hash === undefined) throw range("Cannot hash a subtree: it has no nodes");
  for (const left of hashes.slice(0, -1).reverse()) hash = nodeHash(left, hash);
  return new Uint8Array(hash);
}

/** The largest power of two below `count`, which is more than one. */
function splitOf(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}

function half(value: number): number {
  return Math.floor(value / 2);
}

function onesIn(value: number): number {
  let ones = 0;
  for (let left = value; left > 0; left = half(left)) ones += left % 2;
  return ones;
}

/** Sizes beyond 2^48 would meet the end of exact logarithms; no log gets there. */
function checkedSize(size: number): number {
  if (!Number.isInteger(size) || size < 0 || size > 2 ** 48)
    throw range(`Cannot use ${size} as size of a log`);
  return size;
}

function checkIndex(index: number, size: number): void {
  checkedSize(size);
  if (!Number.isInteger(index) || index < 0 || index >= size)
    throw range(`Cannot prove entry ${index}: a log of ${size} has none of that index`);
}

function checkOrder(from: number, to: number): void {
  if (checkedSize(from) > checkedSize(to))
    throw range(`Cannot prove growth from ${from} entries to ${to}: expected more, not fewer`);
}

function sha256(data: Uint8Array): Bytes {
  return syncCrypto.digest("SHA-256", data);
}

function range(message: string): CoreError {
  return new CoreError("LOG_RANGE", "misuse", message);
}

function refused(what: string, size: number, why: string): CoreError {
  return new CoreError(
    "LOG_PROOF",
    "not-authentic",
    `Cannot accept proof that a log of ${size} entries holds ${what}: ${why}`,
    { detail: { size }, hint: "Keep both, as evidence: a log that cannot prove itself has been changed." },
  );
}
