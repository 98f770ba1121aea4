// SPDX-License-Identifier: Apache-2.0
// Gauges of the state itself, read when somebody asks for them.

import { readHead } from "../audit/head.ts";
import { auditEntryOf } from "../audit.ts";
import type { BrokerOptions } from "../broker.ts";
import type { Clock } from "../clock.ts";
import type { Metrics } from "./metrics.ts";

/** Adds to `metrics` what can be seen in the store and in the endorsements. */
export function watchState(metrics: Metrics, options: BrokerOptions, clock: Clock): void {
  const { endorsements, logKey, rootKeys, store } = options;
  const secondsSince = (time: Date): number => (clock.now().getTime() - time.getTime()) / 1000;
  const size = async (): Promise<number> => (await readHead(store, logKey))?.checkpoint.size ?? 0;
  metrics.watch("adyton_audit_log_entries", "Entries of the audit log", size);
  metrics.watch("adyton_audit_log_head_age_seconds", "Since the newest entry was signed", async () => {
    const entries = await size();
    const [last] = entries === 0 ? [] : await store.log(entries - 1, 1);
    return last === undefined ? undefined : secondsSince(new Date(auditEntryOf(last).time));
  });
  metrics.watch("adyton_sessions", "Challenges and sessions that have not expired", () =>
    store.ephemeral.count("session", clock.now()),
  );
  if (rootKeys !== undefined) {
    metrics.watch(
      "adyton_root_key_generations",
      "Root keys that values may be sealed under",
      async () => rootKeys.status().generations.length,
    );
  }
  if (endorsements === undefined) return;
  metrics.watch("adyton_endorsement_age_seconds", "Since the oldest revocation list was issued", async () => {
    const { crls } = await endorsements();
    const [oldest] = crls.map(({ thisUpdate }) => thisUpdate).sort((a, b) => a.getTime() - b.getTime());
    return oldest === undefined ? undefined : secondsSince(oldest);
  });
}
