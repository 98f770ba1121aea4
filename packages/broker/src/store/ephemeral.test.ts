// SPDX-License-Identifier: Apache-2.0
import { expect, it } from "vitest";
import { describeEphemeral } from "../../test/ephemeral-suite.ts";
import { memoryEphemeral } from "./ephemeral.ts";

describeEphemeral("values in memory", async () => ({ ephemeral: memoryEphemeral(), remove: async () => {} }));

it("holds no more than lives, whatever came and went", async () => {
  const values = memoryEphemeral();
  for (let second = 0; second < 1000; second++) {
    const now = new Date(second * 1000);
    await values.put("s", `k${second}`, new Uint8Array(0), new Date((second + 10) * 1000), now);
    expect(await values.count("s", now)).toBe(Math.min(second + 1, 10));
  }
});
