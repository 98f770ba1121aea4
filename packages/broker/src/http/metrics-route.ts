// SPDX-License-Identifier: Apache-2.0
// Metrics for whoever may see how the house does: names of secrets stand in them.

import type { Metrics } from "../metrics/metrics.ts";
import type { App, AppParts } from "./parts.ts";

export function addMetricsRoute(app: App, { authorize }: AppParts, { registry }: Metrics): void {
  app.get("/metrics", async (c) => {
    await authorize(c.req.raw, "status.read");
    return c.body(await registry.metrics(), 200, { "content-type": registry.contentType });
  });
}
