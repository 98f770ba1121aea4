// SPDX-License-Identifier: Apache-2.0
// Request bodies, never more than allowed.

import { toUtf8 } from "@adyton/core/bytes";
import { boundedBytes } from "../bounded.ts";
import { BrokerError } from "../errors.ts";
import { invalid } from "../protocol.ts";

// A proposal keeps the body of a request whose route may read it, too.
const bodies = new WeakMap<Request, Promise<Uint8Array>>();

/** The whole body, however often it is asked for. Rejects with `REQUEST_TOO_LARGE` before more than `limit` bytes are held. */
export function readBody(request: Request, limit: number): Promise<Uint8Array> {
  const known = bodies.get(request);
  if (known !== undefined) return known;
  const body = read(request, limit);
  bodies.set(request, body);
  return body;
}

async function read(request: Request, limit: number): Promise<Uint8Array> {
  const announced = request.headers.get("content-length");
  if (Number(announced ?? 0) > limit) throw tooLarge(limit);
  // The server lets through what was announced and no more: it need not be counted, and costs a fraction of a stream.
  if (announced !== null && request.method !== "GET") return wholeBody(request, limit);
  return boundedBytes(request, limit, () => tooLarge(limit));
}

async function wholeBody(request: Request, limit: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(await request.arrayBuffer());
  if (bytes.length > limit) throw tooLarge(limit);
  return bytes;
}

/** The whole body as text. Rejects with `REQUEST_TOO_LARGE` or `INVALID_REQUEST`. */
export async function readText(request: Request, limit: number): Promise<string> {
  const bytes = await readBody(request, limit);
  try {
    return toUtf8(bytes);
  } catch {
    throw invalid("the body is no UTF-8");
  }
}

function tooLarge(limit: number): BrokerError {
  return new BrokerError(
    "REQUEST_TOO_LARGE",
    "misuse",
    `Cannot take the request: its body is larger than ${limit} bytes`,
    { detail: { limit } },
  );
}
