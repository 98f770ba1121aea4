// SPDX-License-Identifier: Apache-2.0
// Our own API of reference values, below /v1/references: with who vouches for each, revocation, expiry and groups.

import type { JsonValue } from "@adyton/core/json";
import { z } from "zod";
import { ANYTHING, may } from "../admin/principal.ts";
import { BrokerError } from "../errors.ts";
import { invalid, jsonOf, matching } from "../protocol.ts";
import { checkReferenceGroup, checkReferenceId } from "../reference/id.ts";
import { readOwnReferenceMessage } from "../reference/message.ts";
import { referencesOf } from "../reference/references.ts";
import type { Act, ReferenceListing } from "../reference/types.ts";
import { readText } from "./body.ts";
import { type App, type AppParts, pathBelow } from "./parts.ts";

const ALL = "/v1/references";
const BELOW = `${ALL}/`;
const GROUPS = "/v1/reference-groups";
const MAX_REASON = 400;

const scalar = z.union([z.string().max(4_096), z.number(), z.boolean()]);
const revocation = z.strictObject({
  id: z.string(),
  value: scalar.exactOptional(),
  reason: z.string().max(MAX_REASON).exactOptional(),
});
/** Everything that one key vouched for. */
const voucherRevocation = z.strictObject({
  voucher: z.string().regex(/^[0-9a-f]{64}$/),
  reason: z.string().max(MAX_REASON).exactOptional(),
});
const restoration = z.strictObject({ id: z.string(), value: scalar });
const expiry = z.strictObject({
  id: z.string(),
  value: scalar.exactOptional(),
  expires: z.iso.datetime(),
});
const groupState = z.strictObject({ enabled: z.boolean() });

export function addOwnReferenceRoutes(app: App, parts: AppParts): void {
  const { authorize, clock, maxBodyBytes, referenceTrust: trust, store, vault } = parts;
  const references = referencesOf(store, vault);

  /** A body about one id, once the sender may write it. */
  const bodyOf = async <T extends { readonly id: string }>(
    request: Request,
    schema: z.ZodType<T>,
  ): Promise<{ readonly body: T; readonly act: Act }> => {
    await authorize(request, "reference.write", ANYTHING);
    const body = matching(schema, jsonOf(await readText(request, maxBodyBytes)));
    checkReferenceId(body.id);
    const { id: by } = await authorize(request, "reference.write", body.id);
    return { body, act: { by, now: clock.now() } };
  };

  app.get(ALL, async (c) => {
    const principal = await authorize(c.req.raw, "reference.read", ANYTHING);
    const wanted = filterOf(c.req.url);
    const all = await references.list(clock.now());
    return c.json({
      references: all
        .filter(({ id }) => may(principal, "reference.read", id))
        .map((listing) => wanted(listing))
        .filter(({ values, revoked }) => values.length + revoked.length > 0)
        .map(shown),
    });
  });
  app.post(ALL, async (c) => {
    const { id: by } = await authorize(c.req.raw, "reference.write", ANYTHING);
    const now = clock.now();
    const text = await readText(c.req.raw, maxBodyBytes);
    const { vouched, ...how } = await readOwnReferenceMessage(text, { trust, now, by });
    for (const id of how.ids) await authorize(c.req.raw, "reference.write", id);
    return c.json(await references.register(vouched, { ...how, by, now }));
  });
  app.post(`${BELOW}revoke`, async (c) => {
    await authorize(c.req.raw, "reference.write", ANYTHING);
    const body = jsonOf(await readText(c.req.raw, maxBodyBytes));
    const now = clock.now();
    if (body.voucher !== undefined) {
      const { voucher, reason } = matching(voucherRevocation, body);
      // A key reaches over ids, as a group does.
      const { id: by } = await authorize(c.req.raw, "reference.write");
      return c.json({ voucher, revoked: await references.revokeVoucher(voucher, { by, now }, reason) });
    }
    const { id, value, reason } = matching(revocation, body);
    checkReferenceId(id);
    const { id: by } = await authorize(c.req.raw, "reference.write", id);
    await references.revoke(id, value, { by, now }, reason);
    return c.json({ id, revoked: true });
  });
  app.post(`${BELOW}unrevoke`, async (c) => {
    const { body, act } = await bodyOf(c.req.raw, restoration);
    await references.unrevoke(body.id, body.value, act);
    return c.json({ id: body.id, revoked: false });
  });
  app.post(`${BELOW}expire`, async (c) => {
    const { body, act } = await bodyOf(c.req.raw, expiry);
    await references.expire(body.id, body.value, new Date(body.expires), act);
    return c.json({ id: body.id, expires: new Date(body.expires).toISOString() });
  });
  app.get(`${BELOW}*`, async (c) => {
    const id = idOf(c.req.url);
    await authorize(c.req.raw, "reference.read", id);
    const found = (await references.list(clock.now())).find((each) => each.id === id);
    if (found === undefined) throw notFound(id);
    return c.json(shown(found));
  });
  app.delete(`${BELOW}*`, async (c) => {
    const id = idOf(c.req.url);
    const { id: by } = await authorize(c.req.raw, "reference.write", id);
    await references.delete(id, { by, now: clock.now() });
    return c.json({ id, deleted: true });
  });

  // Groups reach over ids: whoever switches one has to be allowed to write them all.
  app.get(GROUPS, async (c) => {
    await authorize(c.req.raw, "reference.read");
    return c.json({ groups: await references.groups() });
  });
  app.post(`${GROUPS}/*`, async (c) => {
    const group = groupOf(c.req.url);
    const { id: by } = await authorize(c.req.raw, "reference.write");
    const { enabled } = matching(groupState, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    await references.setGroup(group, enabled, { by, now: clock.now() });
    return c.json({ group, enabled });
  });
  app.delete(`${GROUPS}/*`, async (c) => {
    const group = groupOf(c.req.url);
    const { id: by } = await authorize(c.req.raw, "reference.write");
    await references.deleteGroup(group, { by, now: clock.now() });
    return c.json({ group, deleted: true });
  });
}

/** `?group=` and `?status=`, each at most once. */
function filterOf(text: string): (listing: ReferenceListing) => ReferenceListing {
  const query = new URL(text).searchParams;
  for (const name of query.keys())
    if (!["group", "status"].includes(name) || query.getAll(name).length > 1)
      throw invalid("the query is not ?group= and ?status=");
  const [group, status] = [query.get("group"), query.get("status")];
  if (group === null && status === null) return (listing) => listing;
  return ({ id, values, revoked }) => ({
    id,
    values: values.filter(
      (value) => (group === null || value.group === group) && (status === null || value.status === status),
    ),
    // Values that were revoked belong to no group.
    revoked: group === null && status === "revoked" ? revoked : [],
  });
}

/** Dates as RFC 3339; the id once. */
function shown({ id, values, revoked }: ReferenceListing): JsonValue {
  const plain = { id, values: values.map(({ id: _id, ...value }) => value), revoked };
  return JSON.parse(JSON.stringify(plain)) as JsonValue;
}

function idOf(url: string): string {
  const id = pathBelow(BELOW, url);
  checkReferenceId(id);
  return id;
}

function groupOf(url: string): string {
  const name = pathBelow(`${GROUPS}/`, url);
  checkReferenceGroup(name);
  return name;
}

function notFound(id: string): BrokerError {
  return new BrokerError("REFERENCE_VALUE_NOT_FOUND", "misuse", `Cannot find reference value ${id}`, {
    hint: "List the reference values to see what is there.",
  });
}
