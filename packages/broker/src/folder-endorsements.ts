// SPDX-License-Identifier: Apache-2.0
// Endorsements from a folder that others keep fresh: read again when they may have changed.

import { existsSync } from "node:fs";
import { AdytonError } from "@adyton/core/errors";
import { readEndorsementPaths } from "@adyton/endorsements";
import { type Endorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import type { Clock } from "./clock.ts";
import type { Logger } from "./log.ts";

const REREAD_SECONDS = 60;

/**
 * Everything in `folder`, read at most once a minute. A folder that is not there holds nothing. When reading fails
 * later, what was read before stays: verification itself refuses what has expired.
 */
export function folderEndorsements(
  folder: string,
  clock: Clock,
  logger: Logger,
): () => Promise<Endorsements> {
  let held: Promise<Endorsements> = Promise.resolve(NO_ENDORSEMENTS);
  let readAt = Number.NEGATIVE_INFINITY;
  const next = async (before: Promise<Endorsements>): Promise<Endorsements> => {
    try {
      return existsSync(folder) ? await read(folder, logger) : NO_ENDORSEMENTS;
    } catch (error) {
      if (!(error instanceof AdytonError)) throw error;
      logger.error("endorsements not read", { code: error.code, reason: error.message });
      return before;
    }
  };
  return () => {
    const now = clock.now().getTime();
    if (Math.abs(now - readAt) >= REREAD_SECONDS * 1000) {
      readAt = now;
      // Whoever comes while they are read waits as well: the first of many must not be the only one to have any.
      held = next(held);
    }
    return held;
  };
}

async function read(folder: string, logger: Logger): Promise<Endorsements> {
  const { endorsements, ignored } = await readEndorsementPaths([folder]);
  for (const { path, reason } of ignored) logger.warn("endorsement left out", { path, reason });
  return endorsements;
}
