// SPDX-License-Identifier: Apache-2.0
// The root keys, as an administrator of the whole broker sees them: which there are, never what they are.

import { auditChange } from "../audit.ts";
import type { RootKeyService } from "../root-key/service.ts";
import type { App, AppParts } from "./parts.ts";

const PATH = "/v1/root-key";

export function addKeyRoutes(
  app: App,
  { authorize, clock, store }: AppParts,
  rootKeys: RootKeyService,
): void {
  app.get(PATH, async (c) => {
    await authorize(c.req.raw, "key.read");
    await rootKeys.keys.refresh();
    return c.json(rootKeys.status());
  });
  app.post(`${PATH}/rotate`, async (c) => {
    const principal = await authorize(c.req.raw, "key.manage");
    await rootKeys.rotate();
    const status = rootKeys.status();
    const event = { type: "root-key.rotate", active: status.active, by: principal.id };
    await store.write([auditChange(clock.now(), event)]);
    return c.json(status);
  });
  app.post(`${PATH}/retire`, async (c) => {
    const principal = await authorize(c.req.raw, "key.manage");
    await rootKeys.retire();
    const status = rootKeys.status();
    const kept = status.generations.map(({ id }) => id);
    await store.write([auditChange(clock.now(), { type: "root-key.retire", kept, by: principal.id })]);
    return c.json(status);
  });
}
