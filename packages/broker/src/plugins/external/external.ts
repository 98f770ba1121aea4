// SPDX-License-Identifier: Apache-2.0
// Plugins in programs of their own, over gRPC: Trustee's `kbs.plugin.v1`, mounted at `/kbs/v0/external/<name>/…`.

import { type Client, Code, ConnectError, createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { BrokerError } from "../../errors.ts";
import { noSuchCall } from "../answers.ts";
import type { Plugin, PluginAccess, PluginCall, PluginRequest, PluginResponse } from "../types.ts";
import { KbsPlugin } from "./kbs-plugin_pb.ts";

/** One external plugin. */
export interface ExternalPlugin {
  /** Behind `/kbs/v0/external/`. */
  readonly name: string;
  /** `https://host:port`; `http://` only on this machine. */
  readonly url: string;
  /** PEM. `ca` replaces the system's roots; `certificate` and `key` prove who we are. */
  readonly tls?: { readonly ca?: string; readonly certificate?: string; readonly key?: string };
  /** For each call. Default 10 s. */
  readonly timeoutMilliseconds?: number;
}

interface Backend {
  readonly name: string;
  readonly client: Client<typeof KbsPlugin>;
  readonly sessions: Http2SessionManager;
  readonly timeoutMs: number;
}

const NAME = "external";
const DEFAULT_TIMEOUT = 10_000;
const MAX_MESSAGE = 8 * 1024 * 1024;
const LOOPBACK: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

/**
 * Forwards requests to programs. Each says itself who may ask (`ValidateAuth`) and what is encrypted (`NeedsEncryption`);
 * what an attested workload asks passes the resource policy first. Throws `INSECURE_ADDRESS` for plain HTTP to elsewhere.
 */
export function externalPlugins(plugins: readonly ExternalPlugin[]): Plugin {
  const backends = new Map(plugins.map((plugin) => [plugin.name, backendOf(plugin)]));
  const backendFor = (call: PluginCall): Backend => {
    const backend = backends.get(call.path[0] ?? "");
    if (backend === undefined || call.path.length < 2) throw noSuchCall(NAME, call);
    return backend;
  };
  return {
    name: NAME,
    // Its messages do not say which tenant asks.
    defaultTenantOnly: true,
    access: async (call): Promise<PluginAccess> => {
      const backend = backendFor(call);
      const { requiresAdminAuth } = await asked(backend, (client, options) =>
        client.validateAuth(messageOf(call), options),
      );
      return requiresAdminAuth ? "admin" : "attested";
    },
    encrypts: async (request) => {
      const backend = backendFor(request);
      const { requiresPayloadEncryption } = await asked(backend, (client, options) =>
        client.needsEncryption(messageOf(request), options),
      );
      return requiresPayloadEncryption;
    },
    handle: async (request): Promise<PluginResponse> => {
      const backend = backendFor(request);
      const { body, statusCode, contentType } = await asked(backend, (client, options) =>
        client.handle(messageOf(request), options),
      );
      if (statusCode !== 0 && (statusCode < 200 || statusCode > 299))
        throw failed(backend.name, `it answered ${statusCode}`);
      return {
        body,
        ...(statusCode === 0 ? {} : { status: statusCode }),
        ...(/^[a-z0-9.+-]+\/[a-z0-9.+-]+$/.test(contentType) ? { contentType } : {}),
        audit: { external: backend.name },
      };
    },
    close: async () => {
      for (const { sessions } of backends.values()) sessions.abort();
    },
  };
}

function backendOf({ name, url, tls = {}, timeoutMilliseconds = DEFAULT_TIMEOUT }: ExternalPlugin): Backend {
  const { protocol, hostname } = new URL(url);
  if (protocol !== "https:" && !LOOPBACK.includes(hostname)) {
    throw new BrokerError(
      "INSECURE_ADDRESS",
      "misuse",
      `Cannot reach the plugin ${name} at ${url}: plain HTTP would show secrets on the way`,
      { hint: "Use https://, or run the plugin on this machine." },
    );
  }
  const { ca, certificate: cert, key } = tls;
  const nodeOptions =
    protocol === "https:"
      ? {
          ...(ca === undefined ? {} : { ca }),
          ...(cert === undefined ? {} : { cert }),
          ...(key === undefined ? {} : { key }),
        }
      : {};
  const sessions = new Http2SessionManager(url, {}, nodeOptions);
  const transport = createGrpcTransport({
    baseUrl: url,
    nodeOptions,
    sessionManager: sessions,
    readMaxBytes: MAX_MESSAGE,
  });
  return { name, client: createClient(KbsPlugin, transport), sessions, timeoutMs: timeoutMilliseconds };
}

/** What goes over the wire: the path behind the plugin's name. */
function messageOf({ body, query, path, method }: PluginCall | PluginRequest) {
  return { body, query: Object.fromEntries(query), path: path.slice(1), method };
}

async function asked<T>(
  { name, client, timeoutMs }: Backend,
  call: (client: Client<typeof KbsPlugin>, options: { readonly timeoutMs: number }) => Promise<T>,
): Promise<T> {
  try {
    return await call(client, { timeoutMs });
  } catch (cause) {
    const error = ConnectError.from(cause);
    throw failed(name, `${Code[error.code]}: ${error.rawMessage}`, cause);
  }
}

/** The plugin's own words stay in our log. */
function failed(name: string, why: string, cause?: unknown): BrokerError {
  return new BrokerError("PLUGIN_FAILED", "unavailable", `Cannot use the external plugin ${name}: ${why}`, {
    ...(cause === undefined ? {} : { cause }),
    detail: { plugin: name },
  });
}
