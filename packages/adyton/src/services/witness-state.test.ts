// SPDX-License-Identifier: Apache-2.0
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOfAsync } from "@adyton/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openWitness } from "./witness-state.ts";

const URL = "https://broker.example";

let folder: string;

beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "adyton-witness-")), "deep");
});

afterEach(() => rm(join(folder, ".."), { recursive: true }));

describe("a witness's memory", () => {
  it("holds its key and each log apart, for its owner alone", async () => {
    const witness = await openWitness(folder);
    expect(await witness.seen(URL)).toBeUndefined();
    await witness.remember(URL, { logKey: "one", note: "first" });
    await witness.remember(`${URL}/tenants/a`, { logKey: "two", note: undefined });
    const again = await openWitness(folder);
    expect(again.signer.key).toEqual(witness.signer.key);
    expect(await again.seen(URL)).toEqual({ logKey: "one", note: "first" });
    expect(await again.seen(`${URL}/tenants/a`)).toEqual({ logKey: "two", note: undefined });
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o077).toBe(0);
  });

  it("is the old one while the new one is not whole", async () => {
    const witness = await openWitness(folder);
    await witness.remember(URL, { logKey: "one", note: "first" });
    const [file = ""] = (await readdir(folder)).filter((name) => name.startsWith("log-"));
    // What a kill in the middle of writing leaves behind.
    await writeFile(join(folder, `${file}.draft`), '{"url":"https://bro');
    expect(await (await openWitness(folder)).seen(URL)).toEqual({ logKey: "one", note: "first" });
    await witness.remember(URL, { logKey: "one", note: "second" });
    expect(await witness.seen(URL)).toEqual({ logKey: "one", note: "second" });
    expect(await readdir(folder)).not.toContain(`${file}.draft`);
  });

  it.each(["", "{", "[]", "{}", '{"logKey":1,"note":null}', '{"logKey":"x"}'])(
    "is not taken for empty when it is %j",
    async (text) => {
      const witness = await openWitness(folder);
      await witness.remember(URL, { logKey: "one", note: "first" });
      const [file = ""] = (await readdir(folder)).filter((name) => name.startsWith("log-"));
      await writeFile(join(folder, file), text);
      expect(await codeOfAsync(() => witness.seen(URL))).toBe("INVALID_DOCUMENT");
    },
  );

  it("does not make another key in place of one it cannot read", async () => {
    await openWitness(folder);
    const file = join(folder, "witness.key");
    await writeFile(file, (await readFile(file, "utf8")).slice(4));
    expect(await codeOfAsync(() => openWitness(folder))).toBe("INVALID_DOCUMENT");
  });
});
