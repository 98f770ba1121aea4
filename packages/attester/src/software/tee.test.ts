// SPDX-License-Identifier: Apache-2.0
import { createHash } from "node:crypto";
import { once } from "node:events";
import { appendFile, chmod, mkdir, mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fromUtf8, toHex } from "@adyton/core/bytes";
import { parseCertificates } from "@adyton/core/x509";
import { verifyEvidence } from "@adyton/evidence";
import { codeOfAsync } from "@adyton/testing";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CRASHER, programIn, TALKER, WAITER } from "../../test/programs.ts";
import { sampleAttester } from "../sample/attester.ts";
import { encodeRequest, parseAnswer } from "../sample/protocol.ts";
import { type LaunchedProgram, type LaunchOptions, openSoftwareTee, type SoftwareTee } from "./tee.ts";

const NOW = new Date();
const REPORT_DATA = new Uint8Array(64).fill(0x5a);
const REQUEST = encodeRequest(REPORT_DATA);

let base = "";
let tee: SoftwareTee;
beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "adyton-test-"));
  tee = await openSoftwareTee({ dir: join(base, "tee"), now: () => NOW });
});
afterAll(() => rm(base, { recursive: true, force: true }));

/** Everything launched, so that nothing outlives a test that fails. */
const running: LaunchedProgram[] = [];
async function launch(from: SoftwareTee, options: LaunchOptions): Promise<LaunchedProgram> {
  const launched = await from.launch(options);
  running.push(launched);
  return launched;
}
afterEach(async () => {
  await Promise.all(running.splice(0).map((launched) => launched.stop()));
});

/** What the launched TALKER was told, line by line. */
async function answersOf(launched: LaunchedProgram): Promise<string[]> {
  const { stdout } = launched.process;
  if (stdout === null) throw new Error("the program has no pipe");
  const output = await text(stdout);
  await launched.exited;
  return output.trimEnd().split("\n");
}

/** The socket of a launched WAITER. */
async function socketOf(launched: LaunchedProgram): Promise<string> {
  const { stdout } = launched.process;
  if (stdout === null) throw new Error("the program has no pipe");
  const [line] = (await once(createInterface(stdout), "line")) as [string];
  return line;
}

const launchDigestIn = async (evidence: Uint8Array): Promise<unknown> =>
  (await verifyEvidence(evidence, { now: NOW, roots: [tee.root], reportData: REPORT_DATA })).claims
    .launch_digest;

describe("a launched program", () => {
  it("gets evidence of its own measurement", async () => {
    const program = await programIn(base, "talker.mjs", TALKER);
    const launched = await launch(tee, { program, args: [REQUEST], stdio: "pipe" });
    const [answer = ""] = await answersOf(launched);
    const digest = createHash("sha384")
      .update(await readFile(program))
      .digest("hex");
    expect(launched.launchDigest).toBe(digest);
    expect(await tee.measure(program)).toBe(digest);
    expect(await launchDigestIn(parseAnswer(fromUtf8(answer)))).toBe(digest);
    expect(await launched.exited).toEqual({ code: 0, signal: null });
  });

  it("gets another digest when it was tampered with", async () => {
    const program = await programIn(base, "tampered.mjs", TALKER);
    const before = await tee.measure(program);
    await appendFile(program, "\n// one more line\n");
    const launched = await launch(tee, { program, args: [REQUEST], stdio: "pipe" });
    const [answer = ""] = await answersOf(launched);
    expect(launched.launchDigest).not.toBe(before);
    expect(await launchDigestIn(parseAnswer(fromUtf8(answer)))).toBe(launched.launchDigest);
  });

  it("cannot choose its digest, or say anything but report data", async () => {
    const program = await programIn(base, "chooser.mjs", TALKER);
    const attempts = [
      REQUEST.replace("{", `{"launchDigest":"${"00".repeat(48)}",`),
      "not JSON\n",
      `${"x".repeat(2000)}\n`,
      `${REQUEST}${REQUEST}`,
      '{"version":"1","reportData":"AAAA"}\n',
    ];
    const answers = await answersOf(await launch(tee, { program, args: attempts, stdio: "pipe" }));
    expect(answers).toHaveLength(attempts.length);
    for (const answer of answers) {
      expect(JSON.parse(answer)).toMatchObject({ error: { code: "INVALID_MESSAGE" } });
    }
  });

  it("is refused once its file is another", async () => {
    const program = await programIn(base, "changing.mjs", WAITER);
    const launched = await launch(tee, { program, stdio: "pipe" });
    const attester = sampleAttester.create({ env: { ADYTON_SAMPLE_TEE: await socketOf(launched) } });
    await attester.collect(REPORT_DATA);
    await appendFile(program, " ");
    await expect(attester.collect(REPORT_DATA)).rejects.toMatchObject({
      code: "EVIDENCE_REFUSED",
      detail: { code: "PROGRAM_CHANGED" },
    });
    await rm(program);
    await expect(attester.collect(REPORT_DATA)).rejects.toMatchObject({
      detail: { code: "PROGRAM_NOT_READABLE" },
    });
    await launched.stop();
  });

  it("is the file that a link names, not the link", async () => {
    const program = await programIn(base, "target.mjs", TALKER);
    const link = join(base, "link.mjs");
    await symlink(program, link);
    const launched = await launch(tee, { program: link, args: [REQUEST], stdio: "pipe" });
    await answersOf(launched);
    expect(launched.launchDigest).toBe(await tee.measure(program));
    expect(launched.process.spawnargs).toContain(program);
  });

  it("may be any executable", async () => {
    const program = await programIn(base, "hello.sh", '#!/bin/sh\necho "$GREETING $1"\n');
    await chmod(program, 0o700);
    const launched = await launch(tee, { program, args: ["you"], env: { GREETING: "hello" }, stdio: "pipe" });
    expect(await answersOf(launched)).toEqual(["hello you"]);
  });

  it("does not inherit options that load other code", async () => {
    const program = await programIn(base, "options.mjs", 'console.log(process.env.NODE_OPTIONS ?? "none");');
    const before = process.env.NODE_OPTIONS;
    process.env.NODE_OPTIONS = "--no-warnings";
    try {
      expect(await answersOf(await launch(tee, { program, stdio: "pipe" }))).toEqual(["none"]);
    } finally {
      if (before === undefined) delete process.env.NODE_OPTIONS;
      else process.env.NODE_OPTIONS = before;
    }
  });

  it("carries init-data and debug as its launcher says", async () => {
    const program = await programIn(base, "debugged.mjs", TALKER);
    const initData = new Uint8Array(48).fill(7);
    const launched = await launch(tee, { program, args: [REQUEST], stdio: "pipe", initData, debug: true });
    const [answer = ""] = await answersOf(launched);
    const verified = await verifyEvidence(parseAnswer(fromUtf8(answer)), { now: NOW, roots: [tee.root] });
    expect(verified.debug).toBe(true);
    expect(toHex(verified.initDataField ?? new Uint8Array(0))).toBe(`${"07".repeat(48)}${"00".repeat(16)}`);
  });
});

