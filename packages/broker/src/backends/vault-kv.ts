// SPDX-License-Identifier: Apache-2.0
// Secrets in HashiCorp Vault or OpenBao: the KV engine, version 1 or 2, over its HTTP API, in the member `data` as
// Trustee keeps them.

import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { boundedBytes } from "../bounded.ts";
import { BrokerError } from "../errors.ts";
import type { ResourceBackend, ResourceHistory } from "./types.ts";

export interface VaultKvOptions {
  /** `https://vault.example:8200`; `http://` only on this machine. */
  readonly url: string;
  /** Where the engine is mounted. Default `secret`. */
  readonly mount?: string;
  /** Of the engine. Default 2. */
  readonly version?: 1 | 2;
  /** A token, or an AppRole to log in with. */
  readonly login:
    | { readonly token: string }
    | { readonly roleId: string; readonly secretId: string; readonly mount?: string };
  /** Vault Enterprise and OpenBao: the namespace. */
  readonly namespace?: string;
  /** For each request. Default 10 s. */
  readonly timeoutMilliseconds?: number;
  /** The web's fetch, or one that trusts a CA of your own. */
  readonly fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

interface Answer {
  readonly status: number;
  readonly body: JsonObject;
}

const DEFAULT_TIMEOUT = 10_000;
const MAX_ANSWER = 8 * 1024 * 1024;
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];
const MAX_DEPTH = 3;

/** Throws `INSECURE_ADDRESS` for plain HTTP to another machine. */
export function vaultKvBackend(options: VaultKvOptions): ResourceBackend {
  const { protocol, hostname } = new URL(options.url);
  if (protocol !== "https:" && !LOOPBACK.includes(hostname)) {
    throw new BrokerError(
      "INSECURE_ADDRESS",
      "misuse",
      `Cannot use Vault at ${options.url}: plain HTTP would show secrets on the way`,
      { hint: "Use https://." },
    );
  }
  return options.version === 1 ? version1(new VaultWire(options)) : version2(new VaultWire(options));
}

/** One value under a name; what is deleted is gone. */
function version1(wire: VaultWire): ResourceBackend {
  return {
    kind: "vault",
    transactional: false,
    get: async (name, version = 1) => {
      if (version !== 1) return undefined;
      const { status, body } = await wire.call("GET", name);
      return status === 404 ? undefined : { secret: secretIn(objectIn(body, "data")), version: 1 };
    },
    put: async (name, secret) => {
      await wire.call("POST", name, encodedSecret(secret));
      return 1;
    },
    delete: async (name) => {
      // Deleting what is not there succeeds as well: ask first.
      if ((await wire.call("GET", name)).status === 404) return false;
      await wire.call("DELETE", name);
      return true;
    },
    list: (prefix) => namesBelow(wire, "", prefix),
    versions: async (name) =>
      (await wire.call("GET", name)).status === 404 ? undefined : { versions: [{ version: 1 }] },
  };
}

/** Vault keeps versions itself; deleting marks them all, so that they can be brought back until they are purged. */
function version2(wire: VaultWire): ResourceBackend {
  const historyOf = async (name: string): Promise<ResourceHistory | undefined> => {
    const { status, body } = await wire.call("GET", `metadata/${name}`);
    if (status === 404) return undefined;
    const versions = Object.entries(objectIn(objectIn(body, "data"), "versions"))
      .map(([number, facts]) => ({ version: Number(number), facts: isJsonObject(facts) ? facts : {} }))
      .filter(({ facts }) => facts.destroyed !== true)
      .sort((a, b) => b.version - a.version);
    const [newest] = versions;
    if (newest === undefined) return undefined;
    const deleted = newest.facts.deletion_time;
    return {
      versions: versions.map(({ version, facts }) => ({
        version,
        ...(typeof facts.created_time === "string" ? { created: facts.created_time } : {}),
      })),
      ...(typeof deleted === "string" && deleted !== "" ? { deleted } : {}),
    };
  };
  const change = async (name: string, deleted: boolean, how: (all: ResourceHistory) => Promise<void>) => {
    const history = await historyOf(name);
    if (history === undefined || (history.deleted !== undefined) !== deleted) return false;
    await how(history);
    return true;
  };
  return {
    kind: "vault",
    transactional: false,
    get: async (name, version) => {
      const query = version === undefined ? "" : `?version=${version}`;
      const { status, body } = await wire.call("GET", `data/${name}${query}`);
      if (status === 404) return undefined;
      const data = objectIn(body, "data");
      const { version: found } = objectIn(data, "metadata");
      return { secret: secretIn(objectIn(data, "data")), version: typeof found === "number" ? found : 1 };
    },
    put: async (name, secret) => {
      if ((await historyOf(name))?.deleted !== undefined) {
        throw new BrokerError(
          "RESOURCE_DELETED",
          "misuse",
          `Cannot put ${name}: a secret of that name was deleted`,
          {
            detail: { resource: name },
            hint: "Restore it, or purge it.",
          },
        );
      }
      const { body } = await wire.call("POST", `data/${name}`, { data: encodedSecret(secret) });
      const { version } = objectIn(body, "data");
      return typeof version === "number" ? version : 1;
    },
    delete: (name) =>
      change(name, false, async ({ versions }) => {
        await wire.call("POST", `delete/${name}`, { versions: versions.map(({ version }) => version) });
      }),
    restore: (name) =>
      change(name, true, async ({ versions }) => {
        await wire.call("POST", `undelete/${name}`, { versions: versions.map(({ version }) => version) });
      }),
    purge: (name) =>
      change(name, true, async () => {
        await wire.call("DELETE", `metadata/${name}`);
      }),
    list: async (prefix) => {
      const names = await namesBelow(wire, "metadata/", prefix);
      const present: string[] = [];
      for (const name of names) if ((await historyOf(name))?.deleted === undefined) present.push(name);
      return present;
    },
    versions: historyOf,
  };
}

