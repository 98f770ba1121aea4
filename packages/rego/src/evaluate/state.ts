// SPDX-License-Identifier: Apache-2.0
// One evaluation: the frame of variables, the documents, what is remembered, and what is left of the limits.

import type { Location } from "../ast.ts";
import type { BuiltinContext } from "../builtin.ts";
import type { Callee, RuleNode } from "../compile/program.ts";
import { type Diagnostic, RegoError } from "../errors.ts";
import type { Value } from "../value.ts";
import type { ExtentBuilder } from "./extent.ts";
import { LIMITS, type LimitName, type Limits } from "./limits.ts";
import type { ObjectBuilder } from "./members.ts";
import type { TraceEvent, Tracer } from "./trace.ts";

/** True: enough, stop looking for more. As the end of a body: called once for each solution. */
export type Step = (e: Evaluation) => boolean;
/** A value, or undefined where there is none. */
export type Get = (e: Evaluation) => Value | undefined;
/** What goes on with each value found; true: enough. */
export type Sink = (e: Evaluation, value: Value) => boolean;

/** What stands in for a function within a `with`. */
export type Mock = { readonly value: Value } | { readonly callee: Callee };

/** What a `with` changes. */
export interface Documents {
  readonly input: Value | undefined;
  readonly data: Value;
  /** Rules that a replaced document hides. */
  readonly masks: ReadonlySet<RuleNode> | undefined;
  readonly mocks: ReadonlyMap<RuleNode | string, Mock> | undefined;
  readonly epoch: number;
  readonly stable: number;
}

export interface EvaluateOptions {
  /** Any JSON document; absent or undefined: `input` is undefined. */
  readonly input?: Value | undefined;
  /** The base documents, below `data`. Neither these nor `input` may change while they are in use. */
  readonly data?: { readonly [key: string]: Value };
  /** What `time.now_ns` gives; a bigint counts nanoseconds since 1970. */
  readonly now?: Date | bigint;
  readonly limits?: Partial<Limits>;
  readonly trace?: Tracer;
  /** Where `print` writes; without it `print` does nothing. */
  readonly print?: (message: string, location: Location) => void;
}

const NO_DATA: { readonly [key: string]: Value } = {};
/** Between two looks at the clock. */
const CLOCK_STEPS = 4096;

export class Evaluation implements BuiltinContext {
  /** Values of variables, by slot above `base`: each rule that is entered has a frame above that of the last. What stands in a slot that is not bound yet means nothing. */
  readonly slots: (Value | undefined)[] = [];
  /** Results of rules by their number, valid where `stamps` holds the epoch at hand. */
  base = 0;
  /** The end of the frame at hand, and the highest there was. */
  top = 0;
  high = 0;
  readonly memo: unknown[] = [];
  readonly stamps: number[] = [];
  /** Objects that comprehensions are making. */
  readonly builders: (ObjectBuilder | undefined)[] = [];
  /** Objects that partial rules are making. */
  readonly extents: (ExtentBuilder | undefined)[] = [];

  input: Value | undefined;
  data: Value = NO_DATA;
  masks: ReadonlySet<RuleNode> | undefined;
  mocks: ReadonlyMap<RuleNode | string, Mock> | undefined;
  /** Changes with `with`, so that what was computed under other documents is not used. */
  epoch = 1;
  /** The same for rules that do not depend on `input`. */
  stable = 1;
  /** Documents outside of the `with` that is being evaluated. */
  readonly outer: Documents[] = [];

  depth = 0;
  cells = 0;
  steps = 0;
  /** Where `steps` must stop to see why. */
  pauseAt = 0;
  maxSteps = 0;
  maxDepth = 0;
  maxCells = 0;
  /** The rule that is being evaluated, for the place of an error. */
  at: RuleNode | undefined;
  strict = false;
  print: EvaluateOptions["print"];
  busy = false;

  #epochs = 1;
  #limits: Limits = LIMITS;
  #deadline = Infinity;
  #now: Date | bigint | undefined;
  #trace: Tracer | undefined;
  #cached: Map<string, unknown> | undefined;

