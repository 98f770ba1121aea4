// SPDX-License-Identifier: Apache-2.0
// The tour from end to end. Its workload is a program of its own, which needs the built packages.

import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

const built = existsSync(resolve(import.meta.dirname, "../../../client/dist/index.js"));

describe.skipIf(!built)("adyton tour --once", () => {
  it("shows each step as promised", async () => {
    const io = createBufferIo({ env: { ADYTON_FIXTURES: process.env.ADYTON_FIXTURES } });
    expect(await run(["tour", "--once"], io)).toBe(0);
    const { stdout, stderr } = io.output();
    expect(stderr).toBe("");
    expect(stdout.match(/^\d\. /gm)).toHaveLength(8);
    expect(stdout).toContain(hasFixtures ? "2. Verify real evidence" : "simulated: no real evidence at hand");
    expect(stdout).toContain("Everything did what it promised.");
  });

  it("as JSON, with simulated evidence where there is no real one", async () => {
    const io = createBufferIo();
    expect(await run(["tour", "--once", "--json", "--fixtures", "nowhere"], io)).toBe(0);
    const { stdout, stderr } = io.output();
    expect(stderr).toContain("simulated: no real evidence at hand");
    const { steps } = JSON.parse(stdout) as { steps: { title: string; held: string[] }[] };
    expect(steps.map(({ held }) => held.length)).toEqual([1, 1, 3, 1, 2, 1, 3, 2]);
  });

  it("stays up until it is asked to stop, and says how to go on", async () => {
    const io = createBufferIo({ interruption: Promise.resolve() });
    expect(await run(["tour", "--fixtures", "nowhere"], io)).toBe(0);
    expect(io.output().stderr).toMatch(/adyton sample run .*Stopped\.\n$/s);
  });
});
