// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { DEFAULT_VERIFIER } from "./ear.ts";

it("names its own version as the verifier's build", () => {
  const { name, version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(DEFAULT_VERIFIER.build).toBe(`${name} ${version}`);
});
