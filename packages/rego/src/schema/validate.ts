// SPDX-License-Identifier: Apache-2.0
// Documents compared with a schema: what does not fit, in the words of the reference.

import { type BuiltinContext, BuiltinFailure } from "../builtin.ts";
import { Decimal } from "../decimal.ts";
import { floatText } from "../float-text.ts";
import { jsonOf } from "../json-text.ts";
import { toBigInt } from "../number.ts";
import {
  compareNumbers,
  isObject,
  keysOf,
  kindOf,
  memberOf,
  type PlainObject,
  type RegoNumber,
  same,
  type Value,
} from "../value.ts";
import type { Schema } from "./compile.ts";
import { hasFormat } from "./formats.ts";

/** One thing that does not fit. `field` is a path with points, `(Root)` the document. */
export interface Finding {
  readonly type: string;
  readonly field: string;
  readonly desc: string;
}

/** Findings, and how well the rest fitted: of alternatives that all fail, the best one is explained. */
interface Result {
  readonly findings: Finding[];
  score: number;
}

interface Work {
  readonly schema: Schema;
  readonly context: BuiltinContext;
  depth: number;
}

const ROOT = "(Root)";
/** Schemas within schemas. */
const MAX_DEPTH = 400;

/** Everything in a document that a schema does not allow. Throws `BuiltinFailure` for schemas that go round in circles. */
export function validate(schema: Schema, document: Value, context: BuiltinContext): readonly Finding[] {
  return check(schema.root, document, ROOT, { schema, context, depth: 0 }).findings;
}

function check(node: Value, value: Value, path: string, work: Work): Result {
  const result: Result = { findings: [], score: 0 };
  checkInto(result, node, value, path, work);
  return result;
}

function checkInto(result: Result, node: Value, value: Value, path: string, work: Work): void {
  work.context.spend(2);
  if (node === true) return;
  if (node === false) {
    add(result, "false", path, "False always fails validation");
    return;
  }
  const target = work.schema.targets.get(node);
  work.depth++;
  if (work.depth > MAX_DEPTH) throw new BuiltinFailure("builtin", "the schema is nested too deeply");
  if (target !== undefined) checkInto(result, target, value, path, work);
  else checkOne(result, node as PlainObject, value, path, work);
  work.depth--;
}

function checkOne(result: Result, node: PlainObject, value: Value, path: string, work: Work): void {
  const types = typesOf(memberOf(node, "type"));
  const kind = kindOf(value);
  const given = kind === "number" && toBigInt(value as RegoNumber) !== undefined ? "integer" : kind;
  if (types !== undefined && !types.includes(kind) && !types.includes(given)) {
    const expected = types.length === 1 ? types[0] : `[${types.join(",")}]`;
    add(result, "invalid_type", path, `Invalid type. Expected: ${expected}, given: ${given}`);
    return;
  }
  checkCombined(result, node, value, path, work);
  if (kind === "array") checkArray(result, node, value as readonly Value[], path, work);
  if (kind === "object") checkObject(result, node, value as PlainObject, path, work);
  if (kind === "number") checkNumber(result, node, value as RegoNumber, path);
  checkCommon(result, node, value, path, work);
  if (kind === "string") checkString(result, node, value as string, path, work);
  const properties = memberOf(node, "properties");
  if (kind === "object" && properties !== undefined) {
    for (const key of keysOf(properties as PlainObject)) {
      const member = memberOf(value, key);
      if (member !== undefined)
        checkInto(result, (properties as PlainObject)[key] as Value, member, `${path}.${key}`, work);
    }
  }
  result.score++;
}

function typesOf(type: Value | undefined): readonly string[] | undefined {
  if (type === undefined) return undefined;
  const types = (Array.isArray(type) ? type : [type]) as readonly string[];
  return types.length === 0 ? undefined : types;
}

