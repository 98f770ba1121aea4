// SPDX-License-Identifier: Apache-2.0
// Policies in Rego, set and shown by the administrator: Trustee's endpoints, and a list of what is in force.

import { fromBase64Url, fromUtf8, toBase64Url, toUtf8 } from "@adyton/core/bytes";
import { z } from "zod";
import { ANYTHING, type Principal } from "../admin/principal.ts";
import { BrokerError } from "../errors.ts";
import { attestationPolicyOf, POLICY_NAMES, type PolicyName, resourcePolicyOf } from "../policy-names.ts";
import type { StoredPolicy } from "../policy-store.ts";
import { invalid, jsonOf, matching } from "../protocol.ts";
import { SERVICE_POLICY } from "./as-routes.ts";
import { readText } from "./body.ts";
import { type App, type AppParts, PREFIX, pathBelow } from "./parts.ts";

const RESOURCE = `${PREFIX}/resource-policy`;
const ATTESTATION = `${PREFIX}/attestation-policy`;
const SCOPED = "/v1/resource-policies";

/** `tests` is ours: rules that begin with `test_`, run before the policy is set. Both are base64url without padding. */
const resourceBody = z.strictObject({ policy: z.string(), tests: z.string().optional() });
const attestationBody = resourceBody.extend({
  type: z.literal("rego").optional(),
  policy_id: z.string().max(64),
});

export function addPolicyRoutes(app: App, parts: AppParts): void {
  const { authorize, isFixed, maxBodyBytes, policies } = parts;
  const set = async (
    name: PolicyName,
    { policy, tests }: { readonly policy: string; readonly tests?: string | undefined },
    { id }: Principal,
  ): Promise<StoredPolicy> => {
    if (isFixed(name)) throw fixed(name);
    return policies.set(
      name,
      textOf("policy", policy),
      tests === undefined ? undefined : textOf("tests", tests),
      id,
    );
  };
  const shown = async (name: PolicyName): Promise<{ policy: string }> => {
    const policy = isFixed(name) ? undefined : await policies.get(name);
    if (policy === undefined) throw notFound(name);
    return { policy: toBase64Url(fromUtf8(policy.text)) };
  };
  app.post(RESOURCE, async (c) => {
    const principal = await authorize(c.req.raw, "policy.set", "resource");
    const body = matching(resourceBody, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    return c.json(factsOf("resource", await set("resource", body, principal)));
  });
  app.get(RESOURCE, async (c) => {
    await authorize(c.req.raw, "policy.read", "resource");
    return c.json(await shown("resource"));
  });
  app.on("POST", [ATTESTATION, SERVICE_POLICY], async (c) => {
    await authorize(c.req.raw, "policy.set", ANYTHING);
    const body = matching(attestationBody, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    const name = nameOf(body.policy_id);
    const principal = await authorize(c.req.raw, "policy.set", name);
    return c.json(factsOf(name, await set(name, body, principal)));
  });
  app.get(`${ATTESTATION}/*`, async (c) => {
    const name = nameOf(pathBelow(`${ATTESTATION}/`, c.req.url));
    await authorize(c.req.raw, "policy.read", name);
    return c.json(await shown(name));
  });
  app.get(`${PREFIX}/policies`, async (c) => {
    await authorize(c.req.raw, "policy.read");
    const list = [];
    for (const name of POLICY_NAMES) {
      const policy = isFixed(name) ? undefined : await policies.get(name);
      if (policy !== undefined) list.push(factsOf(name, policy));
    }
    return c.json(list);
  });
  addScopedRoutes(app, parts);
}

/** Resource policies by the names they are for. */
function addScopedRoutes(app: App, { authorize, isFixed, maxBodyBytes, policies }: AppParts): void {
  const called = (url: string): ReturnType<typeof resourcePolicyOf> =>
    resourcePolicyOf(decoded(pathBelow(`${SCOPED}/`, url)));
  app.get(SCOPED, async (c) => {
    await authorize(c.req.raw, "policy.read");
    const list = [];
    for (const name of [...(await policies.scoped()), "resource"] as const) {
      const policy = isFixed(name) ? undefined : await policies.get(name);
      if (policy !== undefined) list.push(scopedFacts(name, policy));
    }
    return c.json(list);
  });
  app.get(`${SCOPED}/*`, async (c) => {
    const name = called(c.req.url);
    await authorize(c.req.raw, "policy.read", name);
    const policy = isFixed(name) ? undefined : await policies.get(name);
    if (policy === undefined) throw notFound(name);
    const { text, tests } = policy;
    return c.json({ ...scopedFacts(name, policy), policy: text, ...(tests === undefined ? {} : { tests }) });
  });
  app.put(`${SCOPED}/*`, async (c) => {
    const name = called(c.req.url);
    const { id } = await authorize(c.req.raw, "policy.set", name);
    if (isFixed(name)) throw fixed(name);
    const { policy, tests } = matching(resourceBody, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    return c.json(scopedFacts(name, await policies.set(name, policy, tests, id)));
  });
  app.delete(`${SCOPED}/*`, async (c) => {
    const name = called(c.req.url);
    const { id } = await authorize(c.req.raw, "policy.set", name);
    if (name === "resource") throw invalid("the policy of ** cannot be taken away, only replaced");
    await policies.remove(name, id);
    return c.body(null, 204);
  });
}

function scopedFacts(name: PolicyName, policy: StoredPolicy): Record<string, string | number> {
  const { name: _, ...facts } = factsOf(name, policy);
  return { path: name === "resource" ? "**" : name.slice("resource:".length), ...facts };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid("the path is no pattern");
  }
}

function nameOf(id: string): PolicyName {
  const name = attestationPolicyOf(id);
  if (name === undefined) {
    const known = "default, default_cpu, default_gpu or default_switch";
    throw invalid(`policy_id ${JSON.stringify(id)} would never be asked, expected ${known}`);
  }
  return name;
}

function factsOf(
  name: PolicyName,
  { version, sha384, set, source }: StoredPolicy,
): Record<string, string | number> {
  return { name, version, sha384, set, source };
}

function textOf(member: string, encoded: string): string {
  try {
    return toUtf8(fromBase64Url(encoded));
  } catch {
    throw invalid(`${member} is no base64url of UTF-8 text`);
  }
}

function notFound(name: PolicyName): BrokerError {
  return new BrokerError("POLICY_NOT_FOUND", "misuse", `Cannot find policy ${name}: none was set`, {
    hint: "The default is in force: every piece of evidence affirmed against the reference values.",
  });
}

function fixed(name: PolicyName): BrokerError {
  return new BrokerError(
    "POLICY_FIXED",
    "misuse",
    `Cannot set policy ${name}: the program that runs the broker gave its own`,
    { hint: "Change it there." },
  );
}
