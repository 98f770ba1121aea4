// SPDX-License-Identifier: Apache-2.0
// HashiCorp Vault's HTTP API as far as the KV engines and AppRole go, written from its documentation
// (developer.hashicorp.com/vault/api-docs: secret/kv/kv-v1, secret/kv/kv-v2, auth/approle).

interface Version {
  readonly data: unknown;
  readonly created: string;
  deleted: string;
  destroyed: boolean;
}

export interface FakeVault {
  readonly fetch: (url: string, init: RequestInit) => Promise<Response>;
  /** What was asked, in order: method and path. */
  readonly asked: string[];
  /** Makes every token useless that was given out so far. */
  expireTokens(): void;
}

const TIME = "2026-03-01T12:00:00.000000Z";
const NONE = { status: 404, body: { errors: [] as string[] } };
type Reply = { readonly status: number; readonly body?: unknown };

/** Both engines at once: version 1 at `kv1`, version 2 at `secret`. The root token is `root`. */
export function createFakeVault(): FakeVault {
  const one = new Map<string, unknown>();
  const two = new Map<string, Version[]>();
  const tokens = new Set(["root"]);
  const asked: string[] = [];
  const answer = (
    method: string,
    path: string,
    query: URLSearchParams,
    token: string,
    body: unknown,
  ): Reply => {
    if (method === "POST" && path === "auth/approle/login") {
      const { role_id, secret_id } = body as Record<string, unknown>;
      if (role_id !== "role" || secret_id !== "secret")
        return { status: 400, body: { errors: ["invalid role"] } };
      const client_token = `token-${tokens.size}-${asked.length}`;
      tokens.add(client_token);
      return { status: 200, body: { auth: { client_token, renewable: true } } };
    }
    if (!tokens.has(token)) return { status: 403, body: { errors: ["permission denied"] } };
    if (path.startsWith("kv1/")) return version1(one, method, path.slice(4), query, body);
    if (path.startsWith("secret/")) return version2(two, method, path.slice(7), query, body);
    return NONE;
  };
  return {
    asked,
    expireTokens: () => tokens.clear(),
    fetch: async (url, init) => {
      const { pathname, searchParams } = new URL(url);
      const path = pathname.slice("/v1/".length);
      asked.push(`${init.method} ${path}`);
      const token = new Headers(init.headers).get("x-vault-token") ?? "";
      const body = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
      const reply = answer(init.method ?? "GET", path, searchParams, token, body);
      return reply.body === undefined
        ? new Response(null, { status: reply.status })
        : Response.json(reply.body, { status: reply.status });
    },
  };
}

function version1(
  values: Map<string, unknown>,
  method: string,
  name: string,
  query: URLSearchParams,
  body: unknown,
): Reply {
  if (query.get("list") === "true") return listed([...values.keys()], name);
  if (method === "GET") return values.has(name) ? { status: 200, body: { data: values.get(name) } } : NONE;
  if (method === "POST") values.set(name, body);
  else values.delete(name);
  return { status: 204 };
}

function version2(
  values: Map<string, Version[]>,
  method: string,
  path: string,
  query: URLSearchParams,
  body: unknown,
): Reply {
  const [kind = "", ...rest] = path.split("/");
  const name = rest.join("/");
  const versions = values.get(name);
  const numbers = ((body as { versions?: number[] } | undefined)?.versions ?? []).map(
    (n) => versions?.[n - 1],
  );
  switch (kind) {
    case "metadata":
      if (query.get("list") === "true") return listed([...values.keys()], name);
      if (method === "DELETE") return { status: values.delete(name) ? 204 : 204 };
      return versions === undefined ? NONE : { status: 200, body: { data: metadataOf(versions) } };
    case "data": {
      if (method === "POST") {
        const made: Version = {
          data: (body as { data: unknown }).data,
          created: TIME,
          deleted: "",
          destroyed: false,
        };
        const all = [...(versions ?? []), made];
        values.set(name, all);
        return { status: 200, body: { data: { version: all.length, created_time: TIME } } };
      }
      const version = Number(query.get("version") ?? versions?.length ?? 0);
      const found = versions?.[version - 1];
      if (found === undefined) return NONE;
      const metadata = {
        version,
        created_time: TIME,
        deletion_time: found.deleted,
        destroyed: found.destroyed,
      };
      const gone = found.deleted !== "" || found.destroyed;
      return { status: gone ? 404 : 200, body: { data: { data: gone ? null : found.data, metadata } } };
    }
    case "delete":
    case "undelete":
      for (const version of numbers)
        if (version !== undefined) version.deleted = kind === "delete" ? TIME : "";
      return { status: 204 };
    default:
      return NONE;
  }
}

function metadataOf(versions: readonly Version[]): unknown {
  return {
    current_version: versions.length,
    versions: Object.fromEntries(
      versions.map(({ created, deleted, destroyed }, i) => [
        String(i + 1),
        { created_time: created, deletion_time: deleted, destroyed },
      ]),
    ),
  };
}

function listed(names: readonly string[], folder: string): Reply {
  const below = names.filter((name) => name.startsWith(folder)).map((name) => name.slice(folder.length));
  const keys = new Set(below.map((name) => name.replace(/\/.*$/, "/")));
  return keys.size === 0 ? NONE : { status: 200, body: { data: { keys: [...keys].sort() } } };
}
