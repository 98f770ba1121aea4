// SPDX-License-Identifier: Apache-2.0
// Names as they stand in the paths of plugins.

import { ClientError } from "./errors.ts";

const PLUGIN = /^[a-z0-9-]{1,64}$/;
const PART = /^[A-Za-z0-9_.:@-]{1,512}$/;
const MAX_PARTS = 32;

/**
 * `/kbs/v0/<plugin>/<parts…>`. Throws `INVALID_NAME` for what would name something else once it stands in a URL: empty
 * parts, dots alone, slashes.
 */
export function pluginPath(plugin: string, parts: readonly string[]): string {
  if (!PLUGIN.test(plugin)) throw invalidName(plugin, "a plugin: expected lower-case letters, digits and -");
  for (const part of parts)
    if (!PART.test(part) || part === "." || part === "..")
      throw invalidName(part, "a name: expected letters, digits, _ . : @ -");
  if (parts.length > MAX_PARTS)
    throw invalidName(parts.join("/"), `a path: expected ${MAX_PARTS} parts at most`);
  return `/kbs/v0/${plugin}/${parts.join("/")}`;
}

function invalidName(name: string, expected: string): ClientError {
  return new ClientError(
    "INVALID_NAME",
    "misuse",
    `Cannot use ${JSON.stringify(name.slice(0, 200))} as ${expected}`,
  );
}
