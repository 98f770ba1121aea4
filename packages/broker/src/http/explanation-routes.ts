// SPDX-License-Identifier: Apache-2.0
// Why attestations and decisions came out as they did, for administrators: the newest attestations in short, each whole by
// its id or its session's, and any entry of the audit log in words.

import { decodeJwt } from "jose";
import { z } from "zod";
import { auditEntryOf } from "../audit.ts";
import { decisionText } from "../explain/decision.ts";
import { explanationMissing } from "../explanations.ts";
import { invalid, jsonOf, matching } from "../protocol.ts";
import { readText } from "./body.ts";
import type { App, AppParts } from "./parts.ts";

const BASE = "/v1/explanations";
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 200;

/** In the body, not in the address: it is a credential. */
const sessionBody = z.strictObject({ session: z.string().regex(/^[0-9a-f]{32}$/) });

export function addExplanationRoutes(app: App, parts: AppParts): void {
  const { authorize, clock, explanations, maxBodyBytes, sessions, store, tenant } = parts;
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
  app.post(`${BASE}/session`, async (c) => {
    await authorize(c.req.raw, "audit.read");
    const { session } = matching(sessionBody, jsonOf(await readText(c.req.raw, maxBodyBytes)));
    const now = clock.now();
    const found = await sessions.find(session, now);
    if (found?.token === undefined) {
      throw explanationMissing(
        "an explanation of the session",
        found === undefined ? "it is unknown, or over" : "no evidence was accepted in it",
        "The audit log has what became of evidence that was not accepted: entries of type attestation.",
      );
    }
    return c.json(await explanations.find(String(decodeJwt(found.token).jti), now));
  });
  app.get(`${BASE}/decisions/:seq`, async (c) => {
    await authorize(c.req.raw, "audit.read");
    const text = c.req.param("seq");
    if (!/^[1-9]\d{0,14}$/.test(text)) throw invalid("seq is no number of an entry");
    const [found] = await store.log(Number(text) - 1, 1);
    const entry = found === undefined ? undefined : auditEntryOf(found);
    if (entry === undefined || (tenant !== undefined && entry.event.tenant !== tenant)) {
      throw explanationMissing(
        `entry ${text} of the audit log`,
        "there is none, or it is another tenant's",
        "`adyton audit list` shows those there are.",
      );
    }
    const { attestation = entry.event.id } = entry.event;
    const explanation =
      typeof attestation === "string" ? await explanations.peek(attestation, clock.now()) : undefined;
    return c.json({ ...entry, text: decisionText(entry), explanation: explanation ?? null });
  });
}
