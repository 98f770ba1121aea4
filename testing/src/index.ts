// SPDX-License-Identifier: Apache-2.0
// Fixtures for tests. Real evidence stands beside the repository in ../shared/fixtures (override: ADYTON_FIXTURES);
// tests that need it use `describe.skipIf(!hasFixtures)` so that a fresh clone alone passes.

import { fixtureBytes, hasFixtures } from "#fixtures";

export { fixtureBytes, hasFixtures };

/** A fixture as UTF-8 text. */
export async function fixtureText(path: string): Promise<string> {
  return new TextDecoder().decode(await fixtureBytes(path));
}
export { codeOf, codeOfAsync } from "./codes.ts";
