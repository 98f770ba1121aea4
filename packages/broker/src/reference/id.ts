// SPDX-License-Identifier: Apache-2.0
// What reference values, and the groups they are in, may be called.

import { invalid } from "../protocol.ts";

// Ids of the field are snake_case words; paths and colons serve those of other providers, and what their names hold
// besides is encoded. An encoded dot is none: addresses take it for a dot.
const ID = /^(?:[A-Za-z0-9_]|%(?!2E)[0-9A-F]{2})(?:[A-Za-z0-9_.:/-]|%(?!2E)[0-9A-F]{2})*$/;
const MAX_ID = 256;
const GROUP = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$/;

/** Throws `INVALID_REQUEST` unless `id` can name a reference value. */
export function checkReferenceId(id: string): void {
  if (
    id.length > MAX_ID ||
    !ID.test(id) ||
    id.split("/").some((part) => part === "" || part === "." || part === "..")
  )
    throw invalid(`${JSON.stringify(id.slice(0, 80))} is no reference value id`);
}

/** Throws `INVALID_REQUEST` unless `name` can name a group of reference values. */
export function checkReferenceGroup(name: string): void {
  if (!GROUP.test(name)) throw invalid(`${JSON.stringify(name.slice(0, 80))} is no name of a group`);
}
