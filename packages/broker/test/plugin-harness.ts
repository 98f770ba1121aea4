// SPDX-License-Identifier: Apache-2.0
// A broker with plugins and an attested workload, for the tests of plugins.

import type { JsonObject } from "@adyton/core/json";
import { readAuditLog } from "../src/audit.ts";
import type { BrokerOptions } from "../src/index.ts";
import type { Plugin } from "../src/plugins/index.ts";
import { type AttestChanges, createHarness, GOOD_VALUES, type Harness } from "./harness.ts";

export interface PluginHarness extends Harness {
  /** With the attested workload's token. */
  guest(method: string, path: string, body?: string | Uint8Array): Promise<Response>;
  /** Attests anew. */
  attestAgain(changes?: AttestChanges): Promise<void>;
  /** Events of the audit log, the last first. */
  events(): Promise<readonly JsonObject[]>;
}

export async function createPluginHarness(
  plugins: readonly Plugin[],
  options: Partial<BrokerOptions> = {},
): Promise<PluginHarness> {
  const harness = await createHarness({ plugins, ...options });
  await harness.setReferenceValues(GOOD_VALUES);
  let { token } = await harness.attested();
  return {
    ...harness,
    guest: (method, path, body) =>
      harness.call(method, path, {
        headers: { authorization: `Bearer ${token}` },
        ...(body === undefined ? {} : { body }),
      }),
    attestAgain: async (changes) => {
      token = (await harness.attested(changes)).token;
    },
    events: async () => (await readAuditLog(harness.state.store)).map(({ event }) => event).reverse(),
  };
}
