// SPDX-License-Identifier: Apache-2.0
// Resources: released to the attested, kept by the administrator.

import { type EarClaims, verifyEar } from "@adyton/appraisal";
import { AdytonError } from "@adyton/core/errors";
import { ANYTHING, may } from "../admin/principal.ts";
import { BrokerError } from "../errors.ts";
import { parseResourcePath, type ResourcePath, resourceName } from "../resource-path.ts";
import { readBody } from "./body.ts";
import { bearerOf, sessionIdOf } from "./credentials.ts";
import { type App, type AppParts, PREFIX, pathBelow } from "./parts.ts";

const BELOW = `${PREFIX}/resource/`;

export function addResourceRoutes(app: App, parts: AppParts): void {
  const { authorize, clock, maxBodyBytes, resources } = parts;
  app.get(`${BELOW}*`, async (c) => {
    const now = clock.now();
    const path = pathOf(c.req.url);
    return c.json(await resources.release(path, await claimsOf(c.req.raw, parts, now), now));
  });
  app.post(`${BELOW}*`, async (c) => {
    const path = pathOf(c.req.url);
    await authorize(c.req.raw, "resource.put", resourceName(path));
    await resources.put(path, await readBody(c.req.raw, maxBodyBytes), clock.now());
    return c.body(null, 200);
  });
  app.delete(`${BELOW}*`, async (c) => {
    const path = pathOf(c.req.url);
    await authorize(c.req.raw, "resource.delete", resourceName(path));
    await resources.delete(path, clock.now());
    return c.body(null, 200);
  });
  app.get(`${PREFIX}/resources`, async (c) => {
    const principal = await authorize(c.req.raw, "resource.list", ANYTHING);
    const names = await resources.list();
    return c.json(names.filter((name) => may(principal, "resource.list", name)));
  });
}

function pathOf(url: string): ResourcePath {
  return parseResourcePath(pathBelow(BELOW, url));
}

/** What the requester was attested to be, by its bearer token or else its session. */
async function claimsOf(request: Request, { sessions, publicKeys }: AppParts, now: Date): Promise<EarClaims> {
  const id = sessionIdOf(request);
  const token = bearerOf(request) ?? (id === undefined ? undefined : sessions.find(id, now)?.token);
  if (token === undefined) {
    throw new BrokerError("TOKEN_MISSING", "not-authentic", "Cannot release: the requester is not attested", {
      hint: "Attest first (POST auth, POST attest), then ask with the session's cookie or its token.",
    });
  }
  try {
    return await verifyEar(token, { keys: publicKeys, now });
  } catch (cause) {
    if (!(cause instanceof AdytonError)) throw cause;
    throw new BrokerError("TOKEN_REFUSED", "not-authentic", `Cannot accept the token: ${cause.message}`, {
      cause,
      detail: { code: cause.code },
      hint: "Attest again.",
    });
  }
}
