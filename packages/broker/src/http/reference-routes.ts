// SPDX-License-Identifier: Apache-2.0
// Reference values at Trustee's paths: registered, shown and withdrawn by administrators.

import { ANYTHING, may } from "../admin/principal.ts";
import { BrokerError } from "../errors.ts";
import { checkReferenceId } from "../reference/id.ts";
import { readReferenceMessage } from "../reference/message.ts";
import { referencesOf } from "../reference/references.ts";
import { readText } from "./body.ts";
import { type App, type AppParts, PREFIX, pathBelow } from "./parts.ts";
import { addOwnReferenceRoutes } from "./references-routes.ts";

const ALL = `${PREFIX}/reference-value`;
const BELOW = `${ALL}/`;

export function addReferenceRoutes(app: App, parts: AppParts): void {
  const { authorize, clock, maxBodyBytes, referenceTrust: trust, store, vault } = parts;
  const references = referencesOf(store, vault);
  app.post(ALL, async (c) => {
    const { id: by } = await authorize(c.req.raw, "reference.write", ANYTHING);
    const now = clock.now();
    const text = await readText(c.req.raw, maxBodyBytes);
    const { vouched, ...how } = await readReferenceMessage(text, { trust, now, by });
    for (const id of how.ids) await authorize(c.req.raw, "reference.write", id);
    await references.register(vouched, { ...how, by, now });
    return c.body(null, 200);
  });
  app.get(ALL, async (c) => {
    const principal = await authorize(c.req.raw, "reference.read", ANYTHING);
    const { values } = await references.live(clock.now());
    const readable = Object.entries(values).filter(([id]) => may(principal, "reference.read", id));
    return c.json(Object.fromEntries(readable));
  });
  app.get(`${BELOW}*`, async (c) => {
    const id = idOf(c.req.url);
    await authorize(c.req.raw, "reference.read", id);
    const { values } = await references.live(clock.now());
    const found = Object.hasOwn(values, id) ? values[id] : undefined;
    if (found === undefined) throw notFound(id);
    return c.json(found);
  });
  app.delete(`${BELOW}*`, async (c) => {
    const id = idOf(c.req.url);
    const { id: by } = await authorize(c.req.raw, "reference.write", id);
    await references.delete(id, { by, now: clock.now() });
    return c.body(null, 200);
  });
  addOwnReferenceRoutes(app, parts);
}

function idOf(url: string): string {
  const id = pathBelow(BELOW, url);
  checkReferenceId(id);
  return id;
}

function notFound(id: string): BrokerError {
  return new BrokerError("REFERENCE_VALUE_NOT_FOUND", "misuse", `Cannot find reference value ${id}`, {
    hint: "List the reference values to see what is there.",
  });
}
