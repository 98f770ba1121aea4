// SPDX-License-Identifier: Apache-2.0
// The commands that run trust services and talk to them, against services that really run.

import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BufferIo, type BufferIoOptions, createBufferIo } from "../buffer-io.ts";
import type { Io } from "../io.ts";
import { run } from "../main.ts";
import { thisProgram } from "./local-tee.ts";

interface Deferred {
  readonly promise: Promise<void>;
  readonly resolve: () => void;
}

/** A promise, and what fulfils it. */
function deferred(): Deferred {
  let resolve: () => void = () => {};
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
}

const SECRET = new Uint8Array([0, 1, 2, 253, 254, 255, 10]);
const NAME = "default/test/secret";

let folder: string;
let dir: string;
let url: string;
let stop: () => void;
let ended: Promise<number>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-cli-"));
  dir = join(folder, "state");
  const { promise: interruption, resolve } = deferred();
  stop = resolve;
  const io = createBufferIo({ interruption });
  const started = firstWrite(io);
  ended = run(["up", "--dev", "--port", "0", "--dir", dir, "--json"], started.io);
  await Promise.race([started.written, ended]);
  ({ url } = JSON.parse(io.output().stdout));
});

afterAll(async () => {
  stop();
  await ended;
  await rm(folder, { recursive: true, force: true });
});

/** The same Io, and a promise of the first thing written to its stdout. */
function firstWrite(io: BufferIo): { io: Io; written: Promise<void> } {
  const { promise: written, resolve } = deferred();
  const write = (chunk: string | Uint8Array): void => {
    io.stdout.write(chunk);
    resolve();
  };
  return { io: { ...io, stdout: { ...io.stdout, write } }, written };
}

async function adyton(argv: readonly string[], options: BufferIoOptions = {}) {
  const io = createBufferIo({ cwd: folder, env: { ADYTON_DIR: dir }, ...options });
  const exit = await run(argv, io);
  return { exit, ...io.output(), answer: () => JSON.parse(io.output().stdout) };
}

describe("adyton up", () => {
  it("says where everything is, and keeps it private", async () => {
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    expect((await readFile(join(dir, "url"), "utf8")).trim()).toBe(url);
    for (const file of ["admin.token", "url", "software-tee/keys.pem"]) {
      expect((await stat(join(dir, file))).mode & 0o077).toBe(0);
    }
  });

  it("for people: the first lines, the next commands, and a clean stop", async () => {
    const { promise: interruption, resolve } = deferred();
    const io = createBufferIo({ interruption, cwd: folder });
    const started = firstWrite(io);
    const exit = run(["up", "--port", "0", "--dir", "other"], started.io);
    await started.written;
    expect(io.output().stdout).toMatch(/^UP {2}http:\/\/127\.0\.0\.1:/);
    expect(io.output().stdout).toContain("hardware evidence only");
    resolve();
    expect(await exit).toBe(0);
    expect(io.output().stderr).toContain("Stopped.");
    await expect(stat(join(folder, "other", "url"))).rejects.toThrow("ENOENT");
  });

  it("exits 6 when the port is taken", async () => {
    const { port } = new URL(url);
    const { exit, answer } = await adyton(["up", "--port", port, "--dir", "third", "--json"]);
    expect(exit).toBe(6);
    expect(answer().error.code).toBe("LISTEN_FAILED");
  });

  it.each(["-1", "70000", "http"])("exits 1 for port %s", async (port) => {
    expect((await adyton(["up", `--port=${port}`])).exit).toBe(1);
  });
});

