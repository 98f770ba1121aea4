// SPDX-License-Identifier: Apache-2.0
// What a group of writes that are committed together comes to: which of them hold, and what they leave. Every store
// applies it as it can.

import { equal } from "@adyton/core/bytes";
import type { LogEntry, LogLeaf } from "../audit/writer.ts";
import { BrokerError } from "../errors.ts";
import type { Change } from "./types.ts";

/** A write that somebody waits for. */
export interface Job {
  readonly changes: readonly Change[];
  readonly resolve: (touched: readonly number[]) => void;
  readonly reject: (error: BrokerError) => void;
}

/** What stands in the database before the group. */
export interface Stored {
  read(space: string, key: string): Uint8Array | undefined;
  has(space: string, key: string): boolean;
}

/** A value as the group leaves it; undefined: deleted. */
export interface Left {
  readonly space: string;
  readonly key: string;
  readonly value: Uint8Array | undefined;
}

export interface Group {
  /** For each job, in order, what to tell it once the group is durable. */
  readonly outcomes: readonly (readonly number[] | BrokerError)[];
  /** Each place once. */
  readonly left: readonly Left[];
  /** Of the jobs that hold, in order. */
  readonly leaves: readonly LogLeaf[];
  /** Puts the numbers of the entries that the leaves became into the outcomes. */
  numbered(entries: readonly LogEntry[]): void;
}

const MAX_NAME_BYTES = 1024;
const NUL = "\0";

/** Each job sees what those before it did. One that does not hold leaves nothing. */
export function groupOf(jobs: readonly Pick<Job, "changes">[], stored: Stored): Group {
  const left = new Map<string, Left>();
  const leaves: LogLeaf[] = [];
  const appends: { readonly touched: number[]; readonly at: number }[] = [];
  const hasNow = (space: string, key: string): boolean => {
    const known = left.get(placeOf(space, key));
    return known === undefined ? stored.has(space, key) : known.value !== undefined;
  };
  const valueNow = (space: string, key: string): Uint8Array | undefined => {
    const known = left.get(placeOf(space, key));
    return known === undefined ? stored.read(space, key) : known.value;
  };
  const apply = (change: Change): number => {
    switch (change.kind) {
      case "put":
        left.set(placeOf(change.space, change.key), change);
        return 1;
      case "delete": {
        const { space, key } = change;
        const there = hasNow(space, key);
        if (there) left.set(placeOf(space, key), { space, key, value: undefined });
        return there ? 1 : 0;
      }
      case "append":
        leaves.push({ time: change.time, event: change.event });
        return 1;
      case "check":
        return 0;
    }
  };
  const outcomes = jobs.map(({ changes }) => {
    for (const change of changes) {
      if (change.kind !== "check") continue;
      if (!same(valueNow(change.space, change.key), change.expect)) return conflict(change.space, change.key);
    }
    const touched = changes.map(apply);
    for (const [at, { kind }] of changes.entries()) if (kind === "append") appends.push({ touched, at });
    return touched;
  });
  const numbered = (entries: readonly LogEntry[]): void => {
    for (const [n, { touched, at }] of appends.entries()) touched[at] = entries[n]?.seq ?? 0;
  };
  return { outcomes, left: [...left.values()], leaves, numbered };
}

/** Tells every job of a committed group what became of it. */
export function settle(jobs: readonly Job[], { outcomes }: Group): void {
  for (const [index, job] of jobs.entries()) {
    const outcome = outcomes[index] ?? [];
    if (outcome instanceof BrokerError) job.reject(outcome);
    else job.resolve(outcome);
  }
}

/** Throws `STORE_FAILED` for names that not every database keeps as they are. */
export function checkNames(changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind === "append") continue;
    for (const name of [change.space, change.key]) {
      if (name.includes(NUL) || !name.isWellFormed() || Buffer.byteLength(name) > MAX_NAME_BYTES) {
        throw new BrokerError(
          "STORE_FAILED",
          "misuse",
          `Cannot write to the store: a name has ${Buffer.byteLength(name)} bytes, NUL or half a character, expected text of at most ${MAX_NAME_BYTES} bytes`,
        );
      }
    }
  }
}

export function placeOf(space: string, key: string): string {
  return `${space}${NUL}${key}`;
}

function same(found: Uint8Array | undefined, expected: Uint8Array | undefined): boolean {
  return found === undefined || expected === undefined ? found === expected : equal(found, expected);
}

function conflict(space: string, key: string): BrokerError {
  return new BrokerError(
    "STORE_CONFLICT",
    "misuse",
    `Cannot write ${space} ${key}: it was changed meanwhile`,
    {
      detail: { space, key },
      hint: "Read it again, and decide again.",
    },
  );
}

/** After `close`. */
export function closed(): BrokerError {
  return new BrokerError("STORE_CLOSED", "unavailable", "Cannot use the store: it is closed");
}
