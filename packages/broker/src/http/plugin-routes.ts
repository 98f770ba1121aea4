// SPDX-License-Identifier: Apache-2.0
// Plugins' requests: who sends them, may they, what is logged, and how the answer is sealed. Plugins only answer.

import { auditChange } from "../audit.ts";
import { BrokerError } from "../errors.ts";
import { encryptTo, type TeeKey } from "../jwe.ts";
import type { Plugin, PluginCall, PluginContext, PluginRequest, PluginResponse } from "../plugins/types.ts";
import type { AttestedClaims } from "../policy.ts";
import { invalid } from "../protocol.ts";
import type { Admission } from "../release-gate.ts";
import { errorResponse } from "./answers.ts";
import { claimsOf } from "./attested.ts";
import { readBody } from "./body.ts";
import { bearerOf, sessionIdOf } from "./credentials.ts";
import { type App, type AppParts, noSuchPath, PREFIX } from "./parts.ts";

const METHODS = ["GET", "POST", "PUT", "DELETE"] as const;
const NAME = /^[a-z0-9-]{1,64}$/;
/** Names that the broker answers itself. */
const TAKEN: readonly string[] = [
  "auth",
  "attest",
  "resource",
  "resources",
  "resource-policy",
  "attestation-policy",
  "policies",
  "reference-value",
];
const MAX_PARTS = 32;
const MAX_PART = 512;
const MAX_QUERY = 64;

/** Throws `INVALID_PATH` for a name that is taken or cannot be one. */
export function addPluginRoutes(app: App, parts: AppParts): void {
  const seen = new Set(TAKEN);
  for (const plugin of parts.plugins) {
    if (!NAME.test(plugin.name) || seen.has(plugin.name)) {
      const why = seen.has(plugin.name) ? "it is taken" : "expected lower-case letters, digits and -";
      throw new BrokerError("INVALID_PATH", "misuse", `Cannot name a plugin ${plugin.name}: ${why}`);
    }
    seen.add(plugin.name);
    if (plugin.defaultTenantOnly === true && parts.tenant !== undefined) continue;
    const prefix = `${PREFIX}/${plugin.name}`;
    app.on([...METHODS], `${prefix}/*`, (c) => answer(plugin, prefix, c.req.raw, parts));
    const { vaultPath } = plugin;
    if (vaultPath === undefined) continue;
    app.on([...METHODS], `${vaultPath}/*`, async (c) => {
      try {
        return await answer(plugin, vaultPath, withVaultToken(c.req.raw), parts);
      } catch (error) {
        return vaultError(errorResponse(error, parts.logger));
      }
    });
  }
}

async function answer(plugin: Plugin, prefix: string, request: Request, parts: AppParts): Promise<Response> {
  const now = parts.clock.now();
  // The request itself stays unread: who authorises it may have to keep it.
  const call = await callOf(prefix, request, parts.maxBodyBytes);
  const { sender, admission } = await letIn(plugin, call, request, parts, now);
  const asked: PluginRequest = { ...call, ...sender };
  const { claims, principal } = sender;
  const context: PluginContext = { now, store: parts.store, vault: parts.vault, logger: parts.logger };
  let response: PluginResponse;
  let sealing: TeeKey | undefined;
  try {
    sealing = claims !== undefined && (await plugin.encrypts(asked)) ? parts.gate.keyOf(claims) : undefined;
    response = await plugin.handle(asked, context);
  } catch (error) {
    await admission?.record("deny", { reason: error instanceof BrokerError ? error.code : "failed" });
    throw error;
  } finally {
    call.body.fill(0);
  }
  if (admission !== undefined) {
    const key = sealing === undefined ? {} : { key: sealing.thumbprint };
    await admission.record("allow", { reason: "policy", ...key, ...response.audit });
  } else if (response.recorded !== true && (principal !== undefined || response.audit !== undefined)) {
    const event = { ...eventOf(plugin, call), ...response.audit };
    const by = principal === undefined ? {} : { by: principal.id };
    await parts.store.write([auditChange(now, { type: "plugin.admin", ...event, ...by })]);
  }
  if (sealing === undefined) return plain(response);
  const jwe = encryptTo(sealing, response.body);
  response.body.fill(0);
  return Response.json(jwe, { status: response.status ?? 200 });
}