describe("adyton secret, in the order of a secret's life", () => {
  it("put", async () => {
    const { exit, answer } = await adyton(["secret", "put", NAME, "--json"], { stdin: SECRET });
    expect(exit).toBe(0);
    expect(answer()).toEqual({ name: NAME, bytes: SECRET.length });
  });

  it("list", async () => {
    const { exit, stdout } = await adyton(["secret", "list"]);
    expect([exit, stdout]).toEqual([0, `${NAME}\n`]);
  });

  it("get is refused while nobody vouched for this program", async () => {
    const { exit, stdout, stderr } = await adyton(["secret", "get", NAME, "--tee", "sample"]);
    expect([exit, stdout]).toEqual([5, ""]);
    expect(stderr).toContain("launch_digest");
    expect(stderr).toMatch(/^Next: .*launch_digest/m);
  });

  it("reference set vouches for it", async () => {
    const measured = await adyton(["sample", "measure", thisProgram()]);
    expect(measured.stdout).toMatch(/^[0-9a-f]{96}\n$/);
    const digest = measured.stdout.trim();
    const { exit, answer } = await adyton(["reference", "set", "launch_digest", digest, "--json"]);
    expect(exit).toBe(0);
    expect(answer()).toEqual({ id: "launch_digest", values: [digest] });
  });

  it("get on stdout, byte by byte", async () => {
    const { exit, stdoutBytes, stderr } = await adyton(["secret", "get", NAME, "--tee", "sample"]);
    expect(exit).toBe(0);
    expect([...stdoutBytes]).toEqual([...SECRET]);
    expect(stderr).toContain("simulated");
  });

  it("get into a file that only its owner can read, even over an open one", async () => {
    await writeFile(join(folder, "out.bin"), "old", { mode: 0o644 });
    const { exit, answer } = await adyton([
      "secret",
      "get",
      NAME,
      "--tee=sample",
      "--out",
      "out.bin",
      "--json",
    ]);
    expect(exit).toBe(0);
    expect(answer()).toEqual({ name: NAME, bytes: SECRET.length, out: "out.bin" });
    expect([...(await readFile(join(folder, "out.bin")))]).toEqual([...SECRET]);
    expect((await stat(join(folder, "out.bin"))).mode & 0o777).toBe(0o600);
  });

  it("get never shows a secret on a terminal, unless forced", async () => {
    const refused = await adyton(["secret", "get", NAME, "--tee", "sample"], { isTTY: true });
    expect([refused.exit, refused.stdout]).toEqual([1, ""]);
    expect(refused.stderr).toContain("SECRET_TO_TERMINAL");
    const forced = await adyton(["secret", "get", NAME, "--tee", "sample", "--force"], { isTTY: true });
    expect(forced.exit).toBe(0);
  });

  it("get puts no secret into JSON", async () => {
    const { exit, answer } = await adyton(["secret", "get", NAME, "--json"]);
    expect(exit).toBe(1);
    expect(answer().error.code).toBe("MISSING_VALUE");
  });

  it("delete, once", async () => {
    expect((await adyton(["secret", "delete", NAME])).exit).toBe(0);
    expect((await adyton(["secret", "delete", NAME])).exit).not.toBe(0);
    expect((await adyton(["secret", "list", "--json"])).answer()).toEqual({ names: [] });
  });

  it("restore brings it back under the name that was kept, versions shows what there is", async () => {
    const refused = await adyton(["secret", "put", NAME, "--json"], { stdin: SECRET });
    expect(refused.exit).toBe(1);
    expect(refused.answer().error.message).toContain("adyton secret restore");
    expect((await adyton(["secret", "versions", NAME])).stderr).toMatch(/^Deleted 20/);
    expect((await adyton(["secret", "restore", NAME, "--json"])).answer()).toEqual({
      name: NAME,
      restored: true,
    });
    await adyton(["secret", "put", NAME], { stdin: SECRET });
    const { versions } = (await adyton(["secret", "versions", NAME, "--json"])).answer();
    expect(versions).toMatchObject([
      { version: 2, bytes: SECRET.length },
      { version: 1, bytes: SECRET.length },
    ]);
    expect((await adyton(["secret", "versions", NAME])).stdout).toMatch(/^2 {2}20\S+ +7 bytes\n1 /);
  });

  it("get an older version", async () => {
    await adyton(["secret", "put", NAME], { stdin: new Uint8Array([1]) });
    const of = async (...more: string[]) =>
      (await adyton(["secret", "get", NAME, "--tee", "sample", ...more])).stdoutBytes;
    expect([...(await of())]).toEqual([1]);
    expect([...(await of("--version", "1"))]).toEqual([...SECRET]);
    expect((await adyton(["secret", "get", NAME, "--version", "x"])).exit).toBe(1);
  });

  it("purge, only of what is deleted, and then it is gone", async () => {
    expect((await adyton(["secret", "purge", NAME])).exit).toBe(1);
    await adyton(["secret", "delete", NAME]);
    expect(await adyton(["secret", "purge", NAME])).toMatchObject({ exit: 0, stderr: `Purged ${NAME}\n` });
    expect((await adyton(["secret", "restore", NAME])).exit).toBe(1);
    expect((await adyton(["secret", "versions", NAME])).exit).toBe(1);
  });
});