/** `anyOf`, `oneOf`, `allOf`, `not`, `dependencies`, `if`. */
function checkCombined(result: Result, node: PlainObject, value: Value, path: string, work: Work): void {
  const any = memberOf(node, "anyOf") as readonly Value[] | undefined;
  if (any !== undefined && any.length > 0) {
    const tried: Result[] = [];
    for (const option of any) {
      tried.push(check(option, value, path, work));
      if (tried.at(-1)?.findings.length === 0) break;
    }
    if (tried.at(-1)?.findings.length !== 0) {
      add(result, "number_any_of", path, "Must validate at least one schema (anyOf)");
      mergeBest(result, tried);
    }
  }
  const one = memberOf(node, "oneOf") as readonly Value[] | undefined;
  if (one !== undefined && one.length > 0) {
    const tried = one.map((option) => check(option, value, path, work));
    const fitting = tried.filter(({ findings }) => findings.length === 0).length;
    if (fitting !== 1) {
      add(result, "number_one_of", path, "Must validate one and only one schema (oneOf)");
      if (fitting === 0) mergeBest(result, tried);
    }
  }
  const all = memberOf(node, "allOf") as readonly Value[] | undefined;
  if (all !== undefined && all.length > 0) {
    const tried = all.map((part) => check(part, value, path, work));
    for (const part of tried) merge(result, part);
    if (tried.some(({ findings }) => findings.length > 0)) {
      add(result, "number_all_of", path, "Must validate all the schemas (allOf)");
    }
  }
  const not = memberOf(node, "not");
  if (not !== undefined && check(not, value, path, work).findings.length === 0) {
    add(result, "number_not", path, "Must not validate the schema (not)");
  }
  const dependencies = memberOf(node, "dependencies");
  if (dependencies !== undefined && isObject(value)) {
    for (const key of keysOf(value as PlainObject)) {
      const dependency = memberOf(dependencies, key);
      if (Array.isArray(dependency)) {
        for (const name of dependency as readonly string[]) {
          if (memberOf(value, name) === undefined)
            add(result, "missing_dependency", path, `Has a dependency on ${name}`);
        }
      } else if (dependency !== undefined) checkInto(result, dependency, value, path, work);
    }
  }
  const condition = work.schema.draft >= 7 ? memberOf(node, "if") : undefined;
  if (condition !== undefined) {
    const holds = check(condition, value, path, work).findings.length === 0;
    const branch = memberOf(node, holds ? "then" : "else");
    const tried = branch === undefined ? undefined : check(branch, value, path, work);
    if (tried !== undefined && tried.findings.length > 0) {
      if (holds) add(result, "condition_then", path, 'Must validate "then" as "if" was valid');
      else add(result, "condition_else", path, 'Must validate "else" as "if" was not valid');
      merge(result, tried);
    }
  }
  result.score++;
}

function checkCommon(result: Result, node: PlainObject, value: Value, path: string, work: Work): void {
  const constant = work.schema.draft >= 6 ? memberOf(node, "const") : undefined;
  if (constant !== undefined && !same(constant, value)) {
    add(result, "const", path, `${fieldOf(path)} does not match: ${jsonOf(constant)}`);
  }
  const members = memberOf(node, "enum") as readonly Value[] | undefined;
  if (members !== undefined) {
    work.context.spend(members.length);
    if (!members.some((member) => same(member, value))) {
      const allowed = members.map((member) => jsonOf(member)).join(", ");
      add(result, "enum", path, `${fieldOf(path)} must be one of the following: ${allowed}`);
    }
  }
  const format = memberOf(node, "format");
  if (typeof value === "string" && typeof format === "string" && !hasFormat(value, format, work.context)) {
    add(result, "format", path, `Does not match format '${format}'`);
  }
  result.score++;
}

function checkArray(
  result: Result,
  node: PlainObject,
  value: readonly Value[],
  path: string,
  work: Work,
): void {
  const items = memberOf(node, "items");
  const positional = Array.isArray(items) && items.length > 0 ? (items as readonly Value[]) : undefined;
  const additional = memberOf(node, "additionalItems");
  for (const [i, member] of value.entries()) {
    const schema =
      positional === undefined ? (Array.isArray(items) ? undefined : items) : (positional[i] ?? additional);
    if (
      schema === undefined ||
      (positional !== undefined && i >= positional.length && typeof schema === "boolean")
    )
      break;
    merge(result, check(schema, member, `${path}.${i}`, work));
  }
  if (positional !== undefined && value.length > positional.length && additional === false) {
    add(result, "array_no_additional_items", path, "No additional items allowed on array");
  }
  const least = countOf(node, "minItems");
  if (least !== undefined && value.length < least) {
    add(result, "array_min_items", path, `Array must have at least ${least} items`);
  }
  const most = countOf(node, "maxItems");
  if (most !== undefined && value.length > most) {
    add(result, "array_max_items", path, `Array must have at most ${most} items`);
  }
  if (memberOf(node, "uniqueItems") === true) {
    const seen = new Map<string, number>();
    for (const [j, member] of value.entries()) {
      const text = jsonOf(member);
      work.context.spend(1 + (text.length >> 4));
      const i = seen.get(text);
      if (i !== undefined) add(result, "unique", path, `array items[${i},${j}] must be unique`);
      seen.set(text, j);
    }
  }
  const contained = work.schema.draft >= 6 ? memberOf(node, "contains") : undefined;
  if (contained !== undefined) {
    const tried: Result[] = [];
    const found = value.some((member, i) => {
      const one = check(contained, member, `${path}.${i}`, work);
      tried.push(one);
      return one.findings.length === 0;
    });
    if (!found) {
      add(result, "contains", path, "At least one of the items must match");
      mergeBest(result, tried);
    }
  }
  result.score++;
}

