// SPDX-License-Identifier: Apache-2.0
// The worked example of docs/plugins.md keeps its promises.

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { toUtf8 } from "@adyton/core/bytes";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { newTeePair, openedOf, PAIR, refusalOf } from "../../test/harness.ts";
import { createPluginHarness, type PluginHarness } from "../../test/plugin-harness.ts";
import type { Plugin } from "./types.ts";

const EXAMPLE = pathToFileURL(join(import.meta.dirname, "../../../../examples/plugin/seats.mjs")).href;
const POOL = "/kbs/v0/seats/pool";
let harness: PluginHarness;

beforeEach(async () => {
  const { seatsPlugin } = (await import(EXAMPLE)) as { seatsPlugin: () => Plugin };
  harness = await createPluginHarness([seatsPlugin()]);
});
afterEach(() => harness.close());

const seatOf = async (pair = PAIR): Promise<unknown> =>
  JSON.parse(toUtf8(await openedOf(await harness.guest("POST", POOL), pair.privateKey)));

describe("the example of a plugin", () => {
  it("gives each attested key one seat, as long as there are some", async () => {
    expect((await refusalOf(await harness.guest("POST", POOL))).code).toBe("KEY_REFUSED");
    expect((await harness.admin("PUT", POOL, "2")).status).toBe(200);
    expect(await seatOf()).toEqual({ seat: 1 });
    expect(await seatOf()).toEqual({ seat: 1 });
    const second = newTeePair();
    await harness.attestAgain({ pair: second });
    expect(await seatOf(second)).toEqual({ seat: 2 });
    expect((await harness.events())[0]).toMatchObject({ type: "plugin.use", plugin: "seats", seat: 2 });
    await harness.attestAgain({ pair: newTeePair() });
    expect((await refusalOf(await harness.guest("POST", POOL))).detail).toContain("all seats are taken");
  });

  it("leaves the number of seats to administrators, and seats to the attested", async () => {
    expect((await refusalOf(await harness.guest("PUT", POOL, "100"))).code).toBe("ADMIN_REFUSED");
    expect((await refusalOf(await harness.admin("POST", POOL))).code).toBe("TOKEN_REFUSED");
    expect((await refusalOf(await harness.admin("PUT", POOL, "many"))).code).toBe("INVALID_REQUEST");
    expect((await refusalOf(await harness.guest("POST", "/kbs/v0/seats/other"))).code).toBe("INVALID_PATH");
  });
});