/** Vault lists one level at a time; folders end with a slash. */
async function namesBelow(wire: VaultWire, base: string, prefix: string = ""): Promise<readonly string[]> {
  const names: string[] = [];
  const walk = async (folder: string, depth: number): Promise<void> => {
    const { status, body } = await wire.call("GET", `${base}${folder}?list=true`);
    if (status === 404) return;
    const { keys } = objectIn(body, "data");
    for (const key of Array.isArray(keys) ? keys : []) {
      if (typeof key !== "string") continue;
      const name = folder + key;
      if (!key.endsWith("/")) {
        if (depth === MAX_DEPTH && name.startsWith(prefix)) names.push(name);
      } else if (depth < MAX_DEPTH && (prefix.startsWith(name) || name.startsWith(prefix))) {
        await walk(name, depth + 1);
      }
    }
  };
  await walk("", 1);
  return names.sort();
}

/** Text stays readable in Vault's own tools; other bytes go as the array of numbers that Trustee writes. */
function encodedSecret(secret: Uint8Array): JsonObject {
  try {
    return { data: toUtf8(secret) };
  } catch {
    return { data: [...secret] };
  }
}

function secretIn({ data }: JsonObject): Uint8Array {
  if (typeof data === "string") return fromUtf8(data);
  const bytes =
    Array.isArray(data) && data.every(isByte) ? Uint8Array.from(data as readonly number[]) : undefined;
  if (bytes === undefined) throw failed("the secret has no member data with text or bytes");
  return bytes;
}

function isByte(value: JsonValue): boolean {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 255;
}

function objectIn(object: JsonObject, member: string): JsonObject {
  const value = object[member];
  if (!isJsonObject(value)) throw failed(`its answer holds no ${member}`);
  return value;
}

class VaultWire {
  readonly #options: VaultKvOptions;
  readonly #base: string;
  #token: string | undefined;

  constructor(options: VaultKvOptions) {
    this.#options = options;
    this.#base = `${options.url.replace(/\/+$/, "")}/v1/`;
    if ("token" in options.login) this.#token = options.login.token;
  }

  /** Below the mount. Answers 200, 204 and 404; rejects with `BACKEND_FAILED` for anything else. */
  async call(method: "GET" | "POST" | "DELETE", path: string, body?: JsonObject): Promise<Answer> {
    const { login, mount = "secret" } = this.#options;
    const place = `${mount}/${path}`;
    this.#token ??= await this.#loggedIn();
    const answer = await this.#send(method, place, this.#token, body);
    if (answer.status !== 403 || "token" in login) return checked(answer);
    // A token of an AppRole ends some day: log in again, once.
    this.#token = await this.#loggedIn();
    return checked(await this.#send(method, place, this.#token, body));
  }

  async #loggedIn(): Promise<string> {
    const { login } = this.#options;
    if ("token" in login) return login.token;
    const body = { role_id: login.roleId, secret_id: login.secretId };
    const answer = await this.#send("POST", `auth/${login.mount ?? "approle"}/login`, undefined, body);
    const { client_token } = objectIn(checked(answer).body, "auth");
    if (typeof client_token !== "string") throw failed("its login holds no token");
    return client_token;
  }

  async #send(method: string, path: string, token: string | undefined, body?: JsonObject): Promise<Answer> {
    const { fetch: send = fetch, namespace, timeoutMilliseconds = DEFAULT_TIMEOUT } = this.#options;
    try {
      const response = await send(this.#base + path, {
        method,
        redirect: "error",
        signal: AbortSignal.timeout(timeoutMilliseconds),
        headers: {
          "x-vault-request": "true",
          ...(token === undefined ? {} : { "x-vault-token": token }),
          ...(namespace === undefined ? {} : { "x-vault-namespace": namespace }),
          ...(body === undefined ? {} : { "content-type": "application/json" }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const text = toUtf8(await boundedBytes(response, MAX_ANSWER, () => failed("its answer is too large")));
      const value = text === "" ? {} : parseJson(text);
      return { status: response.status, body: isJsonObject(value) ? value : {} };
    } catch (cause) {
      if (cause instanceof BrokerError) throw cause;
      throw failed("it does not answer, or not in JSON", cause);
    }
  }
}

function checked(answer: Answer): Answer {
  if (answer.status === 200 || answer.status === 204 || answer.status === 404) return answer;
  const { errors } = answer.body;
  const [first] = Array.isArray(errors) ? errors : [];
  throw failed(`it answered ${answer.status}${typeof first === "string" ? `, ${first.slice(0, 200)}` : ""}`);
}

function failed(why: string, cause?: unknown): BrokerError {
  return new BrokerError("BACKEND_FAILED", "unavailable", `Cannot use Vault: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
  });
}
