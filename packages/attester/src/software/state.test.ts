// SPDX-License-Identifier: Apache-2.0
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOfAsync } from "@adyton/testing";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openState } from "./state.ts";

const NOW = new Date("2026-07-01T12:00:00.500Z");
let base = "";
let made = 0;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "adyton-test-"));
});
afterAll(() => rm(base, { recursive: true, force: true }));

const newDir = (): string => join(base, `tee-${made++}`, "inner");
const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

describe("the state of a software TEE", () => {
  it("is private, but for its root", async () => {
    const dir = newDir();
    const { vendor, rootPath } = await openState(dir, NOW);
    expect(await modeOf(dir)).toBe("700");
    expect(await modeOf(join(dir, "keys.pem"))).toBe("600");
    expect((await readdir(dir)).sort()).toEqual(["keys.pem", "root.pem"]);
    expect(await readFile(rootPath, "utf8")).toBe(vendor.rootPem);
    expect(vendor.rootPem).not.toContain("PRIVATE");
    expect(vendor.root.notBefore.toISOString()).toBe("2026-06-30T12:00:00.000Z");
    expect(vendor.root.notAfter.toISOString()).toBe("2036-06-28T12:00:00.000Z");
  });

  it("is the same the next time", async () => {
    const dir = newDir();
    const [first, second] = [await openState(dir, NOW), await openState(dir, NOW)];
    expect(second.vendor.rootPem).toBe(first.vendor.rootPem);
    expect(second.machine.certificate.der).toEqual(first.machine.certificate.der);
  });

  it("is one for all who make it at once", async () => {
    const dir = newDir();
    const states = await Promise.all(Array.from({ length: 6 }, () => openState(dir, NOW)));
    expect(new Set(states.map(({ vendor }) => vendor.rootPem)).size).toBe(1);
    expect((await readdir(dir)).sort()).toEqual(["keys.pem", "root.pem"]);
  });

  it("writes root.pem anew when it is missing or another's", async () => {
    const dir = newDir();
    const { vendor, rootPath } = await openState(dir, NOW);
    for (const spoil of [() => rm(rootPath), () => writeFile(rootPath, "another")]) {
      await spoil();
      await openState(dir, NOW);
      expect(await readFile(rootPath, "utf8")).toBe(vendor.rootPem);
    }
  });

  it.each<[what: string, spoil: (dir: string) => Promise<void>, code: string, category: string]>([
    ["a folder that others may open", (dir) => chmod(dir, 0o750), "SOFTWARE_TEE_NOT_PRIVATE", "misuse"],
    [
      "keys that others may read",
      (dir) => chmod(join(dir, "keys.pem"), 0o640),
      "SOFTWARE_TEE_NOT_PRIVATE",
      "misuse",
    ],
    ["keys that are cut", (dir) => truncate(join(dir, "keys.pem"), 900), "SOFTWARE_TEE_STATE", "malformed"],
    ["empty keys", (dir) => truncate(join(dir, "keys.pem"), 0), "SOFTWARE_TEE_STATE", "malformed"],
    ["keys without end", (dir) => truncate(join(dir, "keys.pem"), 70_000), "SOFTWARE_TEE_STATE", "malformed"],
    [
      "a key of another certificate",
      async (dir) => {
        const other = newDir();
        await openState(other, NOW);
        const [own, foreign] = await Promise.all(
          [dir, other].map((each) => readFile(join(each, "keys.pem"), "utf8")),
        );
        const at = (text = ""): number => text.indexOf("-----BEGIN PRIVATE");
        await writeFile(join(dir, "keys.pem"), `${own?.slice(0, at(own))}${foreign?.slice(at(foreign))}`);
      },
      "SOFTWARE_TEE_STATE",
      "malformed",
    ],
    [
      "keys behind a link",
      async (dir) => {
        await writeFile(join(dir, "elsewhere"), await readFile(join(dir, "keys.pem")), { mode: 0o600 });
        await rm(join(dir, "keys.pem"));
        await symlink(join(dir, "elsewhere"), join(dir, "keys.pem"));
      },
      "SOFTWARE_TEE_STATE",
      "unavailable",
    ],
  ])("refuses %s", async (_what, spoil, code, category) => {
    const dir = newDir();
    await openState(dir, NOW);
    await spoil(dir);
    await expect(openState(dir, NOW)).rejects.toMatchObject({ code, category });
  });

  it.each([["2026-06-29T00:00:00Z"], ["2037-01-01T00:00:00Z"]])("is not valid at %s", async (at) => {
    const dir = newDir();
    await openState(dir, NOW);
    await expect(openState(dir, new Date(at))).rejects.toMatchObject({
      code: "SOFTWARE_TEE_EXPIRED",
      category: "endorsements",
    });
  });

  it("cannot be where a file is", async () => {
    const path = join(base, "file");
    await writeFile(path, "");
    expect(await codeOfAsync(() => openState(path, NOW))).toBe("SOFTWARE_TEE_STATE");
  });

  it("shows no key in messages", async () => {
    const dir = newDir();
    await openState(dir, NOW);
    const text = await readFile(join(dir, "keys.pem"), "utf8");
    await writeFile(join(dir, "keys.pem"), text.replaceAll("END", "ENDE"));
    const error: unknown = await openState(dir, NOW).catch((caught: unknown) => caught);
    const line = text.split("\n")[1] ?? "";
    expect(line).toHaveLength(64);
    expect(JSON.stringify(error)).toContain("SOFTWARE_TEE_STATE");
    expect(JSON.stringify(error)).not.toContain(line);
  });
});
