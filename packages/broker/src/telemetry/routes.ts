// SPDX-License-Identifier: Apache-2.0
// What a path is called in metrics and traces: a pattern out of a short list, never a name that a client chose.

export interface Route {
  readonly tenant: string;
  readonly route: string;
  readonly plugin?: string;
}

const TENANT = /^\/tenants\/([a-z][a-z0-9-]{0,62})(\/.*)$/;
const OTHER = "other";
const HOUSE = "default";
/** As they stand. */
const EXACT: ReadonlySet<string> = new Set([
  "/healthz",
  "/readyz",
  "/metrics",
  "/kbs/v0/auth",
  "/kbs/v0/attest",
  "/kbs/v0/resources",
  "/kbs/v0/policies",
  "/kbs/v0/resource-policy",
  "/.well-known/jwks.json",
  "/.well-known/veraison/verification",
]);
/** All below them counts as one. */
const BELOW: readonly string[] = [
  "/kbs/v0/resource",
  "/kbs/v0/reference-value",
  "/kbs/v0/attestation-policy",
  "/v1/resources",
  "/v1/resource-policies",
  "/v1/references",
  "/v1/reference-groups",
  "/v1/policies",
  "/v1/explanations",
  "/v1/audit",
  "/v1/admins",
  "/v1/roles",
  "/v1/whoami",
  "/v1/proposals",
  "/v1/tenants",
  "/v1/root-key",
  "/challenge-response/v1",
  "/management/v1",
];
const PLUGINS = "/kbs/v0/";

/** `plugins` maps the first part of a path below /kbs/v0/, or a whole prefix, to the plugin that answers there. */
export function routeOf(pathname: string, plugins: ReadonlyMap<string, string>): Route {
  const [, tenant = HOUSE, rest = pathname] = TENANT.exec(pathname) ?? [];
  const named = (route: string): Route => ({ tenant, route });
  if (EXACT.has(rest)) return named(rest);
  for (const prefix of BELOW)
    if (rest === prefix || rest.startsWith(`${prefix}/`)) return named(`${prefix}/*`);
  for (const [prefix, plugin] of plugins) {
    if (rest.startsWith(`${prefix}/`)) return { tenant, route: `${prefix}/*`, plugin };
  }
  return named(OTHER);
}

/** Where plugins answer. */
export function pluginPrefixes(
  plugins: readonly { readonly name: string; readonly vaultPath?: string }[],
): ReadonlyMap<string, string> {
  return new Map(
    plugins.flatMap(({ name, vaultPath }): [string, string][] => [
      [`${PLUGINS}${name}`, name],
      ...(vaultPath === undefined ? [] : [[vaultPath, name] as [string, string]]),
    ]),
  );
}
