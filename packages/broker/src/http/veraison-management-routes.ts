// SPDX-License-Identifier: Apache-2.0
// Veraison's management API, version 1: policies per attestation scheme, and which of them is active.

import { toUtf8 } from "@adyton/core/bytes";
import type { BrokerError } from "../errors.ts";
import { invalid } from "../protocol.ts";
import { SCHEME_NAMES } from "../veraison-media.ts";
import { readBody } from "./body.ts";
import type { App, AppParts } from "./parts.ts";

const API = "/management/v1";
const POLICY = `${API}/policy/:scheme`;
const POLICIES = `${API}/policies/:scheme`;
const DISCOVERY = "/.well-known/veraison/management";
const RULES_TYPE = "application/vnd.veraison.policy.opa";
const POLICY_TYPE = "application/vnd.veraison.policy+json";
const POLICIES_TYPE = "application/vnd.veraison.policies+json";
const DISCOVERY_TYPE = "application/vnd.veraison.discovery+json";
const DEFAULT_NAME = "default";
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function addVeraisonManagementRoutes(app: App, parts: AppParts): void {
  const { authorize, clock, maxBodyBytes, veraisonPolicies: policies } = parts;
  app.post(POLICY, async (c) => {
    const scheme = schemeIn(c.req.param("scheme"));
    const { id } = await authorize(c.req.raw, "policy.set", targetOf(scheme));
    const type = c.req.header("content-type")?.split(";")[0]?.trim().toLowerCase() ?? "";
    // Veraison answers 400, not 415.
    if (type !== RULES_TYPE) throw unsupported(type);
    const name = c.req.query("name") ?? DEFAULT_NAME;
    const rules = textOf(await readBody(c.req.raw, maxBodyBytes));
    return answer(await policies.create(scheme, name, rules, clock.now(), id), POLICY_TYPE, 201);
  });
  app.post(`${POLICY}/:uuid/activate`, async (c) => {
    const scheme = schemeIn(c.req.param("scheme"));
    const { id } = await authorize(c.req.raw, "policy.set", targetOf(scheme));
    await policies.activate(scheme, uuidIn(c.req.param("uuid")), clock.now(), id);
    return c.body(null, 200);
  });
  app.get(POLICY, async (c) => {
    const scheme = schemeIn(c.req.param("scheme"));
    await authorize(c.req.raw, "policy.read", targetOf(scheme));
    return answer(await policies.active(scheme), POLICY_TYPE);
  });
  app.get(`${POLICY}/:uuid`, async (c) => {
    const scheme = schemeIn(c.req.param("scheme"));
    await authorize(c.req.raw, "policy.read", targetOf(scheme));
    return answer(await policies.get(scheme, uuidIn(c.req.param("uuid"))), POLICY_TYPE);
  });
  app.get(POLICIES, async (c) => {
    const scheme = schemeIn(c.req.param("scheme"));
    await authorize(c.req.raw, "policy.read", targetOf(scheme));
    return answer(await policies.list(scheme, c.req.query("name")), POLICIES_TYPE);
  });
  app.post(`${POLICIES}/deactivate`, async (c) => {
    const scheme = schemeIn(c.req.param("scheme"));
    const { id } = await authorize(c.req.raw, "policy.set", targetOf(scheme));
    await policies.deactivate(scheme, clock.now(), id);
    return c.body(null, 200);
  });
  app.get(DISCOVERY, () =>
    answer(
      {
        "media-types": [RULES_TYPE],
        "attestation-schemes": SCHEME_NAMES,
        version: "1.0.0",
        "service-state": "READY",
        "api-endpoints": {
          createPolicy: `${API}/policy/:scheme`,
          activatePolicy: `${API}/policy/:scheme/:uuid/activate`,
          getActivePolicy: `${API}/policy/:scheme`,
          getPolicy: `${API}/policy/:scheme/:uuid`,
          deactivatePolicies: `${API}/policies/:scheme/deactivate`,
          getPolicies: `${API}/policies/:scheme`,
        },
      },
      DISCOVERY_TYPE,
    ),
  );
}

function schemeIn(text: string): string {
  if (!SCHEME_NAMES.includes(text))
    throw invalid(`${JSON.stringify(text.slice(0, 80))} is no scheme, expected ${SCHEME_NAMES.join(", ")}`);
  return text;
}

/** In lower case, as they are kept. */
function uuidIn(text: string): string {
  if (!UUID.test(text)) throw invalid(`${JSON.stringify(text.slice(0, 80))} is no UUID`);
  return text.toLowerCase();
}

/** What roles grant: the policies of a scheme. */
function targetOf(scheme: string): string {
  return `veraison/${scheme}`;
}

function textOf(bytes: Uint8Array): string {
  try {
    return toUtf8(bytes);
  } catch {
    throw invalid("the policy is no UTF-8");
  }
}

function answer(body: unknown, type: string, status: number = 200): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": type } });
}

function unsupported(type: string): BrokerError {
  return invalid(`a policy's type is ${RULES_TYPE}, found ${JSON.stringify(type.slice(0, 80))}`);
}
