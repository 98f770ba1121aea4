// SPDX-License-Identifier: Apache-2.0
// The launcher's side of the socket: one server per launched program, so that nobody can ask for another's evidence.

import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AdytonError } from "@adyton/core/errors";
import { AttesterError } from "../errors.ts";
import { errnoOf } from "../lib/filesystem.ts";
import {
  encodeEvidence,
  encodeRefusal,
  isSocketPath,
  MAX_REQUEST,
  parseRequest,
  readLine,
} from "../sample/protocol.ts";

export interface EvidenceServer {
  /** The socket's path. */
  readonly path: string;
  /** Ends every connection and removes the socket. */
  close(): Promise<void>;
}

const MAX_CONNECTIONS = 16;

/**
 * Answers requests with `issue`'s evidence, on a socket in a new folder that only this user may open.
 * Throws `LAUNCH_FAILED` when no socket can be made.
 */
export async function serveEvidence(
  issue: (reportData: Uint8Array) => Promise<Uint8Array>,
  idle: number,
): Promise<EvidenceServer> {
  // mkdtemp makes the folder with mode 700.
  const folder = await mkdtemp(join(tmpdir(), "adyton-")).catch((cause: unknown) => {
    throw noSocket(tmpdir(), cause);
  });
  const path = join(folder, "tee.sock");
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    // The peer may be gone at any moment; readLine and end see to what follows.
    socket.on("error", () => undefined);
    void answer(socket, issue, idle);
  });
  server.maxConnections = MAX_CONNECTIONS;
  try {
    if (!isSocketPath(path)) throw Object.assign(new Error("the path is too long"), { code: "ENAMETOOLONG" });
    await listening(server, path);
  } catch (cause) {
    await rm(folder, { recursive: true, force: true });
    throw noSocket(path, cause);
  }
  return {
    path,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** One request, one answer, and the end. Never rejects. */
async function answer(
  socket: Socket,
  issue: (reportData: Uint8Array) => Promise<Uint8Array>,
  idle: number,
): Promise<void> {
  let line: string;
  try {
    const reportData = parseRequest(await readLine(socket, MAX_REQUEST, idle, "program"));
    line = encodeEvidence(await issue(reportData));
  } catch (error) {
    line = encodeRefusal(
      error instanceof AdytonError
        ? error
        : new AttesterError("EVIDENCE_REFUSED", "unavailable", "Cannot answer: the launcher failed", {
            cause: error,
          }),
    );
  }
  // Whatever else the peer sends is never read.
  socket.end(line, () => socket.destroy());
}

function noSocket(path: string, cause: unknown): AttesterError {
  return new AttesterError(
    "LAUNCH_FAILED",
    "unavailable",
    `Cannot open the software TEE's socket at ${path}: the system said ${errnoOf(cause) ?? "no"}`,
    { cause, hint: "Socket paths are short: set TMPDIR to a short, writable folder." },
  );
}

function listening(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