  begin(options: EvaluateOptions, limits: Limits, strict: boolean): void {
    this.busy = true;
    this.input = options.input;
    this.data = options.data ?? NO_DATA;
    this.masks = undefined;
    this.mocks = undefined;
    this.epoch = this.stable = ++this.#epochs;
    this.outer.length = 0;
    this.depth = this.cells = this.steps = 0;
    this.at = undefined;
    this.strict = strict;
    this.print = options.print;
    this.#now = options.now;
    this.#trace = options.trace;
    this.#cached = undefined;
    this.#limits = options.limits === undefined ? limits : { ...limits, ...options.limits };
    const { steps, depth, cells, milliseconds } = this.#limits;
    this.maxSteps = steps;
    this.maxDepth = depth;
    this.maxCells = cells;
    this.pauseAt = milliseconds === undefined ? steps : Math.min(steps, CLOCK_STEPS);
    this.#deadline = milliseconds === undefined ? Infinity : performance.now() + milliseconds;
  }

  /** Lets go of every value. */
  end(): void {
    this.slots.fill(undefined, 0, this.high);
    this.memo.fill(undefined);
    if (this.builders.length > 0) this.builders.fill(undefined);
    if (this.extents.length > 0) this.extents.fill(undefined);
    this.high = 0;
    this.input = undefined;
    this.data = NO_DATA;
    this.#trace = undefined;
    this.#cached = undefined;
    this.print = undefined;
    this.busy = false;
  }

  now(): bigint {
    const now = this.#now;
    if (now === undefined) {
      throw this.error({
        code: "REGO_MISUSE",
        message: "Cannot tell the time: the policy asks for it, and none was given",
        hint: "pass `now` to evaluate",
      });
    }
    return typeof now === "bigint" ? now : BigInt(now.getTime()) * 1_000_000n;
  }

  spend(steps: number): void {
    this.steps += steps;
    if (this.steps > this.pauseAt) this.pause();
  }

  cached<T>(key: string, make: () => T): T {
    this.#cached ??= new Map();
    return remembered(this.#cached, key, make);
  }

  note(message: string): void {
    const { at } = this;
    const location = at?.clauses[0]?.location;
    this.#trace?.({
      kind: "note",
      message,
      depth: this.depth,
      ...(location === undefined ? {} : { location }),
    });
  }

  event(event: TraceEvent): void {
    this.#trace?.(event);
  }

  /** Counts members that were made. */
  grow(cells: number): void {
    this.cells += cells;
    if (this.cells > this.maxCells) throw this.limit("cells");
  }

  /** Steps went over a mark: the limit itself, or the next look at the clock. */
  pause(): void {
    const { steps, milliseconds } = this.#limits;
    if (this.steps > steps) throw this.limit("steps");
    if (milliseconds === undefined) return;
    if (performance.now() > this.#deadline) throw this.limit("milliseconds");
    this.pauseAt = Math.min(steps, this.steps + CLOCK_STEPS);
  }

  limit(name: LimitName): RegoError {
    return this.error({
      code: "REGO_LIMIT",
      message: `Cannot evaluate the policy: it needs more than ${this.#limits[name]} ${name}`,
      hint: `look for loops within loops here, or raise limits.${name}`,
    });
  }

  /** The stack of the machine ended before a limit did, or a value grew beyond what it can hold. */
  overflow(cause: Error): RegoError {
    return this.error({
      code: "REGO_LIMIT",
      message: `Cannot evaluate the policy: values or rules are nested too deeply, or too long (${cause.message})`,
      hint: "lower limits.depth to see at which rule",
    });
  }

  error(diagnostic: Diagnostic): RegoError {
    const location = diagnostic.location ?? this.at?.clauses[0]?.location;
    const category = diagnostic.code === "REGO_MISUSE" ? "misuse" : "policy";
    return new RegoError([location === undefined ? diagnostic : { ...diagnostic, location }], category);
  }

  /** The documents as they are, to come back to. */
  documents(): Documents {
    const { input, data, masks, mocks, epoch, stable } = this;
    return { input, data, masks, mocks, epoch, stable };
  }

  restore(documents: Documents): void {
    this.input = documents.input;
    this.data = documents.data;
    this.masks = documents.masks;
    this.mocks = documents.mocks;
    this.epoch = documents.epoch;
    this.stable = documents.stable;
  }

  /** Makes room for a frame. */
  reserve(size: number): void {
    this.top = Math.max(this.top, this.base + size);
    if (this.top > this.high) this.high = this.top;
  }

  newEpoch(): number {
    return ++this.#epochs;
  }
}

function remembered<T>(map: Map<string, unknown>, key: string, make: () => T): T {
  // The key names the maker, so that what is found is what it made.
  if (!map.has(key)) map.set(key, make());
  return map.get(key) as T;
}