describe("adyton key", () => {
  it("makes, rotates, encrypts, and deletes when that is meant", async () => {
    const made = await adyton(["key", "create", "orders", "--json"]);
    expect(made.answer()).toMatchObject({ name: "orders", latestVersion: 1, derived: false });
    expect(await adyton(["key", "list"])).toMatchObject({ exit: 0, stdout: "orders\n" });
    const { stdout } = await adyton(["key", "encrypt", "orders"], { stdin: SECRET });
    expect(stdout).toMatch(/^vault:v1:[A-Za-z0-9+/=]+\n$/);
    const rotated = await adyton(["key", "rotate", "orders", "--min-version", "2"]);
    expect(rotated.stdout).toMatch(/^orders {2}version 2 {2}decrypts from 2/);
    expect((await adyton(["key", "show", "orders", "--json"])).answer()).toMatchObject({ latestVersion: 2 });
    expect((await adyton(["key", "delete", "orders"])).exit).toBe(1);
    expect((await adyton(["key", "delete", "orders", "--force"])).exit).toBe(0);
    expect((await adyton(["key", "list", "--json"])).answer()).toEqual({ keys: [] });
  });

  it.each([
    ["a key that is not there", ["show", "none"]],
    ["a version that is none", ["rotate", "none", "--min-version", "x"]],
  ])("refuses %s", async (_name, argv) => {
    expect((await adyton(["key", ...argv])).exit).toBe(1);
  });
});

describe("adyton secret, for people", () => {
  it("tells what it did on stderr, with nothing on stdout", async () => {
    await writeFile(join(folder, "in.bin"), SECRET);
    const put = await adyton(["secret", "put", "default/people/one", "in.bin"]);
    expect(put).toMatchObject({ exit: 0, stdout: "", stderr: "Stored 7 bytes as default/people/one\n" });
    const gone = await adyton(["secret", "delete", "default/people/one", "--json"]);
    expect(gone.answer()).toEqual({ name: "default/people/one", deleted: true });
  });
});

describe("adyton reference", () => {
  it("sets numbers as number and text, lists, deletes", async () => {
    expect((await adyton(["reference", "set", "snp_bootloader", "3, 4,abc,true"])).exit).toBe(0);
    const listed = await adyton(["reference", "list", "--json"]);
    expect(listed.answer().referenceValues.snp_bootloader).toEqual([3, "3", 4, "4", "abc", true]);
    expect((await adyton(["reference", "list"])).stdout).toContain("snp_bootloader");
    expect((await adyton(["reference", "delete", "snp_bootloader"])).exit).toBe(0);
    expect((await adyton(["reference", "list"])).stdout).not.toContain("snp_bootloader");
  });
  it("refuses an empty value", async () => {
    expect((await adyton(["reference", "set", "mr_td", "aa,"])).exit).toBe(1);
  });

  it("adds documents, shows who vouches, and takes values back", async () => {
    const file = join(folder, "known.json");
    await writeFile(file, '{"mr_td": ["aa", "bb"], "isv_svn": 3}');
    const added = await adyton([
      "reference",
      "add",
      file,
      "--group",
      "v1",
      "--expires",
      "2099-01-01",
      "--json",
    ]);
    expect(added.answer()).toEqual({ type: "sample", ids: ["mr_td", "isv_svn"], revoked: [] });
    const { stdout } = await adyton(["reference", "show", "mr_td"]);
    expect(stdout).toMatch(/^"aa"\s+live\s+json: .*unsigned.*until 2099-01-01T00:00:00.000Z\s+group v1/);
    await adyton(["reference", "revoke", "mr_td", "aa", "--reason", "CVE"]);
    await adyton(["reference", "revoke", "isv_svn", "3"]);
    const listed = async (...more: string[]) =>
      (await adyton(["reference", "list", "--group", "v1", "--json", ...more])).answer().referenceValues;
    expect(await listed("--status", "live")).toEqual({ mr_td: ["bb"] });
    expect((await adyton(["reference", "show", "mr_td"])).stdout).toContain("CVE");
    await adyton(["reference", "revoke", "isv_svn", "3", "--undo"]);
    expect(await listed("--status", "live")).toEqual({ mr_td: ["bb"], isv_svn: [3] });
    expect((await adyton(["reference", "revoke", "isv_svn", "--undo"])).exit).toBe(1);
    await adyton(["reference", "expire", "isv_svn", "3"]);
    expect(await listed("--status", "expired")).toEqual({ isv_svn: [3] });
    await adyton(["reference", "group", "disable", "v1"]);
    expect(await listed("--status", "live")).toEqual({});
    expect((await adyton(["reference", "group", "list"])).stdout).toMatch(/v1\s+3 values\s+disabled/);
    await adyton(["reference", "group", "enable", "v1"]);
    expect(await listed("--status", "live")).toEqual({ mr_td: ["bb"] });
    expect((await adyton(["reference", "group", "delete", "v1"])).exit).toBe(0);
    expect((await adyton(["reference", "group", "delete", "v2"])).exit).toBe(1);
    expect(await listed()).toEqual({});
  });

  it.each<readonly [what: string, argv: readonly string[], code: string]>([
    ["of nothing", [], "MISSING_VALUE"],
    ["of an id and a key", ["svn", "--voucher", "00".repeat(32)], "INVALID_VALUE"],
    ["of a key that vouches for nothing", ["--voucher", "00".repeat(32)], "RESOURCE_MISSING"],
    ["of what is no key", ["--voucher", "00"], "INVALID_REFERENCE_ID"],
  ])("revoke refuses values %s", async (_, argv, code) => {
    const { exit, answer } = await adyton(["reference", "revoke", ...argv, "--json"]);
    expect([exit, answer().error.code]).toEqual([1, code]);
  });

  it.each<readonly [string, string, readonly string[], number]>([
    ["provenance that is none", '{"mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json"}', [], 2],
    ["a manifest that nobody signed", "<SoftwareIdentity/>", [], 3],
    ["what is no CoRIM", "\u0000", [], 2],
    ["a subject that is none", "{}", ["--subject", "a"], 1],
    ["a time that is none", "{}", ["--expires", "soon"], 1],
  ])("does not add %s", async (_what, text, more, exit) => {
    const file = join(folder, "document");
    await writeFile(file, text);
    expect((await adyton(["reference", "add", file, ...more])).exit).toBe(exit);
  });
});

