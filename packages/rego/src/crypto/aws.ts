// SPDX-License-Identifier: Apache-2.0
// providers.aws.sign_req: the headers of a request, signed for Amazon's services (Signature Version 4, AWS General
// Reference "Signing AWS API requests"). Nothing is sent: no function reaches the network.

import { fromUtf8, toHex } from "@adyton/core/bytes";
import { syncCrypto } from "@adyton/core/sync-crypto";
import type { Builtin, BuiltinContext } from "../builtin.ts";
import { define, numberAt, objectAt, operandFailure } from "../builtins/define.ts";
import { jsonOf } from "../json-text.ts";
import { toBigInt } from "../number.ts";
import { ANY, dictionaryOf, NUMBER, STRING } from "../types.ts";
import { bytesOf } from "../utf8.ts";
import { entriesOf, isObject, memberOf, objectOf, RegoSet, type Value } from "../value.ts";
import { SIGNATURE_STEPS, stepsFor } from "./guard.ts";
import { parseUrl } from "./url.ts";

const ALGORITHM = "AWS4-HMAC-SHA256";
const SCOPE_END = "aws4_request";
const CONFIGURED = ["aws_access_key", "aws_region", "aws_secret_access_key", "aws_service"] as const;
const REQUIRED = ["method", "url"] as const;
/** Of requests in general: what else `http.send` would take. */
const PARAMETERS: ReadonlySet<string> = new Set([
  ...REQUIRED,
  ...["", "raw_"].map((prefix) => `${prefix}body`),
  ...["enable_redirect", "force_json_decode", "force_yaml_decode", "headers", "timeout", "raise_error"],
  ...["cache", "force_cache", "force_cache_duration_seconds", "caching_mode", "cache_ignored_headers"],
  ...["max_retry_attempts", "tls_use_system_certs", "tls_insecure_skip_verify", "tls_server_name"],
  ...["ca_cert", "client_cert", "client_key"].flatMap((name) =>
    ["", "_file", "_env_variable"].map((suffix) => `tls_${name}${suffix}`),
  ),
]);
/** Changed on the way by proxies. */
const UNSIGNED: ReadonlySet<string> = new Set(["authorization", "user-agent", "x-amzn-trace-id"]);
/** Services that want the digest of the body in a header. */
const DIGESTED: readonly string[] = ["s3", "glacier"];
const RECORD = dictionaryOf(STRING, ANY);

export const awsBuiltins: readonly Builtin[] = [
  define(
    "providers.aws.sign_req",
    [RECORD, RECORD, NUMBER],
    dictionaryOf(ANY, ANY),
    (request: Value, config: Value, time: Value, context: BuiltinContext): Value => {
      const fields = objectAt(request, 1);
      const settings = stringsOf(objectAt(config, 2), CONFIGURED, 2, "AWS config");
      const at = dateOf(time);
      const names = entriesOf(fields).map(([key]) => key);
      const unknown = names.filter((name) => typeof name !== "string" || !PARAMETERS.has(name));
      if (unknown.length > 0) throw listed(1, "invalid request parameters(s)", unknown);
      const { method = "", url = "" } = stringsOf(fields, REQUIRED, 1, "request");
      const headers = memberOf(fields, "headers") ?? {};
      if (!isObject(headers)) throw operandFailure(1, "headers must be an object");
      const body = bodyOf(fields);
      context.spend(SIGNATURE_STEPS + stepsFor(body.length));
      const unsigned = memberOf(objectAt(config, 2), "disable_payload_signing") ?? false;
      if (typeof unsigned !== "boolean")
        throw operandFailure(2, "invalid value for 'disable_payload_signing' in AWS config");
      const digest = unsigned ? "UNSIGNED-PAYLOAD" : sha256(body);
      const token = memberOf(objectAt(config, 2), "aws_session_token");
      const signed = sign({ method, url, headers: entriesOf(headers), digest, settings, token, at });
      return objectOf([...entriesOf(fields), ["headers", signed]]);
    },
  ),
];

