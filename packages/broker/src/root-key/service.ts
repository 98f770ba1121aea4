// SPDX-License-Identifier: Apache-2.0
// Root keys while the broker runs: a new generation seals at once, all values are sealed anew behind it, and what nothing
// uses any more is destroyed. What other processes do to the root keys is taken over. Killed at any point, it goes on where
// the store and the root keys are.

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
   * How long a generation is kept after nothing in the store used it: sessions may still do. Default 3,600.
   */
  readonly keepSeconds?: number;
}

export interface RootKeyStatus extends RootKeyFacts {
  readonly reseal: ResealProgress & { readonly running: boolean };
}

const KEEP_SECONDS = 3600;
const WATCH_MS = 10_000;

export class RootKeyService {
  readonly vault: Vault;
  readonly keys: RootKeys;
  readonly #options: RootKeyServiceOptions;
  #progress: ResealProgress = { seen: 0, total: 0, resealed: 0 };
  readonly #ending: AbortController = new AbortController();
  #running: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failure: string | undefined;

  constructor(options: RootKeyServiceOptions) {
    this.#options = options;
    this.keys = options.keys;
    this.vault = options.keys.vault;
  }

  /** As far as this process knows: `keys.refresh()` looks what others did. */
  status(): RootKeyStatus {
    return { ...this.keys.facts(), reseal: { ...this.#progress, running: this.#running !== undefined } };
  }

  /** Resolves once the new generation is kept and seals; values follow behind (`settled`). */
  async rotate(): Promise<void> {
    const { keys, clock } = this.#options;
    await keys.rotate(clock.now());
    this.start();
  }

  /**
   * Destroys at once what nothing in the store uses. Sessions that are sealed under it end. Rejects with what the store and
   * the root keys reject with.
   */
  async retire(): Promise<void> {
    await this.#running;
    const run = this.#maintain(true);
    this.#running = run
      .catch(() => undefined)
      .finally(() => {
        this.#running = undefined;
      });
    await run;
  }

  /** Seals anew what an earlier run left, and destroys what is due. `watch` does it now and then. */
  start(): void {
    if (this.#running !== undefined || this.#ending.signal.aborted) return;
    this.#running = this.#maintain(false)
      .then(() => this.#worked())
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#running = undefined;
      });
  }

  /** Looks every ten seconds for what other processes did to the root keys, and for what is due; keeps no process alive. */
  watch(milliseconds: number = WATCH_MS): void {
    this.#timer ??= setInterval(() => this.start(), milliseconds).unref();
  }

  /** Waits for what `start` began. Never rejects: failures are in the log, and the next run goes on. */
  async settled(): Promise<void> {
    await this.#running;
  }

  /** Stops what `start` began at the next value; the next start goes on from there. Close the store afterwards. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#ending.abort();
    await this.#running;
  }

  async #maintain(atOnce: boolean): Promise<void> {
    const { store, keys, clock, logger, keepSeconds = KEEP_SECONDS } = this.#options;
    await keys.refresh();
    const horizon = (now: Date): Date => new Date(now.getTime() - (atOnce ? 0 : keepSeconds * 1000));
    const { active, generations } = keys.facts();
    const due = horizon(clock.now()).getTime();
    const waits = ({ id, retired }: (typeof generations)[number]): boolean =>
      id === active || (retired !== undefined && new Date(retired).getTime() > due);
    if (generations.every(waits)) return;
    const { signal } = this.#ending;
    const tell = (progress: ResealProgress): void => {
      this.#progress = progress;
    };
    const { resealed, used } = await resealAll(store, this.vault, tell, signal);
    const now = clock.now();
    // A second look: writers that began before the rotation are through by now.
    const { used: left } = await resealAll(store, this.vault, undefined, signal);
    const still = new Set([...used, ...left]);
    await keys.retire(still, now, horizon(now));
    if (atOnce) await keys.retire(still, now, now);
    logger.info("values resealed", { resealed, generations: keys.facts().generations.length });
  }

  #worked(): void {
    if (this.#failure !== undefined) this.#options.logger.info("root keys are well again");
    this.#failure = undefined;
  }

  #failed(error: unknown): void {
    if (this.#ending.signal.aborted) return;
    // Whoever closed the store without us wants no more of us.
    if (error instanceof BrokerError && error.code === "STORE_CLOSED") clearInterval(this.#timer);
    const reason = error instanceof Error ? error.message : String(error);
    const hint = error instanceof BrokerError && error.hint !== undefined ? { hint: error.hint } : {};
    if (reason !== this.#failure) this.#options.logger.error("root keys not tended", { reason, ...hint });
    this.#failure = reason;
  }
}
