// SPDX-License-Identifier: Apache-2.0
// Operands whose locals are all bound: each becomes a function that gives its value.

import type { ComprehensionOperand, Operand, RefOperand } from "../compile/program.ts";
import { showText } from "../show.ts";
import { objectOf, RegoSet, setMember, type Value } from "../value.ts";
import { type Coder, chain } from "./coder.ts";
import { constantOf, constantsOf } from "./constants.ts";
import { ObjectBuilder } from "./members.ts";
import { below } from "./paths.ts";
import { dataGet } from "./references.ts";
import type { Evaluation, Get } from "./state.ts";

/** The value of an operand that is ready. */
export function getter(coder: Coder, operand: Operand): Get {
  const constant = constantOf(operand);
  if (constant !== undefined) return () => constant;
  switch (operand.kind) {
    case "value": {
      const { value } = operand;
      return () => value;
    }
    case "local": {
      const pending = coder.pending.get(operand.local);
      if (pending !== undefined) {
        coder.pending.delete(operand.local);
        return pending.get;
      }
      const { slot } = operand.local;
      return (e) => e.slots[e.base + slot];
    }
    case "ref":
      return refGet(coder, operand);
    case "array":
      return arrayGet(operand.items.map((item) => coder.get(item)));
    case "set": {
      const items = arrayGet(operand.items.map((item) => coder.get(item)));
      return (e) => {
        const members = items(e);
        return members === undefined ? undefined : RegoSet.of(members as readonly Value[]);
      };
    }
    case "object":
      return objectGet(coder, operand.entries);
    case "comprehension":
      return comprehensionGet(coder, operand);
    case "template":
      return templateGet(coder, operand.parts);
  }
}

function arrayGet(items: readonly Get[]): Get {
  return (e) => {
    const values: Value[] = [];
    for (const item of items) {
      const value = item(e);
      if (value === undefined) return undefined;
      values.push(value);
    }
    e.grow(values.length);
    return values;
  };
}

function objectGet(coder: Coder, entries: readonly (readonly [Operand, Operand])[]): Get {
  const gets = entries.map(([key, value]) => [coder.get(key), coder.get(value)] as const);
  const names = constantsOf(entries.map(([key]) => key));
  if (names?.every((name) => typeof name === "string")) {
    const values = gets.map(([, value]) => value);
    return (e) => {
      const object: Record<string, Value> = {};
      for (let i = 0; i < names.length; i++) {
        const value = values[i]?.(e);
        if (value === undefined) return undefined;
        setMember(object, names[i] as string, value);
      }
      e.grow(names.length);
      return object;
    };
  }
  return (e) => {
    const list: (readonly [Value, Value])[] = [];
    for (const [keyGet, valueGet] of gets) {
      const key = keyGet(e);
      const value = valueGet(e);
      if (key === undefined || value === undefined) return undefined;
      list.push([key, value]);
    }
    e.grow(list.length);
    return objectOf(list);
  };
}

function refGet(coder: Coder, operand: RefOperand): Get {
  const { head, path } = operand;
  if (head === "data") return dataGet(coder, operand);
  const root: Get =
    head === "input" ? (e) => e.input : coder.get({ kind: "local", local: head, location: operand.location });
  return below(coder, root, path);
}

function comprehensionGet(coder: Coder, operand: ComprehensionOperand): Get {
  const inner = coder.inner(operand.of === "array" || coder.machine.isTraced);
  const parts = inner.parts(operand.body);
  const value = inner.get(operand.value);
  switch (operand.of) {
    case "array": {
      const out = coder.slot();
      const run = chain(parts, (e) => {
        const found = value(e);
        if (found !== undefined) {
          e.grow(1);
          (e.slots[e.base + out] as Value[]).push(found);
        }
        return false;
      });
      return (e) => {
        const list: Value[] = [];
        e.slots[e.base + out] = list;
        run(e);
        return list;
      };
    }
    case "set": {
      const out = coder.slot();
      const run = chain(parts, (e) => {
        const found = value(e);
        if (found !== undefined) {
          e.grow(1);
          (e.slots[e.base + out] as RegoSet).add(found);
        }
        return false;
      });
      return (e) => {
        const set = new RegoSet();
        e.slots[e.base + out] = set;
        run(e);
        return set;
      };
    }
    case "object": {
      const key = operand.key === undefined ? value : inner.get(operand.key);
      const out = coder.slot();
      const { location } = operand;
      const run = chain(parts, (e) => {
        const name = key(e);
        const found = value(e);
        if (name === undefined || found === undefined) return false;
        e.grow(1);
        if (e.builders[e.base + out]?.add(name, found) !== false) return false;
        throw e.error({
          code: "REGO_CONFLICT",
          message: "object keys must be unique",
          location,
          hint: "two solutions give one key different values",
        });
      });
      return (e) => {
        const builder = new ObjectBuilder();
        e.builders[e.base + out] = builder;
        run(e);
        return builder.done();
      };
    }
  }
}

function templateGet(coder: Coder, parts: readonly (string | ComprehensionOperand)[]): Get {
  const gets = parts.map((part) => (typeof part === "string" ? part : comprehensionGet(coder, part)));
  return (e) => {
    let text = "";
    for (const part of gets) text += typeof part === "string" ? part : shown(e, part(e));
    return text;
  };
}

function shown(e: Evaluation, values: Value | undefined): string {
  const [value, second] = (values as RegoSet).members();
  if (second !== undefined) {
    throw e.error({ code: "REGO_CONFLICT", message: "template-strings must not produce multiple outputs" });
  }
  return value === undefined ? "<undefined>" : showText(value);
}
