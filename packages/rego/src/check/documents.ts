// SPDX-License-Identifier: Apache-2.0
// What is known of the types of `input` and `data`, place by place.

import type { Clause, Program, Report } from "../compile/program.ts";
import { ANY, type Type } from "../types.ts";
import { type Key, keyOf, same, type Value } from "../value.ts";

type ObjectType = Extract<Type, { kind: "object" }>;
type Members = NonNullable<ObjectType["members"]>;

/** A place in a document; what stands beside its children is not known. */
class Place {
  type: Type | undefined;
  readonly children: Map<Key, { readonly key: Value; readonly place: Place }> = new Map();

  /** The place below these keys; undefined where nothing is known. */
  at(key: Value): Place | undefined {
    return this.children.get(keyOf(key))?.place;
  }

  /** What stands at a path has this type: in the place of what was known there. */
  put(path: readonly Value[], type: Type): void {
    const [key, ...rest] = path;
    if (key === undefined) {
      this.type = type;
      this.children.clear();
    } else if (this.type !== undefined) {
      this.type = overridden(this.type, path, type);
    } else {
      const known = this.children.get(keyOf(key)) ?? { key, place: new Place() };
      this.children.set(keyOf(key), known);
      known.place.put(rest, type);
    }
  }

  /** The type of all that is here. */
  whole(): Type {
    if (this.type !== undefined || this.children.size === 0) return this.type ?? ANY;
    const members = [...this.children.values()].flatMap(({ key, place }) =>
      isKey(key) ? [{ key, type: place.whole() }] : [],
    );
    return { kind: "object", members, rest: { key: ANY, value: ANY } };
  }

  /** Becomes a copy of another place. */
  take(other: Place): void {
    this.type = other.type;
    for (const [name, { key, place }] of other.children) {
      const copy = new Place();
      copy.take(place);
      this.children.set(name, { key, place: copy });
    }
  }
}

/** What is known of the beginning of a path, and how long that is. */
interface Known {
  readonly type: Type;
  readonly length: number;
}

/** Types of both documents. */
export class Documents {
  readonly input: Place = new Place();
  readonly data: Place = new Place();
  /** What counts where nothing is known here. */
  readonly #under: Documents | undefined;

  constructor(under?: Documents) {
    this.#under = under;
  }

  /** What is known at a path, whose variable keys are undefined; undefined where nothing is. */
  find(document: "input" | "data", path: readonly (Value | undefined)[]): Known | undefined {
    return found(this[document], path) ?? this.#under?.find(document, path);
  }

  copy(): Documents {
    const copy = new Documents(this.#under);
    copy.input.take(this.input);
    copy.data.take(this.data);
    return copy;
  }
}

function found(root: Place, path: readonly (Value | undefined)[]): Known | undefined {
  let place = root;
  let length = 0;
  for (; place.type === undefined && length < path.length; length++) {
    const key = path[length];
    if (key === undefined && place.children.size > 0) break;
    const next = key === undefined ? undefined : place.at(key);
    if (next === undefined) return undefined;
    place = next;
  }
  return place.type === undefined && place.children.size === 0 ? undefined : { type: place.whole(), length };
}

/** Says what is known of the documents in a program: in its queries, and in each of its clauses. */
export interface DocumentTypes {
  of(program: Program, report: Report): ProgramDocuments;
}

export interface ProgramDocuments {
  readonly queries: Documents;
  clause(clause: Clause): Documents;
}

export const NOTHING_KNOWN: ProgramDocuments = (() => {
  const nothing = new Documents();
  return { queries: nothing, clause: () => nothing };
})();

/** A type with another below a path. What is no object becomes one, of which nothing else is known. */
function overridden(type: Type, [key, ...rest]: readonly Value[], inner: Type): Type {
  if (key === undefined || !isKey(key)) return inner;
  const of: ObjectType = type.kind === "object" ? type : { kind: "object", rest: { key: ANY, value: ANY } };
  const { members = [] } = of;
  const known = members.find((member) => same(member.key, key));
  const empty: Type = { ...of, members: [] };
  const next = rest.length === 0 ? inner : overridden(known?.type ?? empty, rest, inner);
  const others: Members = members.filter((member) => member !== known);
  return { ...of, members: [...others, { key, type: next }] };
}

function isKey(key: Value): key is Members[number]["key"] {
  return typeof key !== "object" || key === null;
}
