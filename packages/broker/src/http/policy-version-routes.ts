// SPDX-License-Identifier: Apache-2.0
// Versions of policies: which are kept, each whole, and one of them in force again.

import { z } from "zod";
import { POLICY_NAMES, type PolicyName } from "../policy-names.ts";
import { invalid, jsonOf, matching } from "../protocol.ts";
import { readText } from "./body.ts";
import type { App, AppParts } from "./parts.ts";

const BASE = "/v1/policies/:name";
const activateBody = z.strictObject({ version: z.int().positive() });

export function addPolicyVersionRoutes(app: App, parts: AppParts): void {
  const { authorize, isFixed, maxBodyBytes, policies } = parts;
  const nameOf = (text: string): PolicyName => {
    const name = POLICY_NAMES.find((known) => known === text);
    if (name === undefined) throw invalid(`there is no policy ${JSON.stringify(text.slice(0, 80))}`);
    if (isFixed(name)) throw invalid(`policy ${name} is that of the program that runs the broker`);
    return name;
  };
  app.get(`${BASE}/versions`, async (c) => {
    const name = nameOf(c.req.param("name"));
    await authorize(c.req.raw, "policy.read", name);
    const inForce = (await policies.get(name))?.version;
    const versions = (await policies.versions(name)).map((policy) => ({
      ...policy,
      active: policy.version === inForce,
    }));
    return c.json({ versions });
  });
  app.post(`${BASE}/activate`, async (c) => {
    const name = nameOf(c.req.param("name"));
    const { id } = await authorize(c.req.raw, "policy.set", name);
    const { version } = matching(activateBody, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    const { text: _, tests: __, ...facts } = await policies.activate(name, version, id);
    return c.json({ name, ...facts });
  });
}
