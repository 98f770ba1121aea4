// SPDX-License-Identifier: Apache-2.0
// Alive, and ready: for load balancers, which have no credentials and learn no reasons.

import type { Health } from "../health.ts";
import type { App } from "./parts.ts";

export const LIVE = "/healthz";
export const READY = "/readyz";

/** Without `health` (for a tenant) there is only whether the process answers. */
export function addHealthRoutes(app: App, health: Health | undefined): void {
  app.get(LIVE, (c) => c.text("ok"));
  if (health === undefined) return;
  app.get(READY, async (c) => {
    const readiness = await health.look();
    return c.json(readiness, readiness.ready ? 200 : 503);
  });
}
