// SPDX-License-Identifier: Apache-2.0
// Tenants, made and kept by administrators of the whole house. In a tenant's own room there is only what it uses.

import type { JsonObject } from "@adyton/core/json";
import { z } from "zod";
import { jsonOf, matching } from "../protocol.ts";
import { usageOf } from "../tenants/quota.ts";
import { scopedStore } from "../tenants/scope.ts";
import { quotaForm, type Tenant, type Tenants } from "../tenants/tenants.ts";
import { readText } from "./body.ts";
import type { App, AppParts } from "./parts.ts";

const TENANTS = "/v1/tenants";

const newTenant = z.strictObject({ name: z.string(), quota: quotaForm.default({}) });
const changedTenant = z.strictObject({
  state: z.enum(["active", "disabled"]).exactOptional(),
  quota: quotaForm.exactOptional(),
});

export function addTenantRoutes(app: App, parts: AppParts, tenants: Tenants): void {
  const { authorize, maxBodyBytes, store } = parts;
  const shown = async (tenant: Tenant): Promise<JsonObject> => {
    const { resources, bytes } = await usageOf(scopedStore(store, tenant.name));
    return { ...tenant, quota: { ...tenant.quota }, usage: { resources, bytes } };
  };
  app.get(TENANTS, async (c) => {
    await authorize(c.req.raw, "tenant.read");
    return c.json(await Promise.all((await tenants.list()).map(shown)));
  });
  app.post(TENANTS, async (c) => {
    const { id } = await authorize(c.req.raw, "tenant.manage");
    const { name, quota } = matching(newTenant, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    return c.json(await shown(await tenants.create(name, quota, id)), 201);
  });
  app.get(`${TENANTS}/:name`, async (c) => {
    const name = c.req.param("name");
    await authorize(c.req.raw, "tenant.read", name);
    return c.json(await shown(await tenants.get(name)));
  });
  app.put(`${TENANTS}/:name`, async (c) => {
    const name = c.req.param("name");
    const { id } = await authorize(c.req.raw, "tenant.manage", name);
    const change = matching(changedTenant, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    return c.json(await shown(await tenants.change(name, change, id)));
  });
  app.delete(`${TENANTS}/:name`, async (c) => {
    const name = c.req.param("name");
    const { id } = await authorize(c.req.raw, "tenant.manage", name);
    await tenants.delete(name, id);
    return c.body(null, 204);
  });
}