describe("the socket", () => {
  it("is private and goes with its program", async () => {
    const program = await programIn(base, "waiter.mjs", WAITER);
    const launched = await launch(tee, { program, stdio: "pipe" });
    const path = await socketOf(launched);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    const attester = sampleAttester.create({ env: { ADYTON_SAMPLE_TEE: path } });
    expect(await attester.probe()).toMatchObject({ available: true });
    await launched.stop();
    expect(await launched.exited).toEqual({ code: null, signal: "SIGTERM" });
    expect(await attester.probe()).toMatchObject({ available: false });
    await expect(stat(dirname(path))).rejects.toHaveProperty("code", "ENOENT");
    await expect(attester.collect(REPORT_DATA)).rejects.toMatchObject({
      code: "TEE_UNAVAILABLE",
      category: "unavailable",
    });
  });

  it("goes when its program crashes with a request in flight", async () => {
    const program = await programIn(base, "crasher.mjs", CRASHER);
    const launched = await launch(tee, { program, args: [REQUEST], stdio: "ignore" });
    expect(await launched.exited).toEqual({ code: null, signal: "SIGKILL" });
  });

  it("keeps two programs apart", async () => {
    const programs = [
      await programIn(base, "one.mjs", WAITER),
      await programIn(base, "two.mjs", `${WAITER}//`),
    ];
    const launched = await Promise.all(programs.map((program) => launch(tee, { program, stdio: "pipe" })));
    const paths = await Promise.all(launched.map(socketOf));
    expect(new Set(paths).size).toBe(2);
    const digests = await Promise.all(
      paths.map(async (path) => {
        const attester = sampleAttester.create({ env: { ADYTON_SAMPLE_TEE: path } });
        return launchDigestIn((await attester.collect(REPORT_DATA)).evidence);
      }),
    );
    expect(digests).toEqual(launched.map(({ launchDigest }) => launchDigest));
    await Promise.all(launched.map((each) => each.stop()));
  });

  it("gives up a program that says nothing", async () => {
    const impatient = await openSoftwareTee({ dir: join(base, "tee"), now: () => NOW, idle: 20 });
    const program = await programIn(base, "silent.mjs", WAITER);
    const launched = await launch(impatient, { program, stdio: "pipe" });
    const socket = connect({ path: await socketOf(launched) });
    const answer = JSON.parse(await text(socket)) as unknown;
    expect(answer).toMatchObject({ error: { code: "INVALID_MESSAGE" } });
    await launched.stop();
  });

  it("answers many requests at once, and goes on after broken ones", async () => {
    const program = await programIn(base, "busy.mjs", WAITER);
    const launched = await launch(tee, { program, stdio: "pipe" });
    const path = await socketOf(launched);
    const attester = sampleAttester.create({ env: { ADYTON_SAMPLE_TEE: path } });
    const broken = connect({ path });
    await once(broken, "connect");
    broken.destroy();
    const envelopes = await Promise.all(Array.from({ length: 10 }, () => attester.collect(REPORT_DATA)));
    for (const { evidence } of envelopes) expect(await launchDigestIn(evidence)).toBe(launched.launchDigest);
    await launched.stop();
  });
});

