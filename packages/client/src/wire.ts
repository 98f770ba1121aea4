// SPDX-License-Identifier: Apache-2.0
// HTTP to the broker: bounded answers, no redirects, typed errors.

import { type Bytes, concat, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { ClientError, invalidAnswer } from "./errors.ts";
import { type Refusal, refusalError } from "./refusal.ts";

/** The web's fetch, or a stand-in. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface WireOptions {
  /** Where the broker is: `http://host:port`, `https://host/path`… */
  readonly url: string;
  readonly fetch?: Fetch;
  /** For each request. Default 30 s. */
  readonly timeoutMilliseconds?: number;
}

export interface Call {
  readonly method: "GET" | "POST" | "PUT" | "DELETE";
  /** Below the broker's URL, with a slash first. */
  readonly path: string;
  /** For errors: "get a challenge". */
  readonly what: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
}

/** A good answer. */
export interface Answer {
  readonly headers: Headers;
  readonly bytes: Bytes;
}

const DEFAULT_TIMEOUT = 30_000;
const MAX_ANSWER = 8 * 1024 * 1024;
/** 202 is none of them: nothing was done yet. */
const DONE: readonly number[] = [200, 201, 204];
const MAX_WAIT_SECONDS = 3_600;
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

export class Wire {
  /** Without a slash at the end. */
  readonly url: string;
  readonly #fetch: Fetch;
  readonly #timeout: number;

  /** Throws `INVALID_URL`. */
  constructor(options: WireOptions) {
    this.url = checkedUrl(options.url).href.replace(/\/+$/, "");
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
    this.#timeout = options.timeoutMilliseconds ?? DEFAULT_TIMEOUT;
  }

  /** Rejects with a `ClientError` for every answer but 200, 201 and 204, and for none. */
  async call(call: Call): Promise<Answer> {
    const { response, bytes } = await this.#send(call);
    if (DONE.includes(response.status)) return { headers: response.headers, bytes };
    throw refusalError(call.what, refusalOf(response, bytes));
  }

  async #send({ method, path, what, headers, body }: Call): Promise<{ response: Response; bytes: Bytes }> {
    const init: RequestInit = {
      method,
      // A redirect would carry tokens to who knows whom.
      redirect: "error",
      // Browsers keep the session's cookie themselves.
      credentials: "include",
      signal: AbortSignal.timeout(this.#timeout),
      ...(headers === undefined ? {} : { headers }),
      ...(body === undefined ? {} : { body: body as BodyInit }),
    };
    try {
      const response = await this.#fetch(this.url + path, init);
      return { response, bytes: await readBounded(response, what) };
    } catch (cause) {
      if (cause instanceof AdytonError) throw cause;
      throw new ClientError(
        "BROKER_UNREACHABLE",
        "unavailable",
        `Cannot ${what}: ${this.url} does not answer`,
        {
          cause,
          detail: { url: this.url },
          hint: "Check the URL, and that the broker is running (adyton up).",
        },
      );
    }
  }
}

/** Whether a URL stays on this machine or is encrypted. */
export function isPrivate(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || LOOPBACK.includes(hostname);
}

/** The JSON object in an answer. Throws `INVALID_ANSWER`. */
export function objectIn({ bytes }: Answer, what: string): JsonObject {
  const value = jsonIn({ bytes }, what);
  if (!isJsonObject(value)) throw invalidAnswer(what, "it is no JSON object");
  return value;
}

/** The JSON in an answer. Throws `INVALID_ANSWER`. */
export function jsonIn({ bytes }: { readonly bytes: Uint8Array }, what: string): JsonValue {
  try {
    return parseJson(toUtf8(bytes));
  } catch (error) {
    throw invalidAnswer(what, error instanceof AdytonError ? error.message : "it is no JSON");
  }
}

function refusalOf({ status, headers }: Response, bytes: Uint8Array): Refusal {
  const seconds = Number(headers.get("retry-after") ?? "none");
  const wait = Number.isFinite(seconds) && seconds >= 0 ? Math.min(seconds, MAX_WAIT_SECONDS) : undefined;
  return {
    status,
    header: headers.get("adyton-error"),
    body: errorBody(bytes),
    ...(wait === undefined ? {} : { retryAfterSeconds: wait }),
  };
}

/** Proxies answer with pages of their own: what is no JSON says nothing. */
function errorBody(bytes: Uint8Array): JsonValue {
  try {
    return parseJson(toUtf8(bytes));
  } catch {
    return null;
  }
}

async function readBounded(response: Response, what: string): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = response.body?.getReader();
  if (reader === undefined) return concat();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    length += value.length;
    if (length > MAX_ANSWER) {
      await reader.cancel();
      throw invalidAnswer("answer", `it is larger than ${MAX_ANSWER} bytes`, { what });
    }
    parts.push(value);
  }
}

function checkedUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined ||
    !["http:", "https:"].includes(url.protocol) ||
    url.username !== "" ||
    url.search !== ""
  ) {
    throw new ClientError(
      "INVALID_URL",
      "misuse",
      `Cannot use ${JSON.stringify(text.slice(0, 200))} as the broker's URL: expected http://host:port or https://…`,
    );
  }
  return url;
}
