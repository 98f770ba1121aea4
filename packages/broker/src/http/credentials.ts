// SPDX-License-Identifier: Apache-2.0
// Who a request comes from: the session cookie, the bearer token.

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

/** `base` stands before the protocol's paths: empty, or a tenant's. */
export function sessionCookie(session: Session, base: string): string {
  return `${SESSION_COOKIE}=${session.id}; Expires=${session.expires.toUTCString()}; Path=${base}/kbs/v0; HttpOnly; SameSite=Strict`;
}

/** The token of an `Authorization: Bearer` header (RFC 6750 section 2.1). */
export function bearerOf(request: Request): string | undefined {
  return BEARER.exec(request.headers.get("authorization") ?? "")?.[1];
}
