// SPDX-License-Identifier: Apache-2.0

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defaultPolicyFor, referenceIdsOf } from "@adyton/appraisal";
import { fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { TEE_NAMES } from "@adyton/evidence";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

async function show(...words: string[]): Promise<{ exit: number; stdout: string; stderr: string }> {
  const io = createBufferIo({ env: {} });
  const exit = await run(["policy", "show", ...words], io);
  return { exit, ...io.output() };
}

describe("adyton policy show", () => {
  it.each(TEE_NAMES)("prints the default policy for %s, whole, and what it asks for", async (tee) => {
    const { exit, stdout, stderr } = await show(tee);
    expect(exit).toBe(0);
    for (const text of Object.values(defaultPolicyFor(tee))) expect(stdout).toContain(text);
    for (const { id } of referenceIdsOf(tee)) expect(stderr).toContain(id);
  });

  it("lists all without a TEE", async () => {
    const { stdout } = await show("--json");
    expect(JSON.parse(stdout).tees.map(({ tee }: { tee: string }) => tee)).toEqual([...TEE_NAMES]);
    expect((await show()).stdout).toContain("adyton/snp-report.rego");
  });

  it("refuses another name", async () => {
    expect((await show("abacus")).exit).toBe(1);
  });

  describe("with services", () => {
    const set: Record<string, string> = {};
    const folder = mkdtempSync(join(tmpdir(), "adyton-show-"));
    let server: Server;
    let url = "";
    beforeAll(async () => {
      writeFileSync(join(folder, "token"), "secret");
      server = createServer((request, answer) => {
        const id = request.url?.split("/").at(-1) ?? "";
        const list = Object.keys(set).map((name) => ({ name, version: 1, sha384: "00", set: "2026-07-01" }));
        const policy = set[id.replace("default", "attestation")] ?? "";
        answer.setHeader("content-type", "application/json");
        answer.end(JSON.stringify(id === "policies" ? list : { policy: toBase64Url(fromUtf8(policy)) }));
      });
      await new Promise<void>((ready) => {
        server.listen(0, "127.0.0.1", ready);
      });
      url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => {
      server.close();
      rmSync(folder, { recursive: true });
    });
    const asked = async (tee: string): Promise<[string, string[]]> => {
      const { stdout } = await show(tee, "--url", url, "--token-file", join(folder, "token"), "--json");
      const { policy, modules } = JSON.parse(stdout);
      return [policy, Object.values(modules)];
    };

    it("prints that of the kind, else that of all kinds, else the default", async () => {
      expect(await asked("snp")).toEqual(["default", Object.values(defaultPolicyFor("snp"))]);
      set.attestation = "package policy # all";
      set.attestation_gpu = "package policy # gpu";
      expect(await asked("snp")).toEqual(["attestation", ["package policy # all"]]);
      expect(await asked("nvidia")).toEqual(["attestation_gpu", ["package policy # gpu"]]);
    });
  });
});
