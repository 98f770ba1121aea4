// SPDX-License-Identifier: Apache-2.0
// Reference values, registered, shown and withdrawn by the administrator.

import { ANYTHING, may } from "../admin/principal.ts";
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
  const { authorize, clock, maxBodyBytes, referenceTrust, store, vault } = parts;
  app.post(ALL, async (c) => {
    await authorize(c.req.raw, "reference.write", ANYTHING);
    const now = clock.now();
    const text = await readText(c.req.raw, maxBodyBytes);
    const registration = await readReferenceMessage(text, referenceTrust, now);
    for (const id of registration.values.keys()) await authorize(c.req.raw, "reference.write", id);
    await store.write([
      ...registerChanges(vault, registration, now),
      auditChange(now, { type: "reference-value.register", ids: [...registration.values.keys()] }),
    ]);
    return c.body(null, 200);
  });
  app.get(ALL, async (c) => {
    const principal = await authorize(c.req.raw, "reference.read", ANYTHING);
    const all = [...(await readReferenceValues(store, vault, clock.now()))];
    return c.json(Object.fromEntries(all.filter(([id]) => may(principal, "reference.read", id))));
  });
  app.get(`${BELOW}*`, async (c) => {
    const id = idOf(c.req.url);
    await authorize(c.req.raw, "reference.read", id);
    const values = (await readReferenceValues(store, vault, clock.now())).get(id);
    if (values === undefined) throw notFound(id);
    return c.json(values);
  });
  app.delete(`${BELOW}*`, async (c) => {
    const id = idOf(c.req.url);
    await authorize(c.req.raw, "reference.write", id);
    if ((await store.get("reference-value", id)) === undefined) throw notFound(id);
    await store.write([
      { kind: "delete", space: "reference-value", key: id },
      auditChange(clock.now(), { type: "reference-value.delete", id }),
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
