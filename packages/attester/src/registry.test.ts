// SPDX-License-Identifier: Apache-2.0
import { AdytonError } from "@adyton/core/errors";
import { describe, expect, it } from "vitest";
import { filesWith } from "../test/fake-drivers.ts";
import { createFakeGramine } from "../test/fake-gramine.ts";
import { createFakeTsm, shapedReport } from "../test/fake-tsm.ts";
import type { FileSystem } from "./lib/filesystem.ts";
import { ATTESTERS, detectAttester } from "./registry.ts";

/** Those that need not be named. */
const unasked = ATTESTERS.filter(({ byNameOnly }) => byNameOnly !== true);
const NOWHERE = createFakeTsm({ mounted: false });
const TDX = createFakeTsm({ provider: "tdx_guest" });
const GRAMINE = createFakeGramine({ type: "dcap", quote: (data) => shapedReport(1200, 368, data) });
const SOCKET = "/run/tee.sock";
const ENV = { ADYTON_SAMPLE_TEE: SOCKET };

/** A machine that shows what any of these show. */
function together(...systems: FileSystem[]): FileSystem {
  const owner = async (path: string): Promise<FileSystem> => {
    for (const system of systems)
      if (await system.exists(path.slice(0, path.lastIndexOf("/")))) return system;
    return NOWHERE;
  };
  return {
    exists: async (path) => (await Promise.all(systems.map((system) => system.exists(path)))).includes(true),
    mkdir: async (path) => (await owner(path)).mkdir(path),
    rmdir: async (path) => (await owner(path)).rmdir(path),
    readFile: async (path) => (await owner(path)).readFile(path),
    writeFile: async (path, bytes) => (await owner(path)).writeFile(path, bytes),
  };
}

const withSocket: FileSystem = { ...NOWHERE, exists: async (path) => path === SOCKET };

describe("detection", () => {
  it("prefers hardware, and the innermost of it", () => {
    expect(ATTESTERS.map(({ tee }) => tee)).toEqual([
      "sgx",
      "tdx",
      "snp",
      "cca",
      "csv",
      "nitro",
      "tpm",
      "sample",
    ]);
  });

  it.each<[what: string, files: FileSystem, env: Record<string, string>, tee: string]>([
    ["an enclave in a confidential machine", together(GRAMINE, TDX, withSocket), ENV, "sgx"],
    ["a confidential machine with a software TEE", together(TDX, withSocket), ENV, "tdx"],
    ["an AMD machine", createFakeTsm({ provider: "sev_guest" }), {}, "snp"],
    ["a realm", createFakeTsm({ provider: "arm_cca_guest" }), {}, "cca"],
    ["a Hygon machine", filesWith({ "/dev/csv-guest": new Uint8Array() }), {}, "csv"],
    ["a Nitro enclave", filesWith({ "/dev/nsm": new Uint8Array() }), {}, "nitro"],
    ["a software TEE", withSocket, ENV, "sample"],
  ])("%s", async (_what, files, env, tee) => {
    expect((await detectAttester({ files, env })).tee).toBe(tee);
  });

  it("takes no TPM for a TEE that nobody named", () => {
    expect(ATTESTERS.filter((kind) => !unasked.includes(kind)).map(({ tee }) => tee)).toEqual(["tpm"]);
  });

  it("takes the one that is named", async () => {
    const files = together(TDX, withSocket);
    expect((await detectAttester({ files, env: ENV, tee: "sample" })).tee).toBe("sample");
  });

  it("says what each TEE misses", async () => {
    const error = await detectAttester({ files: NOWHERE, env: {} }).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(AdytonError);
    expect(error).toMatchObject({
      code: "NO_TEE_FOUND",
      category: "unavailable",
      hint: expect.stringContaining("openSoftwareTee"),
      detail: { tees: unasked.map(({ tee }) => ({ tee, available: false })) },
    });
    for (const { tee } of unasked) expect(String(error)).toContain(`${tee} misses `);
  });

  it("helps with the TEE that is nearest to working", async () => {
    const gone = { ...NOWHERE, exists: () => Promise.resolve(false) };
    const error = detectAttester({ files: createFakeTsm({}), env: {} });
    await expect(error).rejects.toHaveProperty("hint", expect.stringContaining("Load tdx-guest"));
    await expect(detectAttester({ files: gone, env: ENV })).rejects.toMatchObject({
      detail: {
        tees: expect.arrayContaining([expect.objectContaining({ missing: [`the socket ${SOCKET}`] })]),
      },
    });
  });

  it("refuses a named TEE that is not here, and one that nobody collects from", async () => {
    const here = { files: NOWHERE, env: {} };
    await expect(detectAttester({ ...here, tee: "snp" })).rejects.toHaveProperty("code", "TEE_UNAVAILABLE");
    await expect(detectAttester({ ...here, tee: "se" })).rejects.toMatchObject({
      code: "NO_ATTESTER",
      category: "misuse",
    });
  });
});
