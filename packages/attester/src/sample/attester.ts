// SPDX-License-Identifier: Apache-2.0
// The attester of a program that a software TEE launched: it asks its launcher.

import { connect, type Socket } from "node:net";
import type { AttesterKind, Probe } from "../attester.ts";
import { AttesterError } from "../errors.ts";
import { errnoOf, type FileSystem, realFileSystem } from "../lib/filesystem.ts";
import { paddedReportData } from "../lib/report-data.ts";
import {
  encodeRequest,
  IDLE_MS,
  isSocketPath,
  MAX_ANSWER,
  parseAnswer,
  readLine,
  SAMPLE_TEE_VARIABLE,
} from "./protocol.ts";

const TITLE = "Adyton software TEE";
const NEXT = "Start the program with a software TEE: see openSoftwareTee.";

export const sampleAttester: AttesterKind = {
  tee: "sample",
  title: TITLE,
  create: ({ env = process.env, files = realFileSystem } = {}) => {
    const path = env[SAMPLE_TEE_VARIABLE];
    return {
      tee: "sample",
      title: TITLE,
      probe: () => probe(files, path),
      collect: async (reportData) => {
        const padded = paddedReportData(reportData);
        if (path === undefined || path === "" || !isSocketPath(path)) {
          throw new AttesterError(
            "TEE_UNAVAILABLE",
            "unavailable",
            `Cannot collect evidence: ${SAMPLE_TEE_VARIABLE} does not hold the path of a socket`,
            { hint: NEXT },
          );
        }
        return { tee: "sample", evidence: await ask(path, padded) };
      },
    };
  },
};

async function ask(path: string, reportData: Uint8Array): Promise<Uint8Array> {
  const socket = await connected(path);
  try {
    const answer = readLine(socket, MAX_ANSWER, IDLE_MS, "software TEE");
    socket.write(encodeRequest(reportData));
    return parseAnswer(await answer);
  } finally {
    socket.destroy();
  }
}

function connected(path: string): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ path });
    const refused = (cause: Error): void =>
      reject(
        new AttesterError(
          "TEE_UNAVAILABLE",
          "unavailable",
          `Cannot reach the software TEE at ${path}: ${errnoOf(cause) ?? "refused"}`,
          { cause, hint: "Its launcher has ended: start the program anew." },
        ),
      );
    socket.once("error", refused);
    socket.once("connect", () => {
      // From here on a broken connection shows as a line that ends early.
      socket.off("error", refused).on("error", () => undefined);
      resolve(socket);
    });
  });
}

async function probe(files: FileSystem, path: string | undefined): Promise<Probe> {
  if (path === undefined || path === "") {
    return {
      available: false,
      found: [],
      missing: [`the environment variable ${SAMPLE_TEE_VARIABLE}`],
      next: NEXT,
    };
  }
  const found = [`${SAMPLE_TEE_VARIABLE}=${path}`];
  return (await files.exists(path))
    ? { available: true, found, missing: [] }
    : { available: false, found, missing: [`the socket ${path}`], next: NEXT };
}
