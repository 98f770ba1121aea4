// SPDX-License-Identifier: Apache-2.0
// Reference values, registered, shown and withdrawn by the administrator.

import { auditChange } from "../audit.ts";
import { BrokerError } from "../errors.ts";
import {
  checkReferenceId,
  readReferenceMessage,
  readReferenceValues,
  registerChanges,
} from "../reference-values.ts";
import { readText } from "./body.ts";
import { type App, type AppParts, PREFIX, pathBelow } from "./parts.ts";

const ALL = `${PREFIX}/reference-value`;
const BELOW = `${ALL}/`;

export function addReferenceRoutes(app: App, parts: AppParts): void {
  const { clock, maxBodyBytes, referenceTrust, requireAdmin, store, vault } = parts;
  app.post(ALL, async (c) => {
    requireAdmin(c.req.raw);
    const now = clock.now();
    const text = await readText(c.req.raw, maxBodyBytes);
    const registration = await readReferenceMessage(text, referenceTrust, now);
    await store.write([
      ...registerChanges(vault, registration, now),
      auditChange(vault, now, { type: "reference-value.register", ids: [...registration.values.keys()] }),
    ]);
    return c.body(null, 200);
  });
  app.get(ALL, async (c) => {
    requireAdmin(c.req.raw);
    return c.json(Object.fromEntries(await readReferenceValues(store, vault, clock.now())));
  });
  app.get(`${BELOW}*`, async (c) => {
    requireAdmin(c.req.raw);
    const id = idOf(c.req.url);
    const values = (await readReferenceValues(store, vault, clock.now())).get(id);
    if (values === undefined) throw notFound(id);
    return c.json(values);
  });
  app.delete(`${BELOW}*`, async (c) => {
    requireAdmin(c.req.raw);
    const id = idOf(c.req.url);
    if ((await store.get("reference-value", id)) === undefined) throw notFound(id);
    await store.write([
      { kind: "delete", space: "reference-value", key: id },
      auditChange(vault, clock.now(), { type: "reference-value.delete", id }),
    ]);
    return c.body(null, 200);
  });
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
