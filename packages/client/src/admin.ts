// SPDX-License-Identifier: Apache-2.0
// What an operator calls: keep secrets and reference values in the broker.

import { fromUtf8, toBase64 } from "@adyton/core/bytes";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { ClientError, invalidAnswer } from "./errors.ts";
import { resourcePath } from "./resource-path.ts";
import { type Call, isPrivate, jsonIn, objectIn, Wire, type WireOptions } from "./wire.ts";

export interface AdminOptions extends WireOptions {
  /** The broker's admin token. */
  readonly token: string;
  /** Send the token and secrets over plain HTTP to another machine. Default false. */
  readonly allowPlainHttpBeyondLoopback?: boolean;
}

/** Every method rejects with a `ClientError`: `ADMIN_REFUSED` when the token is not the administrator's. */
export interface Admin {
  /** Resolves once the secret would survive a crash of the broker's machine. */
  putResource(name: string, secret: Uint8Array | string): Promise<void>;
  /** Names, sorted. */
  listResources(): Promise<readonly string[]>;
  deleteResource(name: string): Promise<void>;
  /** Registers values by reference id, replacing those under the same ids; other ids stay. */
  setReferenceValues(values: JsonObject): Promise<void>;
  listReferenceValues(): Promise<Readonly<Record<string, readonly JsonValue[]>>>;
  deleteReferenceValue(id: string): Promise<void>;
  /** Resolves when the broker answers. */
  health(): Promise<void>;
}

const PREFIX = "/kbs/v0";
const REFERENCE_VALUE = `${PREFIX}/reference-value`;
const MESSAGE_VERSION = "0.1.0";

/** Throws `INVALID_URL`. */
export function createAdmin(options: AdminOptions): Admin {
  const wire = new Wire(options);
  if (options.allowPlainHttpBeyondLoopback !== true && !isPrivate(wire.url)) {
    throw new ClientError(
      "INVALID_URL",
      "misuse",
      `Cannot administer ${wire.url}: plain HTTP would show the token and the secrets on the way`,
      { hint: "Use https://, or a tunnel to the broker's loopback interface." },
    );
  }
  const call = (request: Call) =>
    wire.call({ ...request, headers: { authorization: `Bearer ${options.token}`, ...request.headers } });
  return {
    putResource: async (name, secret) => {
      const path = resourcePath(name);
      const body = typeof secret === "string" ? fromUtf8(secret) : secret;
      const headers = { "content-type": "application/octet-stream" };
      await call({ method: "POST", path: `${PREFIX}/resource/${path}`, what: `put ${path}`, body, headers });
    },
    listResources: async () => {
      const answer = await call({ method: "GET", path: `${PREFIX}/resources`, what: "list resources" });
      const names = jsonIn(answer, "list");
      if (!isTextList(names)) throw invalidAnswer("list", "it is no array of names");
      return names;
    },
    deleteResource: async (name) => {
      const path = resourcePath(name);
      await call({ method: "DELETE", path: `${PREFIX}/resource/${path}`, what: `delete ${path}` });
    },
    setReferenceValues: async (values) => {
      const payload = toBase64(fromUtf8(JSON.stringify(values)));
      await call({
        method: "POST",
        path: REFERENCE_VALUE,
        what: "set reference values",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ version: MESSAGE_VERSION, type: "sample", payload }),
      });
    },
    listReferenceValues: async () => {
      const answer = await call({ method: "GET", path: REFERENCE_VALUE, what: "list reference values" });
      return referenceValuesIn(objectIn(answer, "reference values"));
    },
    deleteReferenceValue: async (id) => {
      const path = `${REFERENCE_VALUE}/${checkedId(id)}`;
      await call({ method: "DELETE", path, what: `delete reference value ${id}` });
    },
    health: async () => {
      await wire.call({ method: "GET", path: "/healthz", what: "ask for the broker's health" });
    },
  };
}

function referenceValuesIn(answer: JsonObject): Readonly<Record<string, readonly JsonValue[]>> {
  return Object.fromEntries(
    Object.entries(answer).map(([id, values]) => {
      if (!Array.isArray(values)) throw invalidAnswer("reference values", `${id} is no list`);
      return [id, values as readonly JsonValue[]];
    }),
  );
}

/** An id that stands in a path as it is: `a/../b` would name another. Throws `INVALID_REFERENCE_ID`. */
function checkedId(id: string): string {
  const climbs = id.split("/").some((part) => ["", ".", ".."].includes(part));
  if (climbs || !/^[A-Za-z0-9_.:/-]+$/.test(id)) {
    throw new ClientError(
      "INVALID_REFERENCE_ID",
      "misuse",
      `Cannot use ${JSON.stringify(id.slice(0, 200))} as reference value id: expected letters, digits, _ . : / -`,
    );
  }
  return id;
}

function isTextList(value: JsonValue): value is readonly string[] {
  return Array.isArray(value) && value.every((item: JsonValue) => typeof item === "string");
}
