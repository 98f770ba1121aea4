// SPDX-License-Identifier: Apache-2.0
// What the administrator learns of an attestation that its token does not say.

import type { JsonObject } from "@adyton/core/json";
import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness, jsonOf, refusalOf } from "../test/harness.ts";

const BASE = "/v1/explanations";
let harness: Harness;
beforeEach(async () => {
  harness = await createHarness();
});
afterEach(() => harness.close());

/** The token of an attestation. */
async function attested(): Promise<JsonObject> {
  const { token } = await harness.attested();
  return decodeJwt(token) as JsonObject;
}
const found = async (id: unknown): Promise<JsonObject> =>
  jsonOf(await harness.admin("GET", `${BASE}/${String(id)}`));

describe("explanations", () => {
  it("tell the administrator file, line and reference values, by the id in the token", async () => {
    const other = "5a".repeat(48);
    await harness.setReferenceValues({ ...GOOD_VALUES, launch_digest: other });
    const claims = await attested();
    expect(JSON.stringify(claims)).not.toMatch(/\.rego/);
    expect(JSON.stringify(claims)).not.toContain(other);
    const kept = await found(claims.jti);
    expect(kept).toMatchObject({ id: claims.jti, status: "warning", submods: { cpu0: { tee: "sample" } } });
    expect(JSON.stringify(kept)).toMatch(/"file":"adyton\/sample.rego","line":\d+/);
    expect(JSON.stringify(kept)).toContain(other);
  });

  it("are listed, the newest first", async () => {
    const first = await attested();
    await harness.setReferenceValues(GOOD_VALUES);
    const second = await attested();
    const { explanations } = await jsonOf(await harness.admin("GET", BASE));
    expect(explanations).toMatchObject([
      { id: second.jti, status: "affirming", tees: ["sample"] },
      { id: first.jti },
    ]);
    const one = await jsonOf(await harness.admin("GET", `${BASE}?limit=1`));
    expect(one.explanations).toMatchObject([{ id: second.jti }]);
  });

  it.each(["0-000000000000000000000000", "1-000000000000000000000000", "nothing", "slot%2F1"])(
    "%s is none",
    async (id) => {
      await attested();
      expect(await refusalOf(await harness.admin("GET", `${BASE}/${id}`))).toMatchObject({
        status: 404,
        code: "EXPLANATION_NOT_FOUND",
      });
    },
  );

  it("are refused to everybody else", async () => {
    const { jti } = await attested();
    for (const path of [BASE, `${BASE}/${String(jti)}`]) {
      expect(await refusalOf(await harness.call("GET", path))).toMatchObject({ code: "ADMIN_REFUSED" });
    }
  });

  it.each(["0", "201", "x", "-1"])("a limit of %s is refused", async (limit) => {
    expect(await refusalOf(await harness.admin("GET", `${BASE}?limit=${limit}`))).toMatchObject({
      code: "INVALID_REQUEST",
    });
  });
});
