// SPDX-License-Identifier: Apache-2.0
// Rotation while the broker runs: a new generation seals at once, all values are sealed anew behind it, and what nothing
// uses any more is destroyed. Killed at any point, it goes on where the store and root-keys.json are.

import type { Clock } from "../clock.ts";
import { BrokerError } from "../errors.ts";
import type { Logger } from "../log.ts";
import type { WholeStore } from "../store/types.ts";
import type { Vault } from "../vault.ts";
import type { RootKeyFacts, RootKeys } from "./keeper.ts";
import { type ResealProgress, resealAll } from "./reseal.ts";

export interface RootKeyServiceOptions {
  readonly store: WholeStore;
  readonly keys: RootKeys;
  readonly clock: Clock;
  readonly logger: Logger;
  /**
   * How long a generation is kept after nothing in the store used it: sessions and replicas that have not noticed the
   * new one may still do. Default 3,600.
   */
  readonly keepSeconds?: number;
  /** Others have copies of root-keys.json: a rotation here would leave them behind. Default false. */
  readonly copied?: boolean;
}

export interface RootKeyStatus extends RootKeyFacts {
  readonly reseal: ResealProgress & { readonly running: boolean };
}

const KEEP_SECONDS = 3600;

export class RootKeyService {
  readonly vault: Vault;
  readonly keys: RootKeys;
  readonly #options: RootKeyServiceOptions;
  #progress: ResealProgress = { seen: 0, total: 0, resealed: 0 };
  readonly #ending: AbortController = new AbortController();
  #running: Promise<void> | undefined;

  constructor(options: RootKeyServiceOptions) {
    this.#options = options;
    this.keys = options.keys;
    this.vault = options.keys.vault;
  }

  status(): RootKeyStatus {
    const { keys } = this.#options;
    keys.refresh();
    return { ...keys.facts(), reseal: { ...this.#progress, running: this.#running !== undefined } };
  }

  /** Resolves once the new generation is on disk and seals; values follow behind (`settled`). Rejects with `KEY_REFUSED`. */
  async rotate(): Promise<void> {
    const { keys, clock, copied = false } = this.#options;
    if (copied) {
      throw new BrokerError(
        "KEY_REFUSED",
        "misuse",
        "Cannot rotate the root key: other replicas have copies of root-keys.json, and could not read what this one then writes",
        { hint: "Let the replicas share the file, and say so (rootKey.shared)." },
      );
    }
    await keys.rotate(clock.now());
    this.start();
  }

  /** Seals anew what an earlier run left, and destroys what is due. Once at a start, and now and then, is enough. */
  start(): void {
    if (this.#running !== undefined) return;
    this.#running = this.#maintain().finally(() => {
      this.#running = undefined;
    });
  }

  /** Waits for what `start` began. Never rejects: failures are in the log, and the next run goes on. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Stops what `start` began at the next value; the next start goes on from there. Close the store afterwards. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#running;
  }

  async #maintain(): Promise<void> {
    const { store, keys, clock, logger, keepSeconds = KEEP_SECONDS } = this.#options;
    try {
      keys.refresh();
      const { generations } = keys.facts();
      if (generations.length === 1) return;
      const { signal } = this.#ending;
      const tell = (progress: ResealProgress): void => {
        this.#progress = progress;
      };
      const { resealed, used } = await resealAll(store, this.vault, tell, signal);
      const now = clock.now();
      // A second look: writers that began before the rotation are through by now.
      const { used: left } = await resealAll(store, this.vault, undefined, signal);
      await keys.retire(new Set([...used, ...left]), now, new Date(now.getTime() - keepSeconds * 1000));
      logger.info("values resealed", { resealed, generations: keys.facts().generations.length });
    } catch (error) {
      if (this.#ending.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      logger.error("values not resealed", { reason });
    }
  }
}
