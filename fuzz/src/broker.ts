// SPDX-License-Identifier: Apache-2.0
// A broker in a temporary folder, for targets that knock at its door.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type Broker,
  type BrokerOptions,
  type BrokerState,
  createBroker,
  openBrokerState,
} from "@adyton/broker";
import { sample } from "./simulated.ts";

export const NOW: Date = new Date("2026-03-01T12:00:00Z");

export interface FuzzedBroker {
  readonly folder: string;
  readonly state: BrokerState;
  readonly broker: Broker;
}

/** It allows the software TEE and has no limit of requests. Remove its folder. */
export async function openBroker(options: Partial<BrokerOptions> = {}): Promise<FuzzedBroker> {
  const folder = mkdtempSync(join(tmpdir(), "adyton-fuzz-"));
  const state = await openBrokerState(folder, { clock: { now: () => NOW } });
  const { root } = await sample();
  const broker = createBroker({
    ...state,
    roots: [root],
    allowSimulated: true,
    rateLimit: false,
    clock: { now: () => NOW },
    ...options,
  });
  return { folder, state, broker };
}

/** `openBroker` for as long as the process lives: what it has opened stays open without its folder. */
export async function openFleetingBroker(options: Partial<BrokerOptions> = {}): Promise<FuzzedBroker> {
  const opened = await openBroker(options);
  rmSync(opened.folder, { recursive: true, force: true });
  return opened;
}

/** Nothing that a client sends, and nobody else's answer, may end in an error that nobody foresaw. */
export function checkForeseen(response: Response, what: string): void {
  if (response.status === 500 && !response.headers.has("adyton-error"))
    throw new Error(`${what} ended in an error that nobody foresaw`);
}
