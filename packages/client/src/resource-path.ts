// SPDX-License-Identifier: Apache-2.0
// Names of resources as callers write them.

import { ClientError } from "./errors.ts";

const PART = /^[A-Za-z0-9_-]+[A-Za-z0-9_.-]*$/;
const SCHEME = "kbs:///";

/**
 * The path of `repository/type/tag`, of `type/tag` in the repository `default`, or of `kbs:///repository/type/tag`.
 * Throws `INVALID_RESOURCE_PATH`.
 */
export function resourcePath(name: string): string {
  const path = name.startsWith(SCHEME) ? name.slice(SCHEME.length) : name;
  const parts = path.split("/");
  if (![2, 3].includes(parts.length) || !parts.every((part) => PART.test(part))) {
    throw new ClientError(
      "INVALID_RESOURCE_PATH",
      "misuse",
      `Cannot use ${JSON.stringify(name.slice(0, 200))} as a resource: expected repository/type/tag`,
      { hint: "Parts hold letters, digits, _, - and (not first) dots, for example default/hello/secret." },
    );
  }
  return parts.length === 2 ? `default/${path}` : path;
}