describe("adyton attest", () => {
  it("alone: evidence that binds what was asked, and verifies under the software TEE's root", async () => {
    const argv = ["attest", "--tee", "sample", "--report-data", "00ff", "--out", "e.json", "--json"];
    const { exit, answer } = await adyton(argv);
    expect(exit).toBe(0);
    expect(answer().tee).toBe("sample");
    const root = join(dir, "software-tee", "root.pem");
    const verify = ["evidence", "verify", "e.json", "--root", root, "--json", "--report-data"];
    const verified = await adyton([...verify, "00ff"]);
    expect(verified.exit).toBe(0);
    expect(verified.answer()).toMatchObject({ verdict: "verified", simulated: true, tee: "sample" });
    expect((await adyton([...verify, "00fe"])).exit).toBe(3);
    const envelope = new TextEncoder().encode(JSON.stringify(answer()));
    const again = ["evidence", "verify", "-", "--root", root, "--json"];
    expect((await adyton(again, { stdin: envelope })).exit).toBe(0);
  });

  it("with services: what they say", async () => {
    const { exit, answer } = await adyton(["attest", "--tee", "sample", "--url", url, "--json"]);
    expect(exit).toBe(0);
    expect(answer().claims["adyton.simulated"]).toBe(true);
    const people = await adyton(["attest", "--tee", "sample", "--url", url]);
    expect(people.stdout).toMatch(/^ATTESTED {2}as sample at /);
    expect(people.stdout).toContain("SIMULATED");
  });

  it.each([
    ["report data and services", ["--url", "http://127.0.0.1:1", "--report-data", "00"]],
    ["too much report data", ["--report-data", "00".repeat(65)]],
    ["no URL", ["--url", "localhost:8080"]],
  ])("refuses %s", async (_name, more) => {
    expect((await adyton(["attest", "--tee", "sample", ...more])).exit).toBe(1);
  });

  it("exits 6 for a TEE that is not here", async () => {
    const { exit, answer } = await adyton(["attest", "--tee", "snp", "--json"]);
    expect([exit, answer().error.code]).toEqual([6, "TEE_UNAVAILABLE"]);
  });
});

