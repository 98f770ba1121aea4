// SPDX-License-Identifier: Apache-2.0
// What a program in the software TEE and its launcher say over their socket: one line of JSON each way.

import type { Socket } from "node:net";
import { fromBase64, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, parseJson } from "@adyton/core/json";
import { AttesterError } from "../errors.ts";

/** Environment variable that holds the socket's path. */
export const SAMPLE_TEE_VARIABLE = "ADYTON_SAMPLE_TEE";

/** Longest line of a program, in bytes: the request takes about 120. */
export const MAX_REQUEST = 1024;
/** Longest line of a launcher, in bytes: evidence takes about 4,000. */
export const MAX_ANSWER: number = 128 * 1024;
/** A side that says nothing for so long is given up. */
export const IDLE_MS: number = 10_000;

/** Longest path of a Unix socket that every system takes, in bytes. Beyond it some systems cut the path in silence. */
const MAX_SOCKET_PATH = 103;
const VERSION = "1";
const REPORT_DATA = 64;
const NEWLINE = 0x0a;

/** Whether a socket can be at `path`, and not at the beginning of it. */
export function isSocketPath(path: string): boolean {
  return fromUtf8(path).length <= MAX_SOCKET_PATH;
}

export function encodeRequest(reportData: Uint8Array): string {
  return `${JSON.stringify({ version: VERSION, reportData: toBase64(reportData) })}\n`;
}

/** The 64 bytes of report data asked for. Throws `INVALID_MESSAGE`. */
export function parseRequest(line: Uint8Array): Uint8Array {
  const { version, reportData, ...rest } = objectOf(line, "request");
  if (version !== VERSION || typeof reportData !== "string" || Object.keys(rest).length > 0) {
    throw invalid("request", `expected the members version (${VERSION}) and reportData only`);
  }
  const bytes = decoded(reportData, "request");
  if (bytes.length !== REPORT_DATA) {
    throw invalid("request", `got ${bytes.length} bytes of report data, expected ${REPORT_DATA}`);
  }
  return bytes;
}

export function encodeEvidence(evidence: Uint8Array): string {
  return `${JSON.stringify({ evidence: toBase64(evidence) })}\n`;
}

/** A refusal: code and message of the launcher's error, and nothing of a cause. */
export function encodeRefusal(error: AdytonError): string {
  return `${JSON.stringify({ error: { code: error.code, message: error.message } })}\n`;
}

/** The evidence. Throws `EVIDENCE_REFUSED` when the launcher said no, `INVALID_MESSAGE` for anything else. */
export function parseAnswer(line: Uint8Array): Uint8Array {
  const { evidence, error } = objectOf(line, "answer");
  if (typeof evidence === "string" && error === undefined) return decoded(evidence, "answer");
  if (
    evidence === undefined &&
    isJsonObject(error) &&
    typeof error.code === "string" &&
    typeof error.message === "string"
  ) {
    throw new AttesterError(
      "EVIDENCE_REFUSED",
      "unavailable",
      `Cannot collect evidence: the software TEE refused with ${error.code}: ${error.message}`,
      { detail: { code: error.code } },
    );
  }
  throw invalid("answer", "expected the member evidence or error");
}

/**
 * The first line that arrives, without its end. Throws `INVALID_MESSAGE` when it exceeds `most` bytes, when the peer
 * ends before it, or when it is silent for `idle` milliseconds. `who` names the peer in messages.
 */
export function readLine(socket: Socket, most: number, idle: number, who: string): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] = [];
    let length = 0;
    const finish = (settle: () => void): void => {
      socket.off("data", onData).off("end", onEnd).off("close", onEnd).off("timeout", onIdle);
      socket.setTimeout(0);
      settle();
    };
    const fail = (why: string): void => finish(() => reject(invalid(`line of the ${who}`, why)));
    const onEnd = (): void => fail("it ended before its newline");
    const onIdle = (): void => fail(`nothing came for ${idle} ms`);
    const onData = (data: Buffer): void => {
      const end = data.indexOf(NEWLINE);
      length += end < 0 ? data.length : end;
      if (length > most) fail(`it exceeds ${most} bytes`);
      else if (end >= 0 && end !== data.length - 1) fail("more follows its newline");
      else {
        parts.push(end < 0 ? data : data.subarray(0, end));
        if (end >= 0) finish(() => resolve(Buffer.concat(parts)));
      }
    };
    socket.setTimeout(idle);
    socket.on("data", onData).on("end", onEnd).on("close", onEnd).on("timeout", onIdle);
  });
}

function objectOf(line: Uint8Array, what: string): JsonObject {
  let value: unknown;
  try {
    value = parseJson(toUtf8(line));
  } catch (cause) {
    throw invalid(what, "it is no JSON", cause);
  }
  if (!isJsonObject(value)) throw invalid(what, "it is no JSON object");
  return value;
}

function decoded(text: string, what: string): Uint8Array {
  try {
    return fromBase64(text);
  } catch (cause) {
    throw invalid(what, cause instanceof AdytonError ? cause.message : "it is no base64", cause);
  }
}

function invalid(what: string, why: string, cause?: unknown): AttesterError {
  return new AttesterError("INVALID_MESSAGE", "malformed", `Cannot read ${what}: ${why}`, { cause });
}
