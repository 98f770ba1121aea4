// SPDX-License-Identifier: Apache-2.0
// A software TPM (swtpm) and tpm2-tools, where they are installed: they open what we seal, and we verify what they quote.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOf } from "@adyton/testing";
import { afterAll, describe, expect, it } from "vitest";
import { NO_ENDORSEMENTS } from "../bag.ts";
import {
  acceptActivation,
  encodeCredentialFile,
  encodeTpmEvidence,
  openCredentialSession,
  parseTpmPublic,
  parseTpmSignature,
  spkiOfTpmPublic,
  verifyTpm,
} from "../tpm.ts";

const installed = ["swtpm", "tpm2_activatecredential", "tpm2_quote"].every((tool) => {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
});
const folder = mkdtempSync(join(tmpdir(), "adyton-swtpm-"));
const path = (name: string): string => join(folder, name);

/** Two neighbouring ports that are free: tpm2-tools expect the control channel next to the commands. */
async function freePort(): Promise<number> {
  const listen = (port: number): Promise<number> =>
    new Promise((resolve, reject) => {
      const server = createServer().once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        const address = server.address();
        server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
      });
    });
  for (;;) {
    const port = await listen(0);
    try {
      await listen(port + 1);
      return port;
    } catch {
      // Taken: another pair.
    }
  }
}

async function startTpm(): Promise<{ readonly tcti: string; readonly stop: () => void }> {
  const port = await freePort();
  mkdirSync(path("state"));
  const child = spawn("swtpm", [
    ...["socket", "--tpm2", "--tpmstate", `dir=${path("state")}`, "--flags", "not-need-init,startup-clear"],
    ...["--server", `type=tcp,port=${port}`, "--ctrl", `type=tcp,port=${port + 1}`],
  ]);
  return { tcti: `swtpm:host=127.0.0.1,port=${port}`, stop: () => child.kill() };
}

describe.skipIf(!installed)("a software TPM", async () => {
  if (!installed) return;
  const { tcti, stop } = await startTpm();
  afterAll(() => {
    stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const run = (tool: string, ...args: readonly string[]): void => {
    execFileSync(tool, args, { cwd: folder, env: { ...process.env, TPM2TOOLS_TCTI: tcti }, stdio: "pipe" });
  };
  /** The TPM listens a moment after it was started. */
  const ready = (): void => {
    for (let attempt = 0; ; attempt++) {
      try {
        run("tpm2_getcap", "properties-fixed");
        return;
      } catch (error) {
        if (attempt === 100) throw error;
      }
    }
  };

  it.each(["rsa", "ecc"])("opens our credential and quotes with the key that it proves: %s", async (kind) => {
    ready();
    run("tpm2_createek", "-c", "ek.ctx", "-G", kind, "-u", "ek.pub");
    run("tpm2_flushcontext", "-t");
    run("tpm2_createak", "-C", "ek.ctx", "-c", "ak.ctx", "-G", kind, "-u", "ak.pub", "-n", "ak.name");
    run("tpm2_flushcontext", "-t");
    const ek = parseTpmPublic(readFileSync(path("ek.pub")));
    const ak = parseTpmPublic(readFileSync(path("ak.pub")));
    const session = await openCredentialSession({ ek, ak });
    expect(session.key.identifiers["ak-name"]).toBe(readFileSync(path("ak.name")).toString("hex"));

    writeFileSync(path("credential"), encodeCredentialFile(session));
    run("tpm2_startauthsession", "--policy-session", "-S", "session.ctx");
    run("tpm2_policysecret", "-S", "session.ctx", "-c", "e");
    const activate = [
      "-c",
      "ak.ctx",
      "-C",
      "ek.ctx",
      "-i",
      "credential",
      "-o",
      "answer",
      "-P",
      "session:session.ctx",
    ];
    run("tpm2_activatecredential", ...activate);
    run("tpm2_flushcontext", "session.ctx");
    run("tpm2_flushcontext", "-t");
    const answer = readFileSync(path("answer"));
    const key = acceptActivation(session, answer);
    expect(codeOf(() => acceptActivation(session, answer.subarray(1)))).toBe("CREDENTIAL_ACTIVATION_FAILED");

    run("tpm2_pcrextend", `16:sha256=${"5a".repeat(32)}`);
    const files = ["-m", "message", "-s", "signature", "-o", "pcrs", "-F", "values"];
    run("tpm2_quote", "-c", "ak.ctx", "-l", "sha256:0,16", "-q", "abcd", ...files);
    run("tpm2_flushcontext", "-t");
    const pcrs = readFileSync(path("pcrs"));
    const evidence = encodeTpmEvidence({
      akSpki: spkiOfTpmPublic(ak),
      akPublic: ak,
      certificates: [],
      eventLogs: [],
      quotes: [
        {
          message: readFileSync(path("message")),
          signature: parseTpmSignature(readFileSync(path("signature"))),
          pcrs: [
            {
              hash: "SHA-256",
              values: new Map([
                [0, pcrs.subarray(0, 32)],
                [16, pcrs.subarray(32, 64)],
              ]),
            },
          ],
        },
      ],
    });
    const verified = await verifyTpm(evidence, {
      now: new Date("2026-06-01T00:00:00Z"),
      anchors: { ...NO_ENDORSEMENTS, keys: [key] },
      reportData: Uint8Array.of(0xab, 0xcd),
    });
    expect(verified.registers?.map(({ name }) => name)).toEqual(["pcr00", "pcr16"]);
    expect(verified.claims.ak_identifiers).toEqual(key.identifiers);
  });
});
