// SPDX-License-Identifier: Apache-2.0
// Trustee's attestation service and reference-value provider over gRPC. Each call becomes a request to the broker itself, so
// that who may ask, limits, tenants and the audit log are those of every request.

import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { Code, ConnectError, type ConnectRouter, type HandlerContext } from "@connectrpc/connect";
import type { Broker } from "../broker.ts";
import type { Connection } from "../http/parts.ts";
import { AttestationService, type IndividualAttestationRequest } from "../proto/attestation_pb.ts";
import { ReferenceValueProviderService } from "../proto/reference_pb.ts";

const REFERENCES = "/kbs/v0/reference-value";
/** Metadata that names a tenant; without it the house itself is asked. */
const TENANT = "adyton-tenant";
const TENANT_NAME = /^[a-z][a-z0-9-]{0,39}$/;
/** In requests to the broker's own function no host is meant. */
const BASE = "http://broker.invalid";
const CODES: ReadonlyMap<number, Code> = new Map([
  [400, Code.InvalidArgument],
  [401, Code.Unauthenticated],
  [403, Code.PermissionDenied],
  [404, Code.NotFound],
  [409, Code.FailedPrecondition],
  [413, Code.ResourceExhausted],
  [415, Code.InvalidArgument],
  [429, Code.ResourceExhausted],
  [503, Code.Unavailable],
]);

/** Who a call comes from. */
export type ConnectionOf = (context: HandlerContext) => Connection;

export function addServices(
  router: ConnectRouter,
  broker: Pick<Broker, "fetch">,
  connectionOf: ConnectionOf,
): void {
  const ask = async (
    context: HandlerContext,
    method: string,
    path: string,
    body?: JsonValue | string,
  ): Promise<string> => {
    const response = await broker.fetch(requestOf(context, method, path, body), connectionOf(context));
    const text = await response.text();
    if (response.status !== 200) throw refusalOf(response, text);
    return text;
  };
  router.service(AttestationService, {
    attestationEvaluate: async ({ verificationRequests, policyIds }, context) => {
      const requests = verificationRequests.map(individualOf);
      const body = { verification_requests: requests, policy_ids: policyIds };
      return { attestationToken: await ask(context, "POST", "/attestation", body) };
    },
    setAttestationPolicy: async ({ policyId, policy }, context) => {
      await ask(context, "POST", "/policy", { policy_id: policyId, policy });
      return {};
    },
    getAttestationChallenge: async ({ inner }, context) => ({
      attestationChallenge: await ask(context, "POST", "/challenge", { ...inner }),
    }),
  });
  router.service(ReferenceValueProviderService, {
    queryReferenceValue: async ({ referenceValueId: id }, context) => {
      // By the list: an id may have characters that no path has.
      const values = objectIn(await ask(context, "GET", REFERENCES));
      const found = Object.hasOwn(values, id) ? values[id] : undefined;
      return found === undefined ? {} : { referenceValueResults: JSON.stringify(found) };
    },
    registerReferenceValue: async ({ message }, context) => {
      await ask(context, "POST", REFERENCES, message);
      return {};
    },
    listReferenceValues: async (_, context) => ({
      referenceValueIds: Object.keys(objectIn(await ask(context, "GET", REFERENCES))).sort(),
    }),
  });
}

function individualOf(request: IndividualAttestationRequest): JsonObject {
  const { tee, evidence, runtimeData, initData, runtimeDataHashAlgorithm: hash } = request;
  return {
    tee,
    evidence,
    runtime_data:
      runtimeData.case === undefined
        ? null
        : runtimeData.case === "rawRuntimeData"
          ? { raw: runtimeData.value }
          : { structured: structuredIn(runtimeData.value) },
    init_data:
      initData.case === undefined
        ? null
        : initData.case === "initDataDigest"
          ? { init_data_digest: initData.value }
          : { init_data_toml: initData.value },
    ...(hash === "" ? {} : { runtime_data_hash_algorithm: hash }),
  };
}

function structuredIn(text: string): JsonValue {
  try {
    return parseJson(text);
  } catch (error) {
    if (!(error instanceof AdytonError)) throw error;
    throw new ConnectError(
      "Cannot read the request: structured_runtime_data is no JSON",
      Code.InvalidArgument,
    );
  }
}

function objectIn(text: string): JsonObject {
  const value = parseJson(text);
  if (!isJsonObject(value)) throw new ConnectError("the broker answered no object", Code.Internal);
  return value;
}

function requestOf(
  { requestHeader, signal }: HandlerContext,
  method: string,
  path: string,
  body: JsonValue | string | undefined,
): Request {
  const tenant = requestHeader.get(TENANT);
  if (tenant !== null && !TENANT_NAME.test(tenant))
    throw new ConnectError(`${TENANT} names no tenant`, Code.InvalidArgument);
  const authorization = requestHeader.get("authorization");
  return new Request(`${BASE}${tenant === null ? "" : `/tenants/${tenant}`}${path}`, {
    method,
    signal,
    ...(authorization === null ? {} : { headers: { authorization } }),
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
}

/** What the broker said, as a status of gRPC; our own code stands in the metadata `adyton-error`. */
function refusalOf(response: Response, text: string): ConnectError {
  const error = response.headers.get("adyton-error");
  // The KBS protocol says 401 of nearly everything.
  const code =
    response.status === 401 && error !== null && !/^ADMIN_REFUSED;/.test(error)
      ? Code.PermissionDenied
      : (CODES.get(response.status) ?? Code.Internal);
  return new ConnectError(detailIn(text), code, error === null ? {} : { "adyton-error": error });
}

function detailIn(text: string): string {
  try {
    const { detail } = objectIn(text);
    if (typeof detail === "string") return detail;
  } catch (error) {
    if (!(error instanceof AdytonError || error instanceof ConnectError)) throw error;
  }
  return "refused";
}
