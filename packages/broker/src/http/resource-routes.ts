// SPDX-License-Identifier: Apache-2.0
// Resources: released to the attested, kept by the administrator. Trustee's paths, and what it lacks below /v1/resources.

import { ANYTHING, may } from "../admin/principal.ts";
import { parseResourcePath, type ResourcePath, resourceName } from "../resource-path.ts";
import { claimsOf } from "./attested.ts";
import { logHeaders } from "./audit-routes.ts";
import { readBody } from "./body.ts";
import { type App, type AppParts, noSuchPath, PREFIX, pathBelow } from "./parts.ts";

const BELOW = `${PREFIX}/resource/`;
const OWN = "/v1/resources";
const VERSION = /^[1-9][0-9]{0,9}$/;

export function addResourceRoutes(app: App, parts: AppParts): void {
  const { authorize, clock, maxBodyBytes, resources } = parts;
  app.get(`${BELOW}*`, async (c) => {
    const now = clock.now();
    const { url, version } = versionOf(c.req.url);
    const path = pathOf(url);
    const { jwe, seq } = await resources.release(path, await claimsOf(c.req.raw, parts, now), now, version);
    return c.json(jwe, 200, await logHeaders(c.req.raw, parts, seq));
  });
  app.post(`${BELOW}*`, async (c) => {
    const path = pathOf(c.req.url);
    const { id: by } = await authorize(c.req.raw, "resource.put", resourceName(path));
    const secret = await readBody(c.req.raw, maxBodyBytes);
    try {
      await resources.put(path, secret, { now: clock.now(), by });
    } finally {
      secret.fill(0);
    }
    return c.body(null, 200);
  });
  app.delete(`${BELOW}*`, async (c) => {
    const path = pathOf(c.req.url);
    const { id: by } = await authorize(c.req.raw, "resource.delete", resourceName(path));
    await resources.delete(path, { now: clock.now(), by });
    return c.body(null, 200);
  });
  app.get(`${PREFIX}/resources`, async (c) => {
    const principal = await authorize(c.req.raw, "resource.list", ANYTHING);
    const names = await resources.list(prefixOf(c.req.url));
    return c.json(names.filter((name) => may(principal, "resource.list", name)));
  });
  app.get(`${OWN}/*`, async (c) => {
    const path = ownPathOf(c.req.url, "versions");
    await authorize(c.req.raw, "resource.list", resourceName(path));
    return c.json({ name: resourceName(path), ...(await resources.versions(path)) });
  });
  app.post(`${OWN}/*`, async (c) => {
    const what = c.req.url.endsWith("/purge") ? "purge" : "restore";
    const path = ownPathOf(c.req.url, what);
    const { id: by } = await authorize(c.req.raw, `resource.${what}`, resourceName(path));
    await resources[what](path, { now: clock.now(), by });
    return c.json({ name: resourceName(path), [what === "purge" ? "purged" : "restored"]: true });
  });
}

function pathOf(url: string): ResourcePath {
  return parseResourcePath(pathBelow(BELOW, url));
}

/** `/v1/resources/<repository>/<type>/<tag>/<operation>`. */
function ownPathOf(url: string, operation: string): ResourcePath {
  const below = pathBelow(`${OWN}/`, url);
  const end = `/${operation}`;
  return parseResourcePath(below.endsWith(end) ? below.slice(0, -end.length) : `${below}/?/?/?`);
}

/** `?version=` and nothing else. */
function versionOf(text: string): { url: string; version?: number } {
  const url = new URL(text);
  const { search } = url;
  if (search === "") return { url: text };
  const version = search.startsWith("?version=") ? search.slice("?version=".length) : "";
  if (!VERSION.test(version)) throw noSuchPath("a query on", url.pathname);
  url.search = "";
  return { url: url.href, version: Number(version) };
}

/** `?prefix=` and nothing else. */
function prefixOf(text: string): string {
  const { pathname, searchParams } = new URL(text);
  for (const name of searchParams.keys()) {
    if (name !== "prefix") throw noSuchPath("a query on", pathname);
  }
  return searchParams.get("prefix") ?? "";
}
