// SPDX-License-Identifier: Apache-2.0
// Who a request comes from: the session cookie, the bearer token, the administrator.

import { createHash } from "node:crypto";
import { equalConstantTime } from "@adyton/core/bytes";
import type { Principal } from "../admin/principal.ts";
import { BrokerError } from "../errors.ts";
import type { Session } from "../sessions.ts";

const SESSION_COOKIE = "kbs-session-id";
const SESSION_ID = /^[0-9a-f]{32}$/;
const BEARER = /^Bearer ([A-Za-z0-9._~+/=-]+)$/;

/** The session id that the request's cookie names. Undefined when there is none or it cannot be one. */
export function sessionIdOf(request: Request): string | undefined {
  for (const pair of (request.headers.get("cookie") ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name === SESSION_COOKIE && value !== undefined && SESSION_ID.test(value)) return value;
  }
  return undefined;
}

export function sessionCookie(session: Session): string {
  return `${SESSION_COOKIE}=${session.id}; Expires=${session.expires.toUTCString()}; Path=/kbs/v0; HttpOnly; SameSite=Strict`;
}

/** The token of an `Authorization: Bearer` header (RFC 6750 section 2.1). */
export function bearerOf(request: Request): string | undefined {
  return BEARER.exec(request.headers.get("authorization") ?? "")?.[1];
}

/** Makes the check that a request carries the administrator's token. It rejects with `ADMIN_REFUSED`. */
export function adminCheck(adminToken: string): (request: Request) => Promise<Principal> {
  const expected = digest(adminToken);
  return async (request) => {
    const given = bearerOf(request);
    // Digests are compared, so that not even the length of the token shows in the time.
    if (given === undefined || !equalConstantTime(digest(given), expected)) {
      throw new BrokerError(
        "ADMIN_REFUSED",
        "not-authentic",
        given === undefined
          ? "Cannot administer: the request carries no bearer token"
          : "Cannot administer: the bearer token is not the administrator's",
        { hint: "Send the content of admin.token in the state folder as Authorization: Bearer." },
      );
    }
    return OWNER;
  };
}

const OWNER: Principal = {
  id: "admin",
  roles: ["owner"],
  grants: [{ actions: ["*"], targets: ["**"] }],
};

function digest(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}