interface Signing {
  readonly method: string;
  readonly url: string;
  readonly headers: readonly (readonly [Value, Value])[];
  /** Of the body, or what stands for it. */
  readonly digest: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly token: Value | undefined;
  /** YYYYMMDDThhmmssZ */
  readonly at: string;
}

/** The headers of the request, those that the signature needs, and the signature. */
function sign({ method, url, headers, digest, settings, token, at }: Signing): Value {
  const { host, path, query } = parseUrl(url);
  const { aws_access_key: id = "", aws_secret_access_key: secret = "" } = settings;
  const { aws_region: region = "", aws_service: service = "" } = settings;
  const text = (value: Value): string => (typeof value === "string" ? value : "");
  const own: Record<string, string> = { host, "x-amz-date": at };
  if (DIGESTED.includes(service)) own["x-amz-content-sha256"] = digest;
  if (typeof token === "string" && token !== "") own["x-amz-security-token"] = token;
  const given = headers.map(([name, value]) => [text(name), text(value)] as const);
  const signable = given
    .map(([name, value]) => [name.toLowerCase(), value] as const)
    .filter(([name]) => !UNSIGNED.has(name));
  const all = Object.entries({ ...own, ...Object.fromEntries(signable) }).sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const list = all.map(([name]) => name).join(";");
  const lines = all.map(([name, value]) => `${name}:${value}\n`).join("");
  const canonical = [method, path, query, lines, list, digest].join("\n");
  const day = at.slice(0, 8);
  const scope = [day, region, service, SCOPE_END];
  const key = scope.reduce((secretKey, part) => mac(secretKey, part), bytesOf(`AWS4${secret}`));
  const signature = toHex(mac(key, [ALGORITHM, at, scope.join("/"), sha256(bytesOf(canonical))].join("\n")));
  const authorization = `${ALGORITHM} Credential=${id}/${scope.join("/")},SignedHeaders=${list},Signature=${signature}`;
  return objectOf([...given, ["Authorization", authorization], ...Object.entries(own)]);
}

function mac(key: Uint8Array<ArrayBuffer>, text: string): Uint8Array<ArrayBuffer> {
  return syncCrypto.hmac("SHA-256", key, bytesOf(text));
}

function sha256(bytes: Uint8Array): string {
  return toHex(syncCrypto.digest("SHA-256", bytes));
}

/** The raw body, or the JSON text of the other one. */
function bodyOf(request: Value): Uint8Array {
  const [raw, body] = [memberOf(request, "raw_body"), memberOf(request, "body")];
  if (raw !== undefined) return typeof raw === "string" ? bytesOf(raw) : new Uint8Array(0);
  return body === undefined ? new Uint8Array(0) : fromUtf8(jsonOf(body));
}

/** Members that must be there, and strings. */
function stringsOf(
  object: Value,
  names: readonly string[],
  position: number,
  what: string,
): Readonly<Record<string, string>> {
  const missing = names.filter((name) => memberOf(object, name) === undefined);
  if (missing.length > 0) throw listed(position, `missing required ${what} parameters(s)`, missing);
  const entries = names.map((name) => [name, memberOf(object, name)] as const);
  const wrong = entries.filter(([, value]) => typeof value !== "string").map(([name]) => name);
  if (wrong.length > 0) throw listed(position, `invalid values for required ${what} parameters(s)`, wrong);
  return Object.fromEntries(entries) as Record<string, string>;
}

function listed(position: number, message: string, names: readonly Value[]): Error {
  const shown = RegoSet.of(names)
    .sorted()
    .map((name) => jsonOf(name).slice(0, 60));
  return operandFailure(position, `${message}: {${shown.join(", ")}}`);
}

function dateOf(time: Value): string {
  const nanoseconds = toBigInt(numberAt(time, 3));
  if (nanoseconds === undefined || nanoseconds < 0n || BigInt.asIntN(64, nanoseconds) !== nanoseconds)
    throw operandFailure(3, "could not convert time_ns value into a unix timestamp");
  const at = new Date(Number(nanoseconds / 1_000_000n)).toISOString();
  return `${at.slice(0, 19).replace(/[-:]/g, "")}Z`;
}