function checkObject(result: Result, node: PlainObject, value: PlainObject, path: string, work: Work): void {
  const keys = keysOf(value);
  const least = countOf(node, "minProperties");
  if (least !== undefined && keys.length < least) {
    add(result, "array_min_properties", path, `Must have at least ${least} properties`);
  }
  const most = countOf(node, "maxProperties");
  if (most !== undefined && keys.length > most) {
    add(result, "array_max_properties", path, `Must have at most ${most} properties`);
  }
  for (const name of (memberOf(node, "required") ?? []) as readonly string[]) {
    if (Object.hasOwn(value, name)) result.score++;
    else add(result, "required", path, `${name} is required`);
  }
  const properties = memberOf(node, "properties") ?? {};
  const patterns = memberOf(node, "patternProperties") ?? {};
  const additional = memberOf(node, "additionalProperties");
  for (const key of keys) {
    const member = value[key] as Value;
    const matching = keysOf(patterns as PlainObject).filter((pattern) =>
      work.schema.patterns.get(pattern)?.test(key, (steps) => work.context.spend(steps)),
    );
    for (const pattern of matching) {
      merge(result, check((patterns as PlainObject)[pattern] as Value, member, `${path}.${key}`, work));
    }
    if (matching.length > 0) result.score++;
    else if (memberOf(properties, key) !== undefined || additional === undefined || additional === true)
      continue;
    else if (additional === false) {
      add(result, "additional_property_not_allowed", path, `Additional property ${key} is not allowed`);
    } else merge(result, check(additional, member, `${path}.${key}`, work));
  }
  const names = work.schema.draft >= 6 ? memberOf(node, "propertyNames") : undefined;
  if (names !== undefined) {
    for (const key of keys) {
      const tried = check(names, key, path, work);
      if (tried.findings.length === 0) continue;
      add(result, "invalid_property_name", path, `Property name of "${key}" does not match`);
      merge(result, tried);
    }
  }
  result.score++;
}

function checkString(result: Result, node: PlainObject, value: string, path: string, work: Work): void {
  const length = [...value].length;
  work.context.spend(length >> 4);
  const least = countOf(node, "minLength");
  if (least !== undefined && length < least) {
    add(result, "string_gte", path, `String length must be greater than or equal to ${least}`);
  }
  const most = countOf(node, "maxLength");
  if (most !== undefined && length > most) {
    add(result, "string_lte", path, `String length must be less than or equal to ${most}`);
  }
  const pattern = memberOf(node, "pattern");
  if (typeof pattern === "string") {
    const fits = work.schema.patterns.get(pattern)?.test(value, (steps) => work.context.spend(steps));
    if (fits !== true) add(result, "pattern", path, `Does not match pattern '${pattern}'`);
  }
  result.score++;
}

function checkNumber(result: Result, node: PlainObject, value: RegoNumber, path: string): void {
  const multiple = memberOf(node, "multipleOf") as RegoNumber | undefined;
  if (multiple !== undefined && !isMultiple(value, multiple)) {
    add(result, "multiple_of", path, `Must be a multiple of ${boundText(multiple)}`);
  }
  for (const [keyword, beside, sign, type, words] of BOUNDS) {
    const stated = memberOf(node, keyword);
    // In draft 4 a bound excludes itself when `true` stands beside it.
    const strict = beside === undefined || memberOf(node, beside) === true;
    if (stated === undefined || typeof stated === "boolean") continue;
    const order = compareNumbers(value, stated as RegoNumber) * sign;
    if (order > 0 || (order === 0 && strict)) {
      const [name, text] =
        strict && beside !== undefined
          ? [type.replace("te", "t"), words.replace(" or equal to", "")]
          : [type, words];
      add(result, name, path, `Must be ${text} ${boundText(stated as RegoNumber)}`);
    }
  }
  result.score++;
}

const BOUNDS = [
  ["maximum", "exclusiveMaximum", 1, "number_lte", "less than or equal to"],
  ["exclusiveMaximum", undefined, 1, "number_lt", "less than"],
  ["minimum", "exclusiveMinimum", -1, "number_gte", "greater than or equal to"],
  ["exclusiveMinimum", undefined, -1, "number_gt", "greater than"],
] as const;

function isMultiple(value: RegoNumber, of: RegoNumber): boolean {
  const [a, b] = [Decimal.of(value), Decimal.of(of)];
  const exponent = Math.min(a.exponent, b.exponent);
  const scaled = (one: Decimal): bigint => one.digits * 10n ** BigInt(one.exponent - exponent);
  return scaled(a) % scaled(b) === 0n;
}

/** As Go prints floats. */
function boundText(value: RegoNumber): string {
  const near = Number(value.toString());
  return `${near < 0 ? "-" : ""}${floatText(near, "g", undefined)}`;
}

function countOf(node: PlainObject, keyword: string): number | undefined {
  return memberOf(node, keyword) as number | undefined;
}

function fieldOf(path: string): string {
  return path.startsWith(`${ROOT}.`) ? path.slice(ROOT.length + 1) : path;
}

function add(result: Result, type: string, path: string, desc: string): void {
  result.findings.push({ type, field: fieldOf(path), desc });
  // With the point at the end of each step one less.
  result.score -= 2;
}

function merge(result: Result, other: Result): void {
  for (const finding of other.findings) result.findings.push(finding);
  result.score += other.score;
}

function mergeBest(result: Result, tried: readonly Result[]): void {
  const [first, ...others] = tried;
  if (first === undefined) return;
  merge(
    result,
    others.reduce((best, one) => (one.score > best.score ? one : best), first),
  );
}
