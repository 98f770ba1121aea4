// SPDX-License-Identifier: Apache-2.0
// The cases of OPA's compliance suite, read from its sources.

import { readdirSync, readFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { RegoVersion, Value } from "@adyton/rego";
import { parse } from "yaml";

/** One case, with the names that the suite gives its members. */
export interface Case {
  readonly version: RegoVersion;
  /** The folder below the version's: the subject. */
  readonly folder: string;
  readonly file: string;
  readonly note: string;
  readonly query: string;
  readonly modules: readonly string[];
  readonly data: { readonly [key: string]: Value };
  /** A document, or a term of the language; the term wins. */
  readonly input?: Value;
  readonly inputTerm?: string;
  /** The bindings of all answers, in any order; equal ones count once. */
  readonly wantResult?: readonly { readonly [name: string]: Value }[];
  readonly wantErrorCode?: string;
  /** Part of the error's text. */
  readonly wantError?: string;
  /** Each bound array is to be compared sorted. */
  readonly sortBindings: boolean;
  readonly ignoreGeneratedVars: boolean;
  readonly strictError: boolean;
  readonly env: Readonly<Record<string, string>>;
}

interface RawCase {
  readonly note: string;
  readonly query: string;
  readonly modules?: readonly string[] | null;
  readonly data?: { readonly [key: string]: Value } | null;
  readonly input?: Value;
  readonly input_term?: string;
  readonly want_result?: readonly { readonly [name: string]: Value }[] | null;
  readonly want_error_code?: string;
  readonly want_error?: string;
  readonly sort_bindings?: boolean;
  readonly ignore_generated_vars?: boolean;
  readonly strict_error?: boolean;
  readonly env?: Readonly<Record<string, string>>;
}

/** Every case below `v1/test/cases/testdata/<version>` of OPA's sources, in the order of the files' names. */
export function casesOf(source: string, version: RegoVersion): Case[] {
  const root = join(source, "v1/test/cases/testdata", version);
  return readdirSync(root, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".yaml"))
    .sort()
    .flatMap((name) => {
      const file = join(root, name);
      const text = readFileSync(file, "utf8");
      const { cases } = plain(parse(text, { intAsBigInt: true, maxAliasCount: -1 })) as {
        readonly cases: readonly RawCase[];
      };
      return cases.map((raw) => caseOf(raw, version, relative(root, file).split(sep)[0] ?? "", name));
    });
}

function caseOf(raw: RawCase, version: RegoVersion, folder: string, file: string): Case {
  return {
    version,
    folder,
    file,
    note: raw.note,
    query: raw.query,
    modules: raw.modules ?? [],
    data: raw.data ?? {},
    ...(raw.input === undefined ? {} : { input: raw.input }),
    ...(raw.input_term === undefined ? {} : { inputTerm: raw.input_term }),
    ...(raw.want_result == null ? {} : { wantResult: raw.want_result }),
    ...(raw.want_error_code === undefined ? {} : { wantErrorCode: raw.want_error_code }),
    ...(raw.want_error === undefined ? {} : { wantError: raw.want_error }),
    sortBindings: raw.sort_bindings ?? false,
    ignoreGeneratedVars: raw.ignore_generated_vars ?? false,
    strictError: raw.strict_error ?? false,
    env: raw.env ?? {},
  };
}

/** YAML's numbers as ours: an integer is a bigint only where a double does not hold it. Keys are strings, as in JSON. */
function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]));
  }
  return value;
}
