// SPDX-License-Identifier: Apache-2.0
import { codeOf, codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { fromHex, fromUtf8, toHex } from "./bytes.ts";
import {
  appendLeaves,
  checkConsistency,
  checkInclusion,
  consistencyProof,
  EMPTY_FRONTIER,
  type Frontier,
  frontierAt,
  inclusionProof,
  leafHash,
  type NodeReader,
  nodeHash,
  rootOf,
} from "./merkle.ts";

const MAX = 70;

/** A tree of so many leaves, grown one by one, with its root at each size and all of its nodes. */
function grow(leaves: readonly Uint8Array[]): {
  readonly frontier: Frontier;
  readonly roots: readonly Uint8Array[];
  readonly read: NodeReader;
} {
  const nodes = new Map<string, Uint8Array>();
  const roots = [rootOf(EMPTY_FRONTIER)];
  let frontier = EMPTY_FRONTIER;
  for (const leaf of leaves) {
    const grown = appendLeaves(frontier, [leaf]);
    frontier = grown.frontier;
    for (const { level, index, hash } of grown.nodes) nodes.set(`${level}/${index}`, hash);
    roots.push(rootOf(frontier));
  }
  const read: NodeReader = (ids) =>
    ids.map(({ level, index }) => {
      const hash = nodes.get(`${level}/${index}`);
      if (hash === undefined) throw new Error(`no node ${level}/${index}`);
      return hash;
    });
  return { frontier, roots, read };
}

/** The definition in RFC 6962 section 2.1, word for word. */
function definedRoot(leaves: readonly Uint8Array[]): Uint8Array {
  const [first] = leaves;
  if (first === undefined) return rootOf(EMPTY_FRONTIER);
  if (leaves.length === 1) return first;
  let split = 1;
  while (split * 2 < leaves.length) split *= 2;
  return nodeHash(definedRoot(leaves.slice(0, split)), definedRoot(leaves.slice(split)));
}

const LEAVES = Array.from({ length: MAX }, (_, n) => leafHash(fromUtf8(`leaf ${n}`)));
const { frontier: FRONTIER, roots: ROOTS, read: READ } = grow(LEAVES);
const rootAt = (size: number): Uint8Array => ROOTS[size] as Uint8Array;
const leafAt = (index: number): Uint8Array => LEAVES[index] as Uint8Array;

describe("the tree", () => {
  // The eight entries that implementations of Certificate Transparency are tested with.
  const INPUTS = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
  ];
  it.each([
    [0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"],
    [1, "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"],
    [2, "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"],
    [3, "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77"],
    [4, "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"],
    [5, "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4"],
    [6, "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef"],
    [7, "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c"],
    [8, "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"],
  ])("of the first %i known entries has the known root", (size, root) => {
    const { roots } = grow(INPUTS.map((hex) => leafHash(fromHex(hex))));
    expect(toHex(roots[size] as Uint8Array)).toBe(root);
  });

  it("has the roots that its definition gives, however it grew", () => {
    for (let size = 0; size <= MAX; size++) {
      const leaves = LEAVES.slice(0, size);
      expect(rootAt(size)).toEqual(definedRoot(leaves));
      expect(rootOf(appendLeaves(EMPTY_FRONTIER, leaves).frontier)).toEqual(rootAt(size));
    }
  });

  it("grows the same from where it stood", async () => {
    for (let size = 0; size <= MAX; size++) {
      const before = await frontierAt(size, READ);
      expect(appendLeaves(before, LEAVES.slice(size)).frontier).toEqual(FRONTIER);
    }
  });

  it("does not grow from a frontier that does not fit its size", () => {
    expect(codeOf(() => appendLeaves({ size: 3, hashes: [leafAt(0)] }, []))).toBe("LOG_RANGE");
  });
});

describe("an inclusion proof", () => {
  it("holds for every leaf of every size", async () => {
    for (let size = 1; size <= MAX; size++) {
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(index, size, READ);
        checkInclusion({ leaf: leafAt(index), index, size, root: rootAt(size), proof });
      }
    }
  });

  it("does not hold for another leaf, place, size, root or path", async () => {
    const place = fc
      .integer({ min: 2, max: MAX })
      .chain((size) => fc.tuple(fc.constant(size), fc.nat({ max: size - 1 }), fc.nat(), fc.nat({ max: 7 })));
    await fc.assert(
      fc.asyncProperty(place, async ([size, index, at, bit]) => {
        const proof = await inclusionProof(index, size, READ);
        const good = { leaf: leafAt(index), index, size, root: rootAt(size), proof };
        const flip = (bytes: Uint8Array): Uint8Array =>
          bytes.map((byte, n) => (n === at % bytes.length ? byte ^ (1 << bit) : byte));
        const other = (index + 1) % size;
        for (const wrong of [
          { ...good, leaf: flip(good.leaf) },
          { ...good, leaf: leafAt(other) },
          { ...good, index: other },
          { ...good, root: flip(good.root) },
          { ...good, proof: proof.slice(1) },
          { ...good, proof: proof.slice(0, -1) },
          { ...good, proof: [...proof, leafAt(0)] },
          { ...good, proof: proof.map((hash, n) => (n === at % proof.length ? flip(hash) : hash)) },
        ])
          expect(codeOf(() => checkInclusion(wrong))).toBe("LOG_PROOF");
      }),
    );
  });

  it.each([
    [0, 0],
    [1, 1],
    [-1, 3],
    [0.5, 3],
    [0, 2 ** 50],
    [0, Number.NaN],
  ])("is not made or checked for index %d of %d", async (index, size) => {
    expect(await codeOfAsync(() => inclusionProof(index, size, READ))).toBe("LOG_RANGE");
    const claim = { leaf: leafAt(0), index, size, root: rootAt(1), proof: [] };
    expect(codeOf(() => checkInclusion(claim))).toBe("LOG_RANGE");
  });
});

