// SPDX-License-Identifier: Apache-2.0
// Why attestations came out as they did, for administrators: the newest in short, each whole by its id.

import { invalid } from "../protocol.ts";
import type { App, AppParts } from "./parts.ts";

const BASE = "/v1/explanations";
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 200;

export function addExplanationRoutes(app: App, { authorize, clock, explanations }: AppParts): void {
  app.get(BASE, async (c) => {
    await authorize(c.req.raw, "audit.read");
    const text = c.req.query("limit") ?? String(DEFAULT_LIMIT);
    const limit = /^[1-9]\d{0,3}$/.test(text) ? Number(text) : 0;
    if (limit < 1 || limit > MAX_LIMIT) throw invalid(`limit is not 1 to ${MAX_LIMIT}`);
    const list = await explanations.newest(limit, clock.now());
    return c.json({
      explanations: list.map(({ id, at, status, submods }) => ({
        id,
        at,
        status,
        tees: Object.values(submods).map(({ tee }) => tee),
      })),
    });
  });
  app.get(`${BASE}/:id`, async (c) => {
    await authorize(c.req.raw, "audit.read");
    return c.json(await explanations.find(c.req.param("id"), clock.now()));
  });
}
