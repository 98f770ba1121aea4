// SPDX-License-Identifier: Apache-2.0
// Administrators and what waits for their approval.

import type { JsonObject } from "@adyton/core/json";
import { z } from "zod";
import { type NewAdmin, newAdminForm, type StoredAdmin } from "../admin/admins.ts";
import { coversGrant, type Principal } from "../admin/principal.ts";
import type { Proposal } from "../admin/proposals.ts";
import { grantsOf } from "../admin/roles.ts";
import { BrokerError } from "../errors.ts";
import { invalid, jsonOf, matching } from "../protocol.ts";
import { readText } from "./body.ts";
import { type App, type AppParts, pathBelow } from "./parts.ts";

const ADMINS = "/v1/admins";
const PROPOSALS = "/v1/proposals";

const decision = z.strictObject({ digest: z.string() });

export function addAdminRoutes(app: App, parts: AppParts): void {
  const { admins, authorize, clock, maxBodyBytes, roles } = parts;
  app.get("/v1/whoami", async (c) => {
    // Everybody may know who they are.
    const { id, roles: names, grants } = await parts.identify(c.req.raw);
    return c.json({ id, roles: [...names], grants: grants.map(shownGrant), tenant: parts.tenant ?? null });
  });
  app.get(ADMINS, async (c) => {
    await authorize(c.req.raw, "admin.read");
    return c.json((await admins.list()).map(shownAdmin));
  });
  app.post(ADMINS, async (c) => {
    const principal = await authorize(c.req.raw, "admin.manage");
    const admin = matching(newAdminForm, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    if (parts.tenant !== undefined && admin.tenants !== undefined)
      throw invalid("tenants: a tenant's administrator is one of that tenant alone");
    checkRoles(admin, principal, parts);
    return c.json(shownAdmin(await admins.create(admin, principal.id, clock.now())), 201);
  });
  app.delete(`${ADMINS}/*`, async (c) => {
    const name = pathBelow(`${ADMINS}/`, c.req.url);
    const { id } = await authorize(c.req.raw, "admin.manage", name);
    await admins.delete(name, id, clock.now());
    return c.body(null, 204);
  });
  app.get("/v1/roles", async (c) => {
    await authorize(c.req.raw, "admin.read");
    return c.json(
      Object.fromEntries(Object.entries(roles).map(([name, grants]) => [name, grants.map(shownGrant)])),
    );
  });
}

export function addProposalRoutes(app: App, parts: AppParts): void {
  const { authorize, carry, clock, maxBodyBytes, proposals } = parts;
  app.get(PROPOSALS, async (c) => {
    await authorize(c.req.raw, "proposal.read");
    const now = clock.now();
    return c.json((await proposals.list()).map((one) => proposals.facts(one, now)));
  });
  app.get(`${PROPOSALS}/:id`, async (c) => {
    await authorize(c.req.raw, "proposal.read");
    return c.json(await proposals.shown(await proposals.get(c.req.param("id")), clock.now()));
  });
  app.post(`${PROPOSALS}/:id/approve`, async (c) => {
    const waiting = await looked(c.req.raw, c.req.param("id"));
    const principal = await authorize(c.req.raw, "proposal.approve", waiting.action);
    const { digest } = matching(decision, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    const proposal = await proposals.approve(waiting.id, digest, principal, clock.now());
    if (proposal.state !== "running") return c.json(proposals.facts(proposal, clock.now()));
    const request = await proposals.requestOf(proposal);
    carry(request, proposal.source);
    const response = await app.fetch(request, c.env);
    await response.body?.cancel();
    const done = await proposals.finish(proposal.id, response.status, principal.id, clock.now());
    const code = response.headers.get("adyton-error")?.split(";")[0];
    return c.json({ ...proposals.facts(done, clock.now()), ...(code === undefined ? {} : { code }) });
  });
  app.post(`${PROPOSALS}/:id/reject`, async (c) => {
    const waiting = await looked(c.req.raw, c.req.param("id"));
    // Whoever proposed it may think better of it.
    const { id } = await parts.identify(c.req.raw);
    const principal =
      id === waiting.by
        ? await parts.identify(c.req.raw)
        : await authorize(c.req.raw, "proposal.approve", waiting.action);
    return c.json(proposals.facts(await proposals.reject(waiting.id, principal, clock.now()), clock.now()));
  });
  /** The proposal, for whoever is somebody here: strangers do not learn which there are. */
  const looked = async (request: Request, id: string): Promise<Proposal> => {
    await parts.identify(request);
    return proposals.get(id);
  };
}

/** Nobody makes somebody who may do more than they. Throws `INVALID_REQUEST` or `ADMIN_FORBIDDEN`. */
function checkRoles(admin: NewAdmin, principal: Principal, { roles, tenant }: AppParts): void {
  const unknown = admin.roles.find((name) => !Object.hasOwn(roles, name));
  if (unknown !== undefined) {
    const known = Object.keys(roles).join(", ");
    throw invalid(`roles: ${JSON.stringify(unknown)} is none, expected some of ${known}`);
  }
  const asked = [...grantsOf(roles, admin.roles), ...admin.grants];
  if (asked.length === 0) throw invalid("roles: an administrator without roles and grants could do nothing");
  // A tenant's administrator is one there alone.
  const where = tenant === undefined ? admin.tenants : [tenant];
  if (!asked.every((grant) => coversGrant(principal.grants, grant, where))) {
    throw new BrokerError(
      "ADMIN_FORBIDDEN",
      "policy",
      `Cannot add ${admin.name}: they could do more than ${principal.id}, who adds them`,
      { hint: "Grant what you may do yourself, or ask an owner." },
    );
  }
}

/** Digests of tokens stay here: nobody needs them. */
function shownAdmin({ credential, grants, roles, tenants, ...rest }: StoredAdmin): JsonObject {
  const { kind } = credential;
  return {
    ...rest,
    roles: [...roles],
    grants: grants.map(shownGrant),
    ...(tenants === undefined ? {} : { tenants: [...tenants] }),
    credential: kind === "token" ? { kind } : { ...credential },
  };
}

function shownGrant({ actions, targets }: Principal["grants"][number]): JsonObject {
  return { actions: [...actions], targets: [...targets] };
}