describe("a consistency proof", () => {
  const claimOf = (from: number, to: number, proof: readonly Uint8Array[]) => ({
    from: { size: from, root: rootAt(from) },
    to: { size: to, root: rootAt(to) },
    proof,
  });

  it("holds for every two sizes", async () => {
    for (let to = 0; to <= MAX; to++) {
      for (let from = 0; from <= to; from++) {
        checkConsistency(claimOf(from, to, await consistencyProof(from, to, READ)));
      }
    }
  });

  it("does not hold for other sizes, roots or paths", async () => {
    const sizes = fc
      .integer({ min: 2, max: MAX })
      .chain((to) => fc.tuple(fc.integer({ min: 1, max: to - 1 }), fc.constant(to), fc.nat()));
    await fc.assert(
      fc.asyncProperty(sizes, async ([from, to, at]) => {
        const proof = await consistencyProof(from, to, READ);
        const good = claimOf(from, to, proof);
        const flip = (bytes: Uint8Array): Uint8Array =>
          bytes.map((byte, n) => (n === at % bytes.length ? byte ^ 1 : byte));
        for (const wrong of [
          { ...good, from: { size: from, root: flip(rootAt(from)) } },
          { ...good, to: { size: to, root: flip(rootAt(to)) } },
          { ...good, from: { size: from + 1, root: rootAt(from) } },
          { ...good, proof: proof.slice(1) },
          { ...good, proof: proof.slice(0, -1) },
          { ...good, proof: [...proof, leafAt(0)] },
          { ...good, proof: proof.map((hash, n) => (n === at % proof.length ? flip(hash) : hash)) },
        ])
          expect(codeOf(() => checkConsistency(wrong))).toBe("LOG_PROOF");
      }),
    );
  });

  it("does not hold for another tree of the same size, nor for a wrong empty one", () => {
    const forked = { size: 5, root: rootAt(6) };
    expect(codeOf(() => checkConsistency({ from: forked, to: claimOf(5, 5, []).to, proof: [] }))).toBe(
      "LOG_PROOF",
    );
    const empty = { size: 0, root: rootAt(1) };
    expect(codeOf(() => checkConsistency({ from: empty, to: claimOf(5, 5, []).to, proof: [] }))).toBe(
      "LOG_PROOF",
    );
  });

  it("is not made or checked for a log that shrank", async () => {
    expect(await codeOfAsync(() => consistencyProof(3, 2, READ))).toBe("LOG_RANGE");
    expect(codeOf(() => checkConsistency(claimOf(3, 2, [])))).toBe("LOG_RANGE");
  });
});
