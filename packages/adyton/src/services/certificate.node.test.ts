// SPDX-License-Identifier: Apache-2.0
// A certificate in one command, and keys that never leave, against services that really run.

import { execFileSync } from "node:child_process";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type BufferIoOptions, createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";
import { thisProgram } from "./local-tee.ts";

let folder: string;
let stop = (): void => {};
let ended: Promise<number>;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-cli-"));
  const interruption = new Promise<void>((resolve) => {
    stop = resolve;
  });
  const env = { ADYTON_BROKER__PLUGINS__CA__TRUST_DOMAIN: "example.org" };
  const io = createBufferIo({ interruption, env });
  const written = new Promise<void>((resolve) => {
    const write = (chunk: string | Uint8Array): void => {
      io.stdout.write(chunk);
      resolve();
    };
    ended = run(["up", "--dev", "--port", "0", "--dir", join(folder, "state"), "--json"], {
      ...io,
      stdout: { ...io.stdout, write },
    });
  });
  await Promise.race([written, ended]);
  const digest = (await adyton(["sample", "measure", thisProgram()])).stdout.trim();
  expect((await adyton(["reference", "set", "launch_digest", digest])).exit).toBe(0);
  expect((await adyton(["key", "create", "orders"])).exit).toBe(0);
});

afterAll(async () => {
  stop();
  await ended;
  await rm(folder, { recursive: true, force: true });
});

async function adyton(argv: readonly string[], options: BufferIoOptions = {}) {
  const io = createBufferIo({ cwd: folder, env: { ADYTON_DIR: join(folder, "state") }, ...options });
  const exit = await run(argv, io);
  return { exit, ...io.output(), answer: () => JSON.parse(io.output().stdout) };
}

describe("adyton certificate get", () => {
  const GET = ["certificate", "get", "payments/api", "--tee", "sample"];

  it("writes a key, its certificate and the root, which openssl verifies", async () => {
    const { exit, answer } = await adyton([...GET, "--out-dir", "tls/new", "--json"]);
    expect(exit).toBe(0);
    expect(answer()).toMatchObject({
      spiffeId: "spiffe://example.org/payments/api",
      key: "tls/new/key.pem",
      certificate: "tls/new/cert.pem",
      roots: "tls/new/ca.pem",
    });
    const file = (name: string) => join(folder, "tls/new", name);
    const args = ["verify", "-x509_strict", "-CAfile", file("ca.pem"), file("cert.pem")];
    expect(execFileSync("openssl", args, { encoding: "utf8" })).toContain("OK");
    const key = createPrivateKey(await readFile(file("key.pem")));
    expect(new X509Certificate(await readFile(file("cert.pem"))).checkPrivateKey(key)).toBe(true);
    expect((await stat(file("key.pem"))).mode & 0o777).toBe(0o600);
  });

  it("replaces an older one, with a new key", async () => {
    const before = await readFile(join(folder, "tls/new/key.pem"), "utf8");
    const { exit, stdout, stderr } = await adyton([...GET, "--out-dir", "tls/new"]);
    expect([exit, stdout]).toEqual([0, ""]);
    expect(stderr).toContain("spiffe://example.org/payments/api");
    expect(await readFile(join(folder, "tls/new/key.pem"), "utf8")).not.toBe(before);
    expect(stderr).not.toContain("PRIVATE KEY");
  });

  it.each<readonly [what: string, argv: readonly string[], exit: number, code: string]>([
    ["no folder", GET, 1, "MISSING_VALUE"],
    ["a folder that is a file", [...GET, "--out-dir", "state/url"], 6, "FILE_NOT_WRITABLE"],
    [
      "a name that climbs",
      ["certificate", "get", "a/../b", "--out-dir", "x", "--tee", "sample"],
      1,
      "INVALID_NAME",
    ],
    ["a CA that is not there", [...GET, "--out-dir", "x", "--plugin", "none"], 1, "RESOURCE_MISSING"],
    [
      "a DNS name that is not given out",
      [...GET, "--out-dir", "x", "--dns", "bank.example"],
      2,
      "REQUEST_REFUSED",
    ],
  ])("refuses %s", async (_, argv, exit, code) => {
    const said = await adyton([...argv, "--json"]);
    expect([said.exit, said.answer().error.code]).toEqual([exit, code]);
  });
});

describe("adyton key, attested", () => {
  it("decrypts what the administrator encrypted", async () => {
    const stdin = new Uint8Array([0, 255, 10]);
    const { stdout } = await adyton(["key", "encrypt", "orders"], { stdin });
    await writeFile(join(folder, "order.enc"), stdout);
    const { exit, stdoutBytes } = await adyton(["key", "decrypt", "orders", "order.enc", "--tee", "sample"]);
    expect([exit, ...stdoutBytes]).toEqual([0, ...stdin]);
  });

  it("makes a data key, which its ciphertext gives again", async () => {
    const args = ["--tee", "sample", "--out"];
    const made = await adyton(["key", "datakey", "orders", "--bits", "512", ...args, "data.key"]);
    expect(made.exit).toBe(0);
    const key = await readFile(join(folder, "data.key"));
    expect([key.length, (await stat(join(folder, "data.key"))).mode & 0o777]).toEqual([64, 0o600]);
    const stdin = new TextEncoder().encode(made.stdout);
    const again = await adyton(["key", "decrypt", "orders", "-", ...args, "again.key", "--json"], { stdin });
    expect(again.answer()).toEqual({ name: "orders", bytes: 64, out: "again.key" });
    expect(await readFile(join(folder, "again.key"))).toEqual(key);
  });

  it.each<readonly [what: string, argv: readonly string[], options: BufferIoOptions, code: string]>([
    ["a data key for nobody", ["datakey", "orders", "--json"], {}, "MISSING_VALUE"],
    ["a secret in JSON", ["decrypt", "orders", "order.enc", "--json"], {}, "MISSING_VALUE"],
    [
      "what is no ciphertext",
      ["decrypt", "orders", "-", "--out", "x", "--json"],
      { stdin: new Uint8Array([255]) },
      "INVALID_VALUE",
    ],
    [
      "a key that is not there",
      ["datakey", "none", "--out", "x", "--tee", "sample", "--json"],
      {},
      "RESOURCE_MISSING",
    ],
  ])("refuses %s", async (_, argv, options, code) => {
    const { exit, answer } = await adyton(["key", ...argv], options);
    expect([exit, answer().error.code]).toEqual([1, code]);
  });

  it("shows no plaintext on a terminal", async () => {
    const said = await adyton(["key", "decrypt", "orders", "order.enc", "--tee", "sample"], { isTTY: true });
    expect([said.exit, said.stdout]).toEqual([1, ""]);
    expect(said.stderr).toContain("Cannot show a secret on a terminal");
  });
});
