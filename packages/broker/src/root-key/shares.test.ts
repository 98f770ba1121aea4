// SPDX-License-Identifier: Apache-2.0
import { equal } from "@adyton/core/bytes";
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newRecipient, openAs, openUnder, sealTo, sealUnder } from "./seal.ts";
import { combineShares, splitSecret } from "./shamir.ts";
import { recipientOfShares, sharesOf } from "./shares.ts";

const secrets = fc.uint8Array({ minLength: 1, maxLength: 40 });
const numbers = fc
  .integer({ min: 1, max: 12 })
  .chain((threshold) => fc.tuple(fc.constant(threshold), fc.integer({ min: threshold, max: 20 })));

describe("sharing a secret", () => {
  it("gives it back to any as many as the threshold, in any order", () => {
    fc.assert(
      fc.property(secrets, numbers, fc.integer(), (secret, [threshold, count], seed) => {
        const shares = splitSecret(secret, threshold, count);
        const chosen = [...shares]
          .sort((a, b) => ((a.index * seed) % 251) - ((b.index * seed) % 251))
          .slice(0, threshold);
        expect(equal(combineShares(chosen), secret)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it("works with all 255 shares, and with one alone", () => {
    const secret = Uint8Array.of(0, 1, 127, 128, 255);
    expect([...combineShares(splitSecret(secret, 255, 255))]).toEqual([...secret]);
    expect([...combineShares(splitSecret(secret, 1, 3).slice(2))]).toEqual([...secret]);
  });

  // Shamir's secrecy: for every guess of the secret there is exactly one polynomial through one share fewer.
  it("leaves every secret as likely to one fewer than the threshold", () => {
    const [known] = splitSecret(Uint8Array.of(77), 2, 2);
    if (known === undefined) throw new Error("no share");
    const guesses = new Set<number>();
    for (let value = 0; value < 256; value++) {
      const [guess = 0] = combineShares([known, { index: 2, bytes: Uint8Array.of(value) }]);
      guesses.add(guess);
    }
    expect(guesses.size).toBe(256);
  });

  it.each([
    [0, 1],
    [3, 2],
    [2, 256],
    [1.5, 2],
  ])("refuses %d of %d", (threshold, count) => {
    expect(() => splitSecret(Uint8Array.of(1), threshold, count)).toThrow(RangeError);
  });

  it("refuses a share twice, none, and shares of other secrets", () => {
    const [a, b] = splitSecret(Uint8Array.of(1, 2), 2, 2);
    if (a === undefined || b === undefined) throw new Error("no shares");
    expect(() => combineShares([])).toThrow(RangeError);
    expect(() => combineShares([a, a])).toThrow(RangeError);
    expect(() => combineShares([a, { ...b, bytes: Uint8Array.of(1) }])).toThrow(RangeError);
  });
});

describe("recovery shares", () => {
  const pair = newRecipient();
  const lines = sharesOf(pair.privateKey, 3, 5);
  const refused = (given: readonly string[]) => codeOf(() => recipientOfShares(given));

  it("give the key pair back, however they were typed", () => {
    const typed = [
      lines[4] ?? "",
      (lines[0] ?? "").toUpperCase(),
      ` ${(lines[2] ?? "").replaceAll("-", " ")}  `,
    ];
    const found = recipientOfShares([
      ...typed.slice(0, 2),
      typed[2]?.replace(/^ adyton share 3/, " adyton-share-3") ?? "",
    ]);
    expect(equal(found.privateKey, pair.privateKey)).toBe(true);
    expect(equal(found.publicKey, pair.publicKey)).toBe(true);
  });

  it("may be read o for 0 and i or l for 1, and given without their heading", () => {
    const read = lines.slice(0, 3).map((line) => {
      const [, body = ""] = line.split(" ");
      return body.replaceAll("0", "O").replaceAll("1", "l");
    });
    expect(equal(recipientOfShares(read).publicKey, pair.publicKey)).toBe(true);
  });

  it("more than the threshold are as good", () => {
    expect(equal(recipientOfShares(lines).publicKey, pair.publicKey)).toBe(true);
  });

  it("every mistyped letter shows", () => {
    const [first = "", ...others] = lines.slice(0, 3);
    const start = first.indexOf(" ") + 1;
    for (let at = start; at < first.length; at++) {
      if (first[at] === "-") continue;
      const typo = `${first.slice(0, at)}${first[at] === "x" ? "y" : "x"}${first.slice(at + 1)}`;
      expect(refused([typo, ...others])).toBe("SHARE_INVALID");
    }
  });

  it("are refused when they are too few, the same twice, of two sets, or none", () => {
    const [one = "", two = ""] = lines;
    const [stranger = ""] = sharesOf(pair.privateKey, 3, 5);
    expect(refused([one, two])).toBe("SHARE_INVALID");
    expect(refused([one, two, one])).toBe("SHARE_INVALID");
    expect(refused([one, two, stranger])).toBe("SHARE_INVALID");
    expect(refused([])).toBe("SHARE_INVALID");
    expect(refused(["", "hello", "adyton-share-1 "])).toBe("SHARE_INVALID");
  });

  it.each([
    [1, 3],
    [4, 3],
    [2, 256],
  ])("cannot be %d of %d", (threshold, count) => {
    expect(codeOf(() => sharesOf(pair.privateKey, threshold, count))).toBe("SHARE_INVALID");
  });

  it("any text is refused with a typed error", () => {
    fc.assert(
      fc.property(fc.array(fc.string(), { maxLength: 4 }), (text) => refused(text) === "SHARE_INVALID"),
    );
  });
});

describe("wrapping a key", () => {
  const key = new Uint8Array(32).fill(7);
  const pair = newRecipient();

  it("opens for its purpose, and for nobody else", () => {
    const sealed = sealTo(pair.publicKey, "one", key);
    expect(openAs(pair, "one", sealed)).toEqual(key);
    expect(openAs(pair, "two", sealed)).toBeUndefined();
    expect(openAs(newRecipient(), "one", sealed)).toBeUndefined();
    expect(openUnder(key, "two", sealUnder(key, "one", key))).toBeUndefined();
  });

  it("shows every changed byte, and points of small order", () => {
    const sealed = sealTo(pair.publicKey, "one", key);
    for (let at = 0; at < sealed.length; at++) {
      const mutant = Uint8Array.from(sealed);
      mutant[at] = (mutant[at] ?? 0) ^ 0x10;
      expect(openAs(pair, "one", mutant)).toBeUndefined();
      expect(openAs(pair, "one", sealed.subarray(0, at))).toBeUndefined();
    }
    const small = Uint8Array.from(sealed);
    small.fill(0, 0, 32);
    expect(openAs(pair, "one", small)).toBeUndefined();
  });
});
