// SPDX-License-Identifier: Apache-2.0
// The guest API of Confidential Containers (guest-components, api-server-rest): containers of this machine get tokens,
// evidence and secrets with curl, without knowing of attestation.

import type { Attester } from "@adyton/attester";
import type { Client } from "@adyton/client";
import { fromBase64, fromUtf8, toBase64, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { schemeOf } from "@adyton/evidence";
import type { AgentFeature } from "./choices.ts";
import type { AgentEvent, Measurer } from "./measure.ts";
import { type SealedSecretOptions, unsealSecret } from "./sealed-secret.ts";

export interface AgentOptions {
  /** Made with `exportableKey`, so that a token can be handed on with its key. */
  readonly client: Client;
  readonly attester: Pick<Attester, "tee" | "collect">;
  /** Default `all`. */
  readonly features?: AgentFeature;
  readonly version: string;
  /** Where events go that containers want measured. Default: nowhere, and they are told. */
  readonly measurer?: Measurer;
  readonly sealedSecrets?: SealedSecretOptions;
}

export interface AgentRequest {
  readonly method: string;
  /** Path and query, as sent. */
  readonly target: string;
  /** The header `Host`. */
  readonly host: string;
  readonly remoteAddress: string | undefined;
  readonly body: Uint8Array;
}

export interface AgentAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Uint8Array;
  /** For the header `Allow`. */
  readonly allow?: string;
}

type Handler = (url: URL, body: Uint8Array) => Promise<AgentAnswer>;

interface Route {
  readonly feature: AgentFeature;
  readonly method: "GET" | "POST";
  readonly path: RegExp;
  readonly handle: Handler;
}

const MAX_REPORT_DATA = 64;
const LOOPBACK = /^(?:127\.\d{1,3}\.\d{1,3}\.\d{1,3}|::1|::ffff:127\.\d{1,3}\.\d{1,3}\.\d{1,3})$/;
const LOCAL_HOST = /^(?:localhost|127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\])(?::\d{1,5})?$/;

/** Answers requests; never rejects. What is refused says why as `{"code", "detail"}`, and never shows a secret. */
export function createAgent(options: AgentOptions): (request: AgentRequest) => Promise<AgentAnswer> {
  const { features = "all" } = options;
  const routes = routesOf(options).filter(
    ({ feature }) => features === "all" || feature === features || feature === "all",
  );
  return async ({ method, target, host, remoteAddress, body }) => {
    // A page in a browser can send requests here under a name of its own, but not under this Host.
    if (!LOOPBACK.test(remoteAddress ?? "") || !LOCAL_HOST.test(host))
      return refusal(403, "FORBIDDEN", "this API serves its own machine only");
    const url = URL.canParse(target, "http://agent") ? new URL(target, "http://agent") : undefined;
    const there = routes.filter(({ path }) => url !== undefined && path.test(url.pathname));
    if (url === undefined || there.length === 0) return refusal(404, "NOT_FOUND", "there is no such path");
    const route = there.find((each) => each.method === method);
    if (route === undefined) {
      const allow = there.map((each) => each.method).join(", ");
      return { ...refusal(405, "METHOD_NOT_ALLOWED", `expected ${allow}`), allow };
    }
    try {
      return await route.handle(url, body);
    } catch (error) {
      return answerTo(error);
    }
  };
}

