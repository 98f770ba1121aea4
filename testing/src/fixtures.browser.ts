// SPDX-License-Identifier: Apache-2.0
// In a browser the test server hands fixtures out: see the commands in vitest.config.ts.
import { fromBase64 } from "@adyton/core/bytes";
import { commands } from "vitest/browser";

declare module "vitest/browser" {
  interface BrowserCommands {
    readFixture: (path: string) => Promise<string>;
    hasFixtures: () => Promise<boolean>;
  }
}

/** Whether real evidence is at hand. */
export const hasFixtures: boolean = await commands.hasFixtures();

/** The bytes of a fixture, by its path below the fixtures folder. */
export async function fixtureBytes(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return fromBase64(await commands.readFixture(path));
}
