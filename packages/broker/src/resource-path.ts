// SPDX-License-Identifier: Apache-2.0
// Names of resources: repository, type, tag.

import { BrokerError } from "./errors.ts";

export interface ResourcePath {
  readonly repository: string;
  readonly type: string;
  readonly tag: string;
}

const DEFAULT_REPOSITORY = "default";
const MAX_PART = 128;
// Trustee's rule: no part starts with a dot, so neither "." nor ".." is a name.
const PART = /^[A-Za-z0-9_-]+[A-Za-z0-9_.-]*$/;

/** Reads `repo/type/tag`, or `type/tag` in the repository `default`. Throws `INVALID_PATH`. */
export function parseResourcePath(text: string): ResourcePath {
  const parts = text.split("/");
  const [repository, type, tag] = parts.length === 2 ? [DEFAULT_REPOSITORY, ...parts] : parts;
  if (parts.length > 3 || repository === undefined || type === undefined || tag === undefined)
    throw invalid(text, `it has ${parts.length} parts, expected repository/type/tag`);
  for (const part of [repository, type, tag]) {
    if (part.length > MAX_PART) throw invalid(text, `a part is longer than ${MAX_PART} characters`);
    if (!PART.test(part))
      throw invalid(text, "a part holds something else than letters, digits, _, - and (not first) dots");
  }
  return { repository, type, tag };
}

/** `repo/type/tag`. */
export function resourceName(path: ResourcePath): string {
  return `${path.repository}/${path.type}/${path.tag}`;
}

function invalid(text: string, why: string): BrokerError {
  const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
  return new BrokerError(
    "INVALID_PATH",
    "misuse",
    `Cannot use resource path ${JSON.stringify(shown)}: ${why}`,
    {
      hint: "Name a resource as repository/type/tag, for example default/hello/secret.",
    },
  );
}
