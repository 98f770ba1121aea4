// SPDX-License-Identifier: Apache-2.0
// Tenants, administrators, proposals and scoped policies from the command line.

import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBroker, openBrokerState, type ServedBroker, serveBroker } from "@adyton/broker";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BufferIoOptions, createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

let folder: string;
let served: ServedBroker;
let env: Record<string, string>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-admin-"));
  const { adminTokenFile, ...state } = await openBrokerState(join(folder, "state"));
  const admin = { approvals: { actions: ["resource.delete", "policy.set"] } };
  served = await serveBroker(createBroker({ ...state, admin }), { port: 0 });
  env = { ADYTON_URL: served.url, ADYTON_TOKEN_FILE: adminTokenFile };
  await writeFile(join(folder, "allow.rego"), "package policy\n\nallow if true\n");
});
afterAll(async () => {
  await served.close();
  await rm(folder, { recursive: true, force: true });
});

async function adyton(
  line: string,
  more: Readonly<Record<string, string>> = {},
  options: BufferIoOptions = {},
) {
  const io = createBufferIo({ cwd: folder, env: { ...env, ...more }, ...options });
  const exit = await run(line.split(" "), io);
  return { exit, ...io.output(), answer: () => JSON.parse(io.output().stdout) };
}

describe("tenants", () => {
  it("are made, changed, used and deleted", async () => {
    expect((await adyton("tenant create alpha --max-secrets 2 --json")).answer()).toMatchObject({
      name: "alpha",
      quota: { maxResources: 2 },
    });
    const inside = { ADYTON_TENANT: "alpha" };
    expect((await adyton("secret put a/b/c allow.rego", inside)).exit).toBe(0);
    expect((await adyton("secret list", inside)).stdout).toBe("a/b/c\n");
    expect((await adyton("secret list")).stdout).toBe("");
    expect((await adyton("tenant list", inside)).stdout).toMatch(/^alpha +active +1 secrets +\d+ bytes\n$/);
    expect((await adyton("tenant change alpha")).exit).toBe(1);
    expect((await adyton("tenant change alpha --state disabled")).exit).toBe(0);
    const off = await adyton("secret list", inside);
    expect(off.exit).not.toBe(0);
    expect((await adyton("tenant delete alpha")).exit).toBe(1);
    expect((await adyton("tenant delete alpha --force --json")).answer()).toEqual({
      name: "alpha",
      deleted: true,
    });
    expect((await adyton("tenant list --json")).answer().tenants).toMatchObject([{ state: "deleted" }]);
  });

  it.each(["Alpha", "../x", "a/b"])("are not named %s", async (name) => {
    const { exit, stderr } = await adyton("secret list", { ADYTON_TENANT: name });
    expect(exit).toBe(1);
    expect(stderr).toContain("ADYTON_TENANT");
  });
});

describe("administrators", () => {
  it("get a token in a file that only its owner reads, and may do what it says", async () => {
    const line = "admin add ci --grant resource.put,resource.list=team-a/** --out ci.token";
    const added = await adyton(line);
    expect(added.stderr).toBe("Added ci, token in ci.token\n");
    const file = join(folder, "ci.token");
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const ci = { ADYTON_TOKEN_FILE: file };
    expect((await adyton("admin whoami", ci)).stdout).toBe("admin:ci\n");
    expect((await adyton("secret put team-a/b/c allow.rego", ci)).exit).toBe(0);
    const refused = await adyton("secret put team-b/b/c allow.rego", ci);
    expect(refused.exit).toBe(5);
    expect(refused.stderr).toContain("admin:ci may not do resource.put on team-b/b/c");
    const listed = await adyton("admin list");
    expect(listed.stdout).toContain("resource.put,resource.list=team-a/**");
    expect(listed.stdout).not.toContain((await readFile(file, "utf8")).trim());
    expect((await adyton("admin delete ci")).exit).toBe(0);
    expect((await adyton("admin whoami", ci)).exit).toBe(3);
  });

  it("are known by what is given, one way", async () => {
    const jwt = await adyton("admin add bob --role auditor --jwt https://id.test#bob --json");
    expect(jwt.answer()).toMatchObject({ name: "bob", credential: "jwt", roles: ["auditor"] });
    for (const more of [
      "",
      "--out a --jwt x#y",
      "--jwt nobody",
      "--certificate allow.rego",
      "--out b --grant x",
    ])
      expect((await adyton(`admin add eve --role auditor ${more}`.trim())).exit).not.toBe(0);
    expect((await adyton("admin list --json")).answer().admins).toHaveLength(1);
  });
});

