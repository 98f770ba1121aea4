// SPDX-License-Identifier: Apache-2.0
// Request, challenge, attestation, result: the first half of the KBS protocol.

import { loggedVerdict } from "../audit/verdict.ts";
import { BrokerError } from "../errors.ts";
import { challengeParams, parseAttestRequest, parseAuthRequest } from "../protocol.ts";
import { referencesOf } from "../reference/references.ts";
import { type Session, type Sessions, sessionUnknown } from "../sessions.ts";
import { readText } from "./body.ts";
import { sessionCookie, sessionIdOf } from "./credentials.ts";
import { type App, type AppParts, PREFIX } from "./parts.ts";

export function addAttestationRoutes(app: App, parts: AppParts): void {
  const { base, clock, logger, maxBodyBytes, protocols, sessions, store, vault, verifier } = parts;
  app.post(`${PREFIX}/auth`, async (c) => {
    const { tee, line } = parseAuthRequest(await readText(c.req.raw, maxBodyBytes), protocols);
    const now = clock.now();
    const request = await verifier.request(tee, now);
    for (const { code, message } of request?.warnings ?? [])
      logger.warn("request limited", { code, reason: message });
    const session = await sessions.open(tee, now, request, line);
    c.header("set-cookie", sessionCookie(session, base));
    return c.json({ nonce: session.nonce, "extra-params": challengeParams(tee) });
  });
  app.post(`${PREFIX}/attest`, async (c) => {
    const now = clock.now();
    const session = await sessionOf(c.req.raw, sessions, now);
    // Asked again, the session answers what it answered before.
    if (session.token !== undefined) return c.json({ token: session.token });
    const request = parseAttestRequest(await readText(c.req.raw, maxBodyBytes), session.line, session.nonce);
    const references = await referencesOf(store, vault).live(now);
    const token = await loggedVerdict(store, { tee: session.tee, api: "kbs" }, now, () =>
      verifier.attest(session, request, references, now),
    );
    const counting = await sessions.attested(session, token, now);
    logger.info("attested", { tee: session.tee });
    return c.json({ token: counting });
  });
}

async function sessionOf(request: Request, sessions: Sessions, now: Date): Promise<Session> {
  const id = sessionIdOf(request);
  if (id === undefined) {
    throw new BrokerError(
      "SESSION_MISSING",
      "misuse",
      "Cannot attest: the request carries no session cookie",
      {
        hint: "Ask for a challenge first (POST auth), and send its cookie back.",
      },
    );
  }
  const session = await sessions.find(id, now);
  if (session === undefined) throw sessionUnknown();
  return session;
}
