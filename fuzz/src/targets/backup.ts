// SPDX-License-Identifier: Apache-2.0
// Backups of brokers, and recovery shares as people type them.

import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBackup, verifyBackup, withRecoveredRootKeys } from "@adyton/broker";
import { concat } from "@adyton/core/bytes";
import { NOW, openBroker } from "../broker.ts";
import { bytesOf, textOf, tolerantAsync } from "../tolerant.ts";

const PASSPHRASE = "six words that nobody guesses";
/** Guessing is cheap here, and a mutation that makes it dear says nothing. */
const COST = { logN: 1, r: 1, p: 1 };
const DEAR = /"logN":\d\d|"r":\d{2,}|"p":\d\d/;
/** There is none: shares are read before. */
const NOWHERE = join(tmpdir(), "adyton-fuzz-nowhere");

export async function fuzz(data: Uint8Array): Promise<void> {
  const text = textOf(data);
  if (DEAR.test(text)) return;
  await tolerantAsync(
    () => verifyBackup(once(data), { passphrase: PASSPHRASE }),
    () => verifyBackup(once(data), { shares: text.split("\n") }),
    async () => withRecoveredRootKeys(NOWHERE, text.split("\n"), async () => undefined),
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const { broker, folder: state, state: opened } = await openBroker();
  const parts: Uint8Array[] = [];
  const { store, rootKeys } = opened;
  for await (const part of createBackup(
    state,
    store,
    rootKeys.keys,
    { passphrase: PASSPHRASE, cost: COST },
    NOW,
  ))
    parts.push(part);
  await broker.close();
  rmSync(state, { recursive: true });
  return [
    concat(...parts),
    bytesOf(`adyton-share-1 ${"04000-".repeat(15)}04\nadyton-share-2 ${"o4ooo ".repeat(15)}04`),
  ];
}

async function* once(data: Uint8Array): AsyncGenerator<Uint8Array> {
  yield data;
}