function routesOf({
  client,
  attester,
  version,
  measurer,
  sealedSecrets = {},
}: AgentOptions): readonly Route[] {
  const { tee } = attester;
  return [
    {
      ...{ feature: "resource", method: "GET", path: /^\/cdh\/resource\/.+$/ },
      handle: async ({ pathname }) =>
        binary(await client.getResource(pathname.slice("/cdh/resource/".length))),
    },
    {
      ...{ feature: "resource", method: "POST", path: /^\/cdh\/unseal$/ },
      handle: async (_url, body) => binary(await unsealSecret(textOf(body), client, sealedSecrets)),
    },
    {
      ...{ feature: "attestation", method: "GET", path: /^\/aa\/token$/ },
      handle: async ({ searchParams }) => {
        if (searchParams.get("token_type") !== "kbs")
          return refusal(400, "BAD_REQUEST", "expected token_type=kbs");
        const { token, keyPair } = await client.getToken();
        return json({ token, tee_keypair: await pemOf(keyPair.privateKey) });
      },
    },
    {
      ...{ feature: "attestation", method: "GET", path: /^\/aa\/evidence$/ },
      handle: async ({ searchParams }) => {
        const reportData = reportDataIn(searchParams);
        if (reportData === undefined)
          return refusal(400, "BAD_REQUEST", `expected runtime_data of at most ${MAX_REPORT_DATA} bytes`);
        return json(schemeOf(tee).toKbs(await attester.collect(reportData)));
      },
    },
    {
      ...{ feature: "attestation", method: "GET", path: /^\/aa\/additional-evidence$/ },
      handle: async ({ searchParams }) =>
        reportDataIn(searchParams) === undefined
          ? refusal(400, "BAD_REQUEST", `expected runtime_data of at most ${MAX_REPORT_DATA} bytes`)
          : // This machine's own TEE is the only one that it attests with.
            json({}),
    },
    {
      ...{ feature: "attestation", method: "POST", path: /^\/aa\/aael$/ },
      handle: async (_url, body) => {
        const event = eventIn(body);
        if (event === undefined)
          return refusal(400, "BAD_REQUEST", "expected domain, operation and content without line breaks");
        if (measurer === undefined)
          return refusal(
            501,
            "NOT_SUPPORTED",
            "this agent measures no events: it was started without --measure",
          );
        await measurer.extend(event);
        return { status: 200, type: "text/plain", body: new Uint8Array() };
      },
    },
    {
      ...{ feature: "all", method: "GET", path: /^\/info$/ },
      handle: async () => json({ version, tee, additional_tees: [] }),
    },
  ];
}

/** What the guest's question means for the answer: 401 and 403 say that policy or evidence is at fault, not this agent. */
function answerTo(error: unknown): AgentAnswer {
  if (!(error instanceof AdytonError)) return refusal(500, "INTERNAL", "the agent met an unexpected error");
  const { code, category, message, hint } = error;
  const detail = hint === undefined ? message : `${message} Next: ${hint}`;
  const status = STATUS[code] ?? (category === "unavailable" ? 503 : category === "misuse" ? 400 : 502);
  return refusal(status, code, detail);
}

const STATUS: Readonly<Record<string, number>> = {
  RELEASE_REFUSED: 403,
  ATTESTATION_REFUSED: 401,
  TOKEN_REFUSED: 401,
  RESOURCE_MISSING: 404,
  SEALED_SECRET_INVALID: 400,
};

function reportDataIn(params: URLSearchParams): Uint8Array | undefined {
  const text = params.get("runtime_data");
  const encoding = params.get("encoding");
  if (text === null || (encoding !== null && encoding !== "base64")) return undefined;
  try {
    const bytes = encoding === null ? fromUtf8(text) : fromBase64(text);
    return bytes.length <= MAX_REPORT_DATA ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function eventIn(body: Uint8Array): AgentEvent | undefined {
  let value: JsonValue;
  try {
    value = parseJson(toUtf8(body));
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { domain, operation, content } = value;
  const parts = [domain, operation, content];
  if (!parts.every((part) => typeof part === "string" && part !== "" && !/[\r\n]/.test(part)))
    return undefined;
  // The event's three parts are parted by spaces: the first two hold none.
  if (/\s/.test(String(domain)) || /\s/.test(String(operation))) return undefined;
  return { domain: String(domain), operation: String(operation), content: String(content) };
}

function textOf(body: Uint8Array): string {
  try {
    return toUtf8(body).trim();
  } catch {
    return "";
  }
}

/** PKCS #8, as guest-components hand it on. */
async function pemOf(key: CryptoKey): Promise<string> {
  const der = toBase64(new Uint8Array(await crypto.subtle.exportKey("pkcs8", key)));
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/.{64}/g, "$&\n").trimEnd()}\n-----END PRIVATE KEY-----\n`;
}

function binary(body: Uint8Array): AgentAnswer {
  return { status: 200, type: "application/octet-stream", body };
}

function json(value: JsonValue): AgentAnswer {
  return { status: 200, type: "application/json", body: fromUtf8(JSON.stringify(value)) };
}

function refusal(status: number, code: string, detail: string): AgentAnswer {
  return { status, type: "application/json", body: fromUtf8(JSON.stringify({ code, detail })) };
}