describe("the sample attester", () => {
  /** A launcher that answers every connection with these bytes and hangs up. */
  async function against(answer: string | Uint8Array, use: (path: string) => Promise<void>): Promise<void> {
    const path = join(base, "fake.sock");
    const server = createServer((socket) => {
      socket.on("error", () => undefined);
      socket.resume().end(answer);
    });
    server.listen(path);
    await once(server, "listening");
    try {
      await use(path);
    } finally {
      server.close();
      await once(server, "close");
    }
  }

  it.each<[what: string, answer: string | Uint8Array, code: string]>([
    ["hangs up", "", "INVALID_MESSAGE"],
    ["ends early", '{"evidence":"AAAA"', "INVALID_MESSAGE"],
    ["says no JSON", "hello\n", "INVALID_MESSAGE"],
    ["says too much", "x".repeat(200_000), "INVALID_MESSAGE"],
    ["says no UTF-8", Uint8Array.of(0xff, 0x0a), "INVALID_MESSAGE"],
    ["refuses", '{"error":{"code":"X","message":"no"}}\n', "EVIDENCE_REFUSED"],
  ])("survives a launcher that %s", async (_what, answer, code) => {
    await against(answer, async (path) => {
      const attester = sampleAttester.create({ env: { ADYTON_SAMPLE_TEE: path } });
      expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe(code);
    });
  });

  it("is not available outside a software TEE", async () => {
    const attester = sampleAttester.create({ env: {} });
    expect(await attester.probe()).toMatchObject({
      available: false,
      next: expect.stringContaining("openSoftwareTee"),
    });
    expect(await codeOfAsync(() => attester.collect(REPORT_DATA))).toBe("TEE_UNAVAILABLE");
    const tooLong = sampleAttester.create({ env: { ADYTON_SAMPLE_TEE: `/tmp/${"x".repeat(120)}` } });
    expect(await codeOfAsync(() => tooLong.collect(REPORT_DATA))).toBe("TEE_UNAVAILABLE");
    expect(await codeOfAsync(() => attester.collect(new Uint8Array(65)))).toBe("INVALID_REPORT_DATA");
  });
});

describe("without a launch", () => {
  it("makes evidence of a digest for tests", async () => {
    const digest = "cd".repeat(48);
    const { evidence } = await tee.evidenceFor(digest, REPORT_DATA);
    expect(await launchDigestIn(evidence)).toBe(digest);
    expect(await codeOfAsync(() => tee.evidenceFor("cd", REPORT_DATA))).toBe("INVALID_LAUNCH_DIGEST");
    expect(await codeOfAsync(() => tee.evidenceFor(digest, new Uint8Array(65)))).toBe("INVALID_REPORT_DATA");
  });

  it("tells where its root is", async () => {
    const [root] = parseCertificates(await readFile(tee.rootPath, "utf8"));
    expect(root?.der).toEqual(tee.root.der);
    expect(tee.rootPem).toBe(await readFile(tee.rootPath, "utf8"));
  });

  it("uses the machine's clock when none is given", async () => {
    const { root } = await openSoftwareTee({ dir: join(base, "clock") });
    expect(root.notAfter.getTime()).toBeGreaterThan(Date.now());
  });

  it.each<[what: string, name: string, code: string]>([
    ["there is none", "none.mjs", "PROGRAM_NOT_READABLE"],
    ["it is a folder", ".", "PROGRAM_NOT_READABLE"],
  ])("launches no program where %s", async (_what, name, code) => {
    expect(await codeOfAsync(() => launch(tee, { program: join(base, name) }))).toBe(code);
  });

  it("launches no file that cannot be executed", async () => {
    const program = await programIn(base, "data.bin", "data");
    expect(await codeOfAsync(() => launch(tee, { program }))).toBe("LAUNCH_FAILED");
  });

  it.each<[what: string, folder: string, make: boolean]>([
    ["its folder is missing", "missing", false],
    ["its path is too long", "x".repeat(120), true],
  ])("says when there is no room for a socket: %s", async (_what, folder, make) => {
    const program = await programIn(base, "roomless.mjs", WAITER);
    const before = process.env.TMPDIR;
    process.env.TMPDIR = join(base, folder);
    if (make) await mkdir(process.env.TMPDIR);
    try {
      expect(await codeOfAsync(() => launch(tee, { program }))).toBe("LAUNCH_FAILED");
    } finally {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    }
  });
});
