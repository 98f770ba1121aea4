// SPDX-License-Identifier: Apache-2.0
// The value of a partial rule as it is made: objects within objects, with a value or a set at the end of each path.

import { type Key, keyOf, objectOf, RegoSet, same, type Value } from "../value.ts";

type Leaf = { readonly value: Value } | { readonly set: RegoSet };

export class ExtentBuilder {
  readonly #entries = new Map<Key, { readonly key: Value; readonly at: Leaf | ExtentBuilder }>();

  /** False when something else is there, or on the way there. */
  put(path: readonly Value[], value: Value): boolean {
    const branch = this.#branch(path);
    const key = path.at(-1);
    if (branch === undefined || key === undefined) return false;
    const known = branch.#entries.get(keyOf(key))?.at;
    if (known === undefined) {
      branch.#entries.set(keyOf(key), { key, at: { value } });
      return true;
    }
    return "value" in known && same(known.value, value);
  }

  /** Adds to the set at a path. */
  add(path: readonly Value[], member: Value): boolean {
    const branch = this.#branch(path);
    const key = path.at(-1);
    if (branch === undefined || key === undefined) return false;
    const known = branch.#entries.get(keyOf(key))?.at;
    if (known === undefined) {
      branch.#entries.set(keyOf(key), { key, at: { set: RegoSet.of([member]) } });
      return true;
    }
    if (!("set" in known)) return false;
    known.set.add(member);
    return true;
  }

  done(): Value {
    return objectOf([...this.#entries.values()].map(({ key, at }) => [key, valueAt(at)] as const));
  }

  /** The object that holds the last key of a path; undefined when a value is in the way. */
  #branch(path: readonly Value[]): ExtentBuilder | undefined {
    let at: ExtentBuilder = this;
    for (let i = 0; i < path.length - 1; i++) {
      const key = path[i] as Value;
      const known = at.#entries.get(keyOf(key))?.at;
      if (known !== undefined && !(known instanceof ExtentBuilder)) return undefined;
      const next = known ?? new ExtentBuilder();
      if (known === undefined) at.#entries.set(keyOf(key), { key, at: next });
      at = next;
    }
    return at;
  }
}

function valueAt(at: Leaf | ExtentBuilder): Value {
  if (at instanceof ExtentBuilder) return at.done();
  return "value" in at ? at.value : at.set;
}