describe("adyton sample run", () => {
  it("ends as the program ends, and hands it the services' URL", async () => {
    const program = join(folder, "program.mjs");
    await writeFile(program, "process.exit(process.env.ADYTON_URL === process.argv[2] ? 7 : 8);\n");
    const { exit, answer } = await adyton(["sample", "run", program, "--json", "--", url]);
    expect(exit).toBe(7);
    expect(answer()).toMatchObject({ code: 7, signal: null });
    expect(answer().launchDigest).toMatch(/^[0-9a-f]{96}$/);
  });
  it("exits 1 for a program that is not there", async () => {
    expect((await adyton(["sample", "run", "nothing.mjs"])).exit).toBe(1);
  });
});

describe("services that are not there, tokens that are wrong", () => {
  const nowhere = ["--url", "http://127.0.0.1:9"];
  it.each([
    ["secret put", ["secret", "put", NAME, "-", ...nowhere], 6],
    ["secret list", ["secret", "list", ...nowhere], 6],
    ["reference list", ["reference", "list", ...nowhere], 6],
    ["no token", ["secret", "list", "--dir", "elsewhere"], 1],
    ["an invalid name", ["secret", "put", "../../etc/passwd", "-"], 1],
  ] as const)("%s", async (_name, argv, exit) => {
    const result = await adyton([...argv, "--json"], { stdin: SECRET });
    expect(result.exit).toBe(exit);
  });

  it("says where it looked for the token", async () => {
    const { answer } = await adyton(["secret", "list", "--dir", "elsewhere", "--json"]);
    expect(answer().error.code).toBe("ADMIN_TOKEN_MISSING");
    expect(answer().error.message).toContain("elsewhere");
  });

  it("exits 6 for a file that cannot be written", async () => {
    const { exit, answer } = await adyton(["attest", "--tee", "sample", "--out", "no/such/folder", "--json"]);
    expect([exit, answer().error.code]).toEqual([6, "FILE_NOT_WRITABLE"]);
  });

  it("a wrong token exits 3", async () => {
    await writeFile(join(folder, "wrong.token"), "A".repeat(43));
    const { exit, answer } = await adyton(["secret", "list", "--token-file", "wrong.token", "--json"]);
    expect(exit).toBe(3);
    expect(answer().error.message).toMatch(/^Cannot /);
  });
});

describe("adyton policy set, get, list", () => {
  const POLICY = "package policy\n\ndefault allow := false\n";
  const TESTS = "package policy_test\n\ntest_denied if not data.policy.allow\n";

  it("puts a policy in force with its tests, prints and lists it", async () => {
    await writeFile(join(folder, "resource.rego"), POLICY);
    await writeFile(join(folder, "resource_test.rego"), TESTS);
    const done = await adyton(["policy", "set", "resource", "resource.rego"]);
    expect(done).toMatchObject({
      exit: 0,
      stderr: "Set policy resource, tested with resource_test.rego\n",
    });
    expect(await adyton(["policy", "get", "resource"])).toMatchObject({ exit: 0, stdout: POLICY });
    const listed = await adyton(["policy", "list", "--json"]);
    expect(listed.answer().policies).toMatchObject([{ name: "resource", version: 1 }]);
    expect((await adyton(["policy", "list"])).stdout).toMatch(/^resource {2}@1 /);
    await writeFile(join(folder, "resource.rego"), "package policy\n\nallow := true\n");
    const failed = await adyton(["policy", "set", "resource", "resource.rego"]);
    expect(failed.exit).toBe(1);
    expect(failed.stderr).toContain("data.policy_test.test_denied");
    expect((await adyton(["policy", "get", "resource"])).stdout).toBe(POLICY);
  });

  it("tells where a policy is wrong, and which names there are", async () => {
    await writeFile(join(folder, "bad.rego"), "package policy\nallow if x > 1\n");
    const bad = await adyton(["policy", "set", "attestation", "bad.rego"]);
    expect(bad.exit).toBe(1);
    expect(bad.stderr).toMatch(/attestation\.rego:2:\d+: error .*unsafe/);
    const unknown = await adyton(["policy", "set", "mine", "bad.rego"]);
    expect(unknown).toMatchObject({ exit: 1, stderr: expect.stringContaining("attestation_cpu") });
    expect(await adyton(["policy", "get", "attestation"])).toMatchObject({ exit: 1, stdout: "" });
  });
});
