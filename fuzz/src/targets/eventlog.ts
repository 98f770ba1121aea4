// SPDX-License-Identifier: Apache-2.0
// Event logs: parsed, written back, interpreted.

import {
  bootClaims,
  bootFacts,
  devicePathTexts,
  encodeEventLog,
  eventDetails,
  parseEventLog,
  parseUefiVariable,
} from "@adyton/evidence/eventlog";
import { simulateBoot } from "@adyton/simulator";
import { tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  tolerant(
    () => parseUefiVariable(data),
    () => devicePathTexts(data),
    () => {
      const log = parseEventLog(data);
      const { events } = log;
      for (const event of events) eventDetails(event);
      const kind = "pcr" as const;
      const coverage = { part: "all" } as const;
      bootClaims(bootFacts(events.map((event) => ({ event, kind, digests: event.digests, coverage }))));
      encodeEventLog(log);
    },
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const boots = await Promise.all([
    simulateBoot(),
    simulateBoot({ format: "sha1" }),
    simulateBoot({ hashes: ["SHA-1", "SHA-256", "SHA-384"], startupLocality: 3 }),
    simulateBoot({ registers: "rtmr", agentEvents: [["example.org", "pull", "image"]] }),
  ]);
  return boots.map(({ log }) => log);
}

export const fixtures: readonly string[] = ["eventlog", "tpm2/go-attestation", "tpm2/go-tpm-tools/eventlogs"];