describe("proposals", () => {
  it("wait, are shown, approved by another, and carried out", async () => {
    await adyton("admin add second --role approver --out second.token");
    const second = { ADYTON_TOKEN_FILE: join(folder, "second.token") };
    await adyton("secret put default/a/b allow.rego");
    const waiting = await adyton("secret delete default/a/b");
    expect(waiting.exit).toBe(5);
    expect(waiting.stderr).toContain("adyton proposal approve");
    const [{ id, digest }] = (await adyton("proposal list --json", second)).answer().proposals;
    expect((await adyton(`proposal show ${id}`, second)).stdout).toContain(digest);
    expect((await adyton(`proposal approve ${id}`)).exit).toBe(5);
    expect((await adyton(`proposal approve ${id} --digest ${"0".repeat(64)}`, second)).exit).toBe(5);
    const done = await adyton(`proposal approve ${id} --digest ${digest} --json`, second);
    expect(done.answer()).toMatchObject({ state: "done", status: 200 });
    expect((await adyton("secret list")).stdout).not.toContain("default/a/b");
    expect((await adyton("proposal list")).stdout).toBe("");
    expect((await adyton("proposal list --all")).stdout).toContain(id);
  });

  it("of policies show what differs from the one in force", async () => {
    const second = { ADYTON_TOKEN_FILE: join(folder, "second.token") };
    await writeFile(join(folder, "deny.rego"), "package policy\n\nallow if false\n");
    const propose = async (line: string) => {
      expect((await adyton(line)).exit).toBe(5);
      const [{ id }] = (await adyton("proposal list --json", second)).answer().proposals;
      const shown = await adyton(`proposal show ${id}`, second);
      const { diff, summary } = (await adyton(`proposal show ${id} --json`, second)).answer();
      return { id, shown: shown.stdout, diff, summary, exit: shown.exit };
    };
    const first = await propose("policy set resource allow.rego");
    expect(first.shown).toContain("none is set there");
    expect(first.diff).toBe("@@ -0,0 +1,3 @@\n+package policy\n+\n+allow if true\n");
    expect((await adyton(`proposal approve ${first.id}`, second)).exit).toBe(0);
    const next = await propose("policy set resource deny.rego");
    expect(next.summary).toBe("put another policy resource in force");
    expect(next.diff).toBe("@@ -1,3 +1,3 @@\n package policy\n \n-allow if true\n+allow if false\n");
    expect(next.shown).toContain("-allow if true\n+allow if false\n");
    expect((await adyton(`proposal approve ${next.id}`, second)).exit).toBe(0);
    expect((await adyton(`proposal show ${next.id}`, second)).stdout).not.toContain("@@");
    const same = await propose("policy set resource deny.rego");
    expect([same.diff, same.shown.includes("the same text is in force")]).toEqual(["", true]);
    await adyton(`proposal reject ${same.id}`);
    const back = await propose("policy activate resource 1");
    expect(back.summary).toBe("put version 1 of the policy resource in force again");
    expect(back.diff).toContain("-allow if false\n+allow if true\n");
    await adyton(`proposal reject ${back.id}`);
  });

  it("show no diff to those who may not see the policy in force", async () => {
    await adyton("admin add third --grant proposal.*=** --out third.token");
    const third = { ADYTON_TOKEN_FILE: join(folder, "third.token") };
    expect((await adyton("policy set resource allow.rego")).exit).toBe(5);
    const [{ id }] = (await adyton("proposal list --json", third)).answer().proposals;
    const { exit, stdout } = await adyton(`proposal show ${id}`, third);
    expect(exit).toBe(0);
    expect(stdout).toContain("you may not see the policy in force");
    expect(stdout).not.toContain("allow if false");
    await adyton(`proposal reject ${id}`);
  });

  it("set policies for patterns, shown before", async () => {
    const second = { ADYTON_TOKEN_FILE: join(folder, "second.token") };
    expect((await adyton("policy set resource allow.rego --path team-a/**")).exit).toBe(5);
    const [{ id }] = (await adyton("proposal list --json", second)).answer().proposals;
    expect((await adyton(`proposal show ${id}`, second)).stdout).toContain("allow if true");
    expect((await adyton(`proposal approve ${id}`, second)).exit).toBe(0);
    expect((await adyton("policy get resource --path team-a/**")).stdout).toContain("allow if true");
    expect((await adyton("policy list")).stdout).toMatch(/^resource team-a\/\*\* +@1 /m);
    expect((await adyton("policy get attestation --path team-a/**")).exit).toBe(1);
    expect((await adyton("policy delete team-a/**")).exit).toBe(5);
    const [next] = (await adyton("proposal list --json", second)).answer().proposals;
    expect((await adyton(`proposal show ${next.id}`, second)).stdout).toMatch(
      /take the policy resource:team-a\/\*\* away[\s\S]*^-allow if true$/m,
    );
    expect((await adyton(`proposal reject ${next.id} --json`, second)).answer()).toMatchObject({
      state: "rejected",
    });
  });
});
