// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { boundedBytes } from "./bounded.ts";

/** Gives a byte at a time, for as long as anybody asks. */
function endless(cancelled: () => void): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    pull: (controller) => controller.enqueue(new Uint8Array(1)),
    cancel: cancelled,
  });
}

describe("a body", () => {
  it.each([0, 1, 99, 100])("of %i bytes within the limit is read whole", async (length) => {
    const bytes = new Uint8Array(length).fill(7);
    expect(await boundedBytes(new Response(bytes), 100, () => new Error("too large"))).toEqual(bytes);
  });

  it("that is none is empty", async () => {
    expect(await boundedBytes(new Response(null), 0, () => new Error("too large"))).toHaveLength(0);
  });

  it("beyond the limit is read no further", async () => {
    let isCancelled = false;
    const body = endless(() => {
      isCancelled = true;
    });
    await expect(boundedBytes({ body }, 100, () => new Error("too large"))).rejects.toThrow("too large");
    expect(isCancelled).toBe(true);
  });
});
