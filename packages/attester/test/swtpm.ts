// SPDX-License-Identifier: Apache-2.0
// A software TPM (swtpm) with tpm2-tools beside it, where they are installed.

import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { idOfHash, type PcrBank, type PcrSelection } from "@adyton/evidence/tpm";

export interface SoftwareTpm {
  /** In the words of tpm2-tools and of `ADYTON_TPM`. */
  readonly address: string;
  /** Runs a tool in the TPM's folder; gives what it writes. */
  tool(name: string, ...args: readonly string[]): string;
  /** Bytes of a file in the folder. */
  read(name: string): Uint8Array;
  write(name: string, bytes: Uint8Array): void;
  stop(): void;
}

/** Why tests with a software TPM cannot run here; undefined when they can. */
export const swtpmMissing: string | undefined = ["swtpm", "tpm2_getcap", "tpm2_checkquote"].find((tool) => {
  try {
    execFileSync(tool, ["--version"], { stdio: "ignore" });
    return false;
  } catch {
    return true;
  }
});
if (swtpmMissing !== undefined)
  console.warn(`${swtpmMissing} was not found: tests with a software TPM are skipped.`);

/** A new TPM; it listens when this resolves. */
export async function startSwtpm(kind: "tcp" | "unix"): Promise<SoftwareTpm> {
  const folder = mkdtempSync(join(tmpdir(), "adyton-tpm-"));
  mkdirSync(join(folder, "state"));
  const pid = join(folder, "pid");
  for (let attempt = 1; ; attempt++) {
    const { address, channels } = kind === "tcp" ? await tcp() : unix(folder);
    try {
      // With --daemon the command comes back once the sockets listen and the process is in the background.
      execFileSync("swtpm", [
        ...["socket", "--tpm2", "--tpmstate", `dir=${join(folder, "state")}`],
        ...["--flags", "not-need-init,startup-clear", "--daemon", "--pid", `file=${pid}`, ...channels],
      ]);
    } catch (error) {
      // Another took the port in between.
      if (attempt === 5) throw error;
      continue;
    }
    return {
      address,
      tool: (name, ...args) =>
        execFileSync(name, args, {
          cwd: folder,
          env: { ...process.env, TPM2TOOLS_TCTI: address, TSS2_LOG: "all+NONE" },
          encoding: "utf8",
          stdio: "pipe",
        }),
      read: (name) => new Uint8Array(readFileSync(join(folder, name))),
      write: (name, bytes) => writeFileSync(join(folder, name), bytes),
      stop: () => {
        process.kill(Number(readFileSync(pid, "utf8")));
        rmSync(folder, { recursive: true, force: true });
      },
    };
  }
}

/** PCRs as `tpm2_checkquote --pcr` reads them: C structures of a machine whose numbers are little-endian. */
export function serializedPcrs(selection: readonly PcrSelection[], pcrs: readonly PcrBank[]): Uint8Array {
  const values = selection.flatMap(({ hash, indices }) =>
    indices.map((index) => pcrs.find((bank) => bank.hash === hash)?.values.get(index) ?? new Uint8Array()),
  );
  const lists = Math.ceil(values.length / 8);
  // TPML_PCR_SELECTION has 16 entries of 8 bytes, TPML_DIGEST 8 of 66.
  const bytes = new Uint8Array(4 + 16 * 8 + 4 + lists * (4 + 8 * 66));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, selection.length, true);
  for (const [i, { hash, indices }] of selection.entries()) {
    const at = 4 + 8 * i;
    view.setUint16(at, idOfHash(hash), true);
    view.setUint8(at + 2, 3);
    for (const index of indices)
      bytes[at + 3 + (index >> 3)] = (bytes[at + 3 + (index >> 3)] ?? 0) | (1 << (index & 7));
  }
  view.setUint32(132, lists, true);
  for (const [i, value] of values.entries()) {
    const list = 136 + Math.floor(i / 8) * 532;
    view.setUint32(list, Math.min(8, values.length - 8 * Math.floor(i / 8)), true);
    view.setUint16(list + 4 + (i % 8) * 66, value.length, true);
    bytes.set(value, list + 6 + (i % 8) * 66);
  }
  return bytes;
}

interface Channels {
  readonly address: string;
  readonly channels: readonly string[];
}

/** tpm2-tools expect the control channel at the next port. */
async function tcp(): Promise<Channels> {
  const port = await freePort();
  return {
    address: `swtpm:host=127.0.0.1,port=${port}`,
    channels: ["--server", `type=tcp,port=${port}`, "--ctrl", `type=tcp,port=${port + 1}`],
  };
}

/** tpm2-tools expect the control channel at the path with ".ctrl" behind it. */
function unix(folder: string): Channels {
  const path = join(folder, "tpm.sock");
  return {
    address: `swtpm:path=${path}`,
    channels: ["--server", `type=unixio,path=${path}`, "--ctrl", `type=unixio,path=${path}.ctrl`],
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}