interface LetIn {
  readonly sender: Pick<PluginRequest, "claims" | "principal">;
  /** Of an attested sender. */
  readonly admission?: Admission;
}

async function letIn(
  plugin: Plugin,
  call: PluginCall,
  request: Request,
  parts: AppParts,
  now: Date,
): Promise<LetIn> {
  const access = await plugin.access(call);
  if (access === "public") return { sender: {} };
  const claims = access === "admin" ? undefined : await attestedOf(access, request, parts, now);
  if (claims === undefined) {
    const principal = await parts.authorize(request, `plugin.${plugin.name}.admin`, call.path.join("/"));
    return { sender: { principal } };
  }
  const asked = { plugin: plugin.name, path: call.path, query: Object.fromEntries(call.query) };
  const event = { type: "plugin.use", ...eventOf(plugin, call) };
  return { sender: { claims }, admission: await parts.gate.admit(asked, claims, now, event) };
}

/** Where administrators may ask too, whoever brings no token of ours has to be one. */
async function attestedOf(
  access: "attested" | "attested-or-admin",
  request: Request,
  parts: AppParts,
  now: Date,
): Promise<AttestedClaims | undefined> {
  if (access === "attested") return claimsOf(request, parts, now);
  const bearer = bearerOf(request);
  if (bearer === undefined && sessionIdOf(request) === undefined) return undefined;
  try {
    return await claimsOf(request, parts, now);
  } catch (error) {
    if (bearer !== undefined && error instanceof BrokerError && error.code === "TOKEN_REFUSED")
      return undefined;
    throw error;
  }
}

function eventOf(plugin: Plugin, { method, path }: PluginCall): Record<string, string> {
  return { plugin: plugin.name, method, path: path.join("/") };
}

function plain({ status = 200, body, contentType = "application/octet-stream" }: PluginResponse): Response {
  const empty = body.length === 0;
  return new Response(empty ? null : (body as BodyInit), {
    status,
    headers: empty ? {} : { "content-type": contentType },
  });
}

/** Rejects with `INVALID_REQUEST`, `INVALID_PATH` or `REQUEST_TOO_LARGE`. */
async function callOf(prefix: string, request: Request, maxBodyBytes: number): Promise<PluginCall> {
  const { pathname, searchParams } = new URL(request.url);
  if (!pathname.startsWith(`${prefix}/`)) throw noSuchPath("an encoded path", pathname);
  const path = pathname
    .slice(prefix.length + 1)
    .split("/")
    .map(decoded);
  if (path.length > MAX_PARTS) throw invalid(`the path has more than ${MAX_PARTS} parts`);
  const query = new Map<string, string>();
  for (const [name, value] of searchParams) {
    if (query.has(name) || query.size >= MAX_QUERY)
      throw invalid("the query names something twice, or too much");
    query.set(name, value);
  }
  const method = METHODS.find((known) => known === request.method);
  if (method === undefined) throw invalid("the method is none of a plugin's");
  const body = request.body === null ? new Uint8Array(0) : await readBody(request.clone(), maxBodyBytes);
  return { method, path, query, body };
}

function decoded(part: string): string {
  let text: string;
  try {
    text = decodeURIComponent(part);
  } catch {
    text = "";
  }
  const named = text !== "" && text !== "." && text !== ".." && text.length <= MAX_PART;
  if (!named || /[/\\\p{Cc}]/u.test(text))
    throw new BrokerError("INVALID_PATH", "misuse", "Cannot answer: a part of the path is no name");
  return text;
}

/** Vault's clients send their token in a header of their own. */
function withVaultToken(request: Request): Request {
  const token = request.headers.get("x-vault-token");
  if (token === null || request.headers.has("authorization")) return request;
  const headers = new Headers(request.headers);
  headers.set("authorization", `Bearer ${token}`);
  return new Request(request, { headers });
}

/** `{"errors": […]}`, as Vault's clients expect it; 401 of a lacking permission is 403 there. */
async function vaultError(response: Response): Promise<Response> {
  const { detail } = (await response.json()) as { detail?: string };
  const headers = new Headers();
  for (const name of ["adyton-error", "retry-after"]) {
    const value = response.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  const status = response.status === 401 ? 403 : response.status;
  return Response.json({ errors: [detail ?? "refused"] }, { status, headers });
}
