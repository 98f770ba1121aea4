// SPDX-License-Identifier: Apache-2.0
import { fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createVault, sealedUnder, vaultKeyOf } from "./vault.ts";

const ROOT = new Uint8Array(32).fill(1);
const OTHER = new Uint8Array(32).fill(2);
const vault = createVault([ROOT]);
const SECRET = fromUtf8("open sesame");

describe("the vault", () => {
  it("opens what it sealed", () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array({ maxLength: 200 }), (key, value) => {
        expect([...vault.open("resource", key, vault.seal("resource", key, value))]).toEqual([...value]);
      }),
    );
  });

  it("shows nothing of the value, and never the same twice", () => {
    const sealed = [vault.seal("resource", "a", SECRET), vault.seal("resource", "a", SECRET)].map(toHex);
    expect(sealed[0]).not.toBe(sealed[1]);
    expect(sealed.join()).not.toContain(toHex(SECRET));
  });

  it("does not open a value at another place", () => {
    const sealed = vault.seal("resource", "a", SECRET);
    expect(codeOf(() => vault.open("resource", "b", sealed))).toBe("SECRET_CORRUPT");
    expect(codeOf(() => vault.open("reference-value", "a", sealed))).toBe("SECRET_CORRUPT");
  });

  it("does not open a value with any byte changed or missing", () => {
    const sealed = vault.seal("resource", "a", SECRET);
    for (let at = 0; at < sealed.length; at++) {
      const mutant = Uint8Array.from(sealed);
      mutant[at] = (mutant[at] ?? 0) ^ 1;
      expect(codeOf(() => vault.open("resource", "a", mutant))).toBe("SECRET_CORRUPT");
      expect(codeOf(() => vault.open("resource", "a", sealed.subarray(0, at)))).toBe("SECRET_CORRUPT");
    }
  });

  it("does not open under another root key", () => {
    const sealed = vault.seal("resource", "a", SECRET);
    expect(codeOf(() => createVault([OTHER]).open("resource", "a", sealed))).toBe("SECRET_CORRUPT");
  });

  it("opens values under the previous key after a rotation, and seals under the new", () => {
    const rotated = createVault([OTHER, ROOT]);
    expect(toUtf8(rotated.open("resource", "a", vault.seal("resource", "a", SECRET)))).toBe("open sesame");
    const fresh = rotated.seal("resource", "a", SECRET);
    expect(codeOf(() => vault.open("resource", "a", fresh))).toBe("SECRET_CORRUPT");
    expect(rotated.keyId).toBe(createVault([OTHER]).keyId);
  });

  it.each([0, 16, 31, 33])("refuses a root key of %i bytes", (length) => {
    expect(codeOf(() => createVault([new Uint8Array(length)]))).toBe("STATE_INVALID");
  });

  it("says which root key a value is sealed under", () => {
    expect(sealedUnder(vault.seal("resource", "a", SECRET))).toBe(vault.keyId);
    for (const other of [new Uint8Array(0), SECRET, new Uint8Array(40)])
      expect(sealedUnder(other)).toBeUndefined();
  });

  it("takes the keys as they are at the moment", () => {
    let keys = [vaultKeyOf(ROOT)] as const;
    const changing = createVault({ current: () => keys });
    const sealed = createVault([OTHER]).seal("resource", "a", SECRET);
    expect(codeOf(() => changing.open("resource", "a", sealed))).toBe("SECRET_CORRUPT");
    keys = [vaultKeyOf(OTHER)];
    expect(toUtf8(changing.open("resource", "a", sealed))).toBe("open sesame");
  });
});
