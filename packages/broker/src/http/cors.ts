// SPDX-License-Identifier: Apache-2.0
// Web pages of other origins, where the owner lists them (Fetch standard, CORS protocol). Never with cookies: those are sent
// for whoever has them, and a page must not borrow them.

import type { MiddlewareHandler } from "hono";
import type { App } from "./parts.ts";

const METHODS = "GET, POST, PUT, DELETE";
const HEADERS = "authorization, content-type";
const EXPOSED = "adyton-error, location, retry-after";
const SECONDS = "86400";

/** Answers what browsers ask before, and lets the pages of `origins` read answers. */
export function addCors(app: App, origins: readonly string[]): void {
  if (origins.length === 0) return;
  const cors: MiddlewareHandler = async (c, next) => {
    const origin = c.req.header("origin");
    if (origin === undefined || !origins.includes(origin)) return next();
    if (c.req.method === "OPTIONS" && c.req.header("access-control-request-method") !== undefined) {
      return c.body(null, 204, {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": METHODS,
        "access-control-allow-headers": HEADERS,
        "access-control-max-age": SECONDS,
        vary: "origin",
      });
    }
    await next();
    c.res.headers.set("access-control-allow-origin", origin);
    c.res.headers.set("access-control-expose-headers", EXPOSED);
    c.res.headers.append("vary", "origin");
  };
  app.use(cors);
}
