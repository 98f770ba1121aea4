// SPDX-License-Identifier: Apache-2.0
// The routes of the KBS protocol, version 0.4.0, and what stands before all of them.

import { Hono } from "hono";
import { BrokerError } from "../errors.ts";
import { addAdminRoutes, addProposalRoutes } from "./admin-routes.ts";
import { errorResponse } from "./answers.ts";
import { addServiceRoutes, isServicePath } from "./as-routes.ts";
import { addAttestationRoutes } from "./attestation-routes.ts";
import { addAuditRoutes } from "./audit-routes.ts";
import { addCors } from "./cors.ts";
import { addExplanationRoutes } from "./explanation-routes.ts";
import { addHealthRoutes, LIVE, READY } from "./health-routes.ts";
import { addKeyRoutes } from "./key-routes.ts";
import { addMetricsRoute } from "./metrics-route.ts";
import { type App, type AppParts, noSuchPath } from "./parts.ts";
import { addPluginRoutes } from "./plugin-routes.ts";
import { addPolicyRoutes } from "./policy-routes.ts";
import { addPolicyVersionRoutes } from "./policy-version-routes.ts";
import { problemResponse } from "./problem.ts";
import { addReferenceRoutes } from "./reference-routes.ts";
import { addResourceRoutes } from "./resource-routes.ts";
import { addTenantRoutes } from "./tenant-routes.ts";
import { addTokenKeyRoutes } from "./token-key-routes.ts";
import { addVeraisonManagementRoutes } from "./veraison-management-routes.ts";
import { addVeraisonRoutes, isVeraisonPath } from "./veraison-routes.ts";

const METHODS: readonly string[] = ["GET", "POST", "PUT", "DELETE"];
/** Probes come from where many clients do. */
const UNLIMITED: readonly string[] = [LIVE, READY];
/** Here errors are problem details, not those of the KBS protocol. */
const OWN_API = /^\/v1\//;

export function createApp(parts: AppParts): App {
  const { limiter, logger, tenantLimiter } = parts;
  const app: App = new Hono();
  addCors(app, parts.corsOrigins);
  app.use(async (c, next) => {
    // HEAD is refused too: it would run a release and throw the answer away.
    if (!METHODS.includes(c.req.method)) throw noSuchPath(c.req.method, c.req.path);
    if (!UNLIMITED.includes(c.req.path)) {
      const seconds = limiter?.take(c.env.remoteAddress ?? "") ?? 0;
      if (seconds > 0) throw tooMany(seconds, "from this address");
      const wait = tenantLimiter?.take("") ?? 0;
      if (wait > 0) throw tooMany(wait, "to this tenant");
    }
    await next();
  });
  addHealthRoutes(app, parts.health);
  if (parts.metrics !== undefined) addMetricsRoute(app, parts, parts.metrics);
  app.get("/.well-known/jwks.json", async (c) => c.json({ keys: await parts.tokenKeys.publicKeys() }));
  addTokenKeyRoutes(app, parts);
  addAttestationRoutes(app, parts);
  addServiceRoutes(app, parts);
  addResourceRoutes(app, parts);
  addReferenceRoutes(app, parts);
  addPolicyRoutes(app, parts);
  addPolicyVersionRoutes(app, parts);
  addAuditRoutes(app, parts);
  addExplanationRoutes(app, parts);
  addAdminRoutes(app, parts);
  addProposalRoutes(app, parts);
  if (parts.tenants !== undefined) addTenantRoutes(app, parts, parts.tenants);
  addPluginRoutes(app, parts);
  if (parts.rootKeys !== undefined) addKeyRoutes(app, parts, parts.rootKeys);
  addVeraisonRoutes(app, parts);
  addVeraisonManagementRoutes(app, parts);
  const refused = (error: unknown, path: string): Response =>
    isVeraisonPath(path) || isServicePath(path) || OWN_API.test(path)
      ? problemResponse(error, logger)
      : errorResponse(error, logger);
  app.notFound((c) => refused(noSuchPath(c.req.method, c.req.path), c.req.path));
  app.onError((error, c) => refused(error, c.req.path));
  return app;
}

function tooMany(seconds: number, which: string): BrokerError {
  return new BrokerError("RATE_LIMITED", "unavailable", `Cannot answer: too many requests ${which}`, {
    detail: { retryAfter: seconds },
    hint: `Try again in ${seconds} s.`,
  });
}
