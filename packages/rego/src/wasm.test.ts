// SPDX-License-Identifier: Apache-2.0
// What is no bundle. Bundles that OPA built run in the conformance suite, where OPA is at hand.
import { concat, fromUtf8 } from "@adyton/core/bytes";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RegoError } from "./errors.ts";
import { readBundle } from "./wasm/bundle.ts";
import { HostFunctions } from "./wasm/functions.ts";
import { loadBundle } from "./wasm.ts";

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([Uint8Array.from(bytes)]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

interface File {
  readonly name: string;
  readonly contents: Uint8Array;
  readonly type?: string;
  readonly size?: string;
  readonly checksum?: number;
}

/** A tar archive as OPA writes it. */
function tar(...files: readonly File[]): Uint8Array {
  const blocks = files.flatMap(({ name, contents, type = "0", size, checksum }) => {
    const header = new Uint8Array(512);
    header.set(fromUtf8(name), 0);
    header.set(fromUtf8(size ?? contents.length.toString(8).padStart(11, "0")), 124);
    header.set(fromUtf8("        "), 148);
    header.set(fromUtf8(type), 156);
    const sum = checksum ?? header.reduce((total, byte) => total + byte, 0);
    header.set(fromUtf8(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
    return [header, contents, new Uint8Array((512 - (contents.length % 512)) % 512)];
  });
  return concat(...blocks, new Uint8Array(1024));
}

const WASM = { name: "/policy.wasm", contents: fromUtf8("\0asm\x01\0\0\0") };
const DATA = { name: "/data.json", contents: fromUtf8(`{"a":[1]}`) };

describe.runIf(typeof CompressionStream === "undefined")("where nothing unpacks gzip", () => {
  it("a bundle is refused with a way out", async () => {
    await expect(loadBundle(Uint8Array.of(0x1f, 0x8b))).rejects.toMatchObject({
      code: "REGO_MISUSE",
      hint: expect.stringContaining("policy.wasm") as string,
    });
  });
});

describe.skipIf(typeof CompressionStream === "undefined")("bundles", () => {
  it("hold a module and base documents", async () => {
    const folder = { name: "folder/", contents: new Uint8Array(0), type: "5" };
    const { wasm, data } = await readBundle(await gzip(tar(folder, DATA, WASM)));
    expect(wasm).toEqual(WASM.contents);
    expect(data).toEqual({ a: [1] });
    expect((await readBundle(await gzip(tar({ ...WASM, name: "./policy.wasm" })))).data).toEqual({});
  });

  it.each([
    ["nothing", async () => new Uint8Array(0)],
    ["text", async () => fromUtf8("package p")],
    ["gzip that is cut", async () => (await gzip(tar(WASM))).subarray(0, 30)],
    ["gzip of something else", async () => gzip(fromUtf8("package p"))],
    ["no policy.wasm", async () => gzip(tar(DATA))],
    ["a directory of that name", async () => gzip(tar({ ...WASM, type: "5" }))],
    ["a file twice", async () => gzip(tar(WASM, WASM))],
    ["a wrong checksum", async () => gzip(tar({ ...WASM, checksum: 1 }))],
    ["a size beyond the end", async () => gzip(tar({ ...WASM, size: "77777777777" }))],
    ["a size that is no number", async () => gzip(tar({ ...WASM, size: "x" }))],
    ["data that is no JSON", async () => gzip(tar(WASM, { ...DATA, contents: fromUtf8("{") }))],
    ["data that is no object", async () => gzip(tar(WASM, { ...DATA, contents: fromUtf8("[]") }))],
    ["data that is no text", async () => gzip(tar(WASM, { ...DATA, contents: Uint8Array.of(0xff) }))],
    ["more than is unpacked", async () => gzip(new Uint8Array(65 * 1024 * 1024))],
    ["a module that is none of OPA's", async () => gzip(tar(WASM))],
    ["a module that is none", async () => fromUtf8("\0asm????")],
  ])("%s is refused", async (_title, make) => {
    await expect(loadBundle(await make())).rejects.toMatchObject({ code: "REGO_MISUSE" });
  });

  it("any bytes are a bundle or refused", async () => {
    const bundle = await gzip(tar(WASM, DATA));
    await fc.assert(
      fc.asyncProperty(fc.nat(bundle.length - 1), fc.integer({ min: 1, max: 255 }), async (at, change) => {
        const changed = Uint8Array.from(bundle);
        changed[at] = (changed[at] ?? 0) ^ change;
        await readBundle(changed).catch((error: unknown) => expect(error).toBeInstanceOf(RegoError));
      }),
      { numRuns: 100 },
    );
  });
});

describe("functions of the host", () => {
  const functions = new HostFunctions([
    {
      name: "spend",
      type: { args: [] },
      call: (steps: number, context: { spend(steps: number): void }) => {
        context.spend(steps);
        return steps;
      },
    },
    { name: "now", type: { args: [] }, call: (context: { now(): bigint }) => context.now() },
    {
      name: "made",
      type: { args: [] },
      call: (context: { cached<T>(key: string, make: () => T): T }) =>
        context.cached("k", () => Math.random()),
    },
  ]);
  const call = (name: string, ...args: number[]): unknown => functions.byName[name]?.(...args);

  it("have a time when the caller names one", () => {
    expect(functions.during(5n, () => call("now"))).toBe(5);
    expect(functions.during(new Date(1), () => call("now"))).toBe(1_000_000);
    expect(() => functions.during(undefined, () => call("now"))).toThrow(
      expect.objectContaining({ code: "REGO_MISUSE" }),
    );
  });
  it("are bounded, one evaluation at a time", () => {
    for (let i = 0; i < 3; i++) expect(functions.during(0n, () => call("spend", 6_000_000))).toBe(6_000_000);
    const twice = (): unknown => [call("spend", 6_000_000), call("spend", 6_000_000)];
    expect(() => functions.during(0n, twice)).toThrow(expect.objectContaining({ code: "REGO_LIMIT" }));
  });
  it("remember for one evaluation", () => {
    const [first, again] = functions.during(0n, () => [call("made"), call("made")]);
    expect(again).toBe(first);
    expect(functions.during(0n, () => call("made"))).not.toBe(first);
  });
});
