// SPDX-License-Identifier: Apache-2.0
// Texts of policies become modules: in which version, of which form, and prepared for it.

import {
  type Diagnostic,
  type Expr,
  type Module,
  parseModule,
  RegoError,
  type RegoVersion,
  type Rule,
} from "@adyton/rego";
import { TRUST_CLAIMS, type TrustClaim } from "../trust.ts";
import { withTrusteeQueries } from "./references.ts";
import { branchesOf, nameOfRule, termsIn } from "./syntax.ts";
import { VERAISON_PREAMBLE } from "./veraison.ts";

/**
 * What a policy is asked for, and what it sees:
 * - `trustee`: `trust_claims` and `extensions`, or rules named after trust claims (`executables`, `hardware`…); the
 *   verifier's claims as `input`, `query_reference_value(id)`.
 * - `adyton`: the same; `query_reference_value(id)` always gives a list, empty where nothing is stated.
 * - `verdictd`: `allow`; SGX and CSV as verdictd shows them, its data file as `data`.
 * - `veraison`: rules set AR4SI claims to named values and overlay what `base` found.
 */
export type PolicyForm = "adyton" | "trustee" | "verdictd" | "veraison";

/** Trust claims, and the rules that give them where there is no `trust_claims`. */
export const CLAIM_RULES: readonly (readonly [TrustClaim, string])[] = TRUST_CLAIMS.map((claim) => [
  claim,
  claim.replaceAll("-", "_"),
]);
export const PREAMBLE = "veraison/preamble.rego";

export function isPolicyPackage(path: readonly string[]): boolean {
  return path.length === 1 && path[0] === "policy";
}

/** Each text in the version that it is written in. Throws a `RegoError` with what is wrong in any. */
export function parsed(texts: Readonly<Record<string, string>>, version: RegoVersion | undefined): Module[] {
  const found: Diagnostic[] = [];
  const modules: Module[] = [];
  const tries: readonly RegoVersion[] = version === undefined ? ["v1", "v0"] : [version];
  for (const [file, text] of Object.entries(texts)) {
    let first: RegoError | undefined;
    const module = tries.reduce<Module | undefined>((made, each) => {
      if (made !== undefined) return made;
      try {
        return parseModule(text, { file, version: each });
      } catch (error) {
        if (!(error instanceof RegoError)) throw error;
        first ??= error;
        return undefined;
      }
    }, undefined);
    if (module !== undefined) modules.push(module);
    else if (first !== undefined) found.push(...first.diagnostics);
  }
  const [diagnostic, ...more] = found;
  if (diagnostic !== undefined) throw new RegoError([diagnostic, ...more]);
  return modules;
}

export function preparedFor(form: PolicyForm, modules: readonly Module[]): readonly Module[] {
  switch (form) {
    case "trustee":
      return modules.map(withTrusteeQueries);
    case "veraison":
      return [parseModule(VERAISON_PREAMBLE, { file: PREAMBLE, version: "v1" }), ...modules];
    default:
      return modules;
  }
}

/** The form of a policy that does not say: by the rules it defines and the names it uses. */
export function formOf(modules: readonly Module[]): PolicyForm {
  const rules = modules.filter(({ path }) => isPolicyPackage(path)).flatMap((module) => module.rules);
  const names = new Set(rules.map(nameOfRule));
  if (names.has("trust_claims")) return "trustee";
  if (!CLAIM_RULES.some(([, rule]) => names.has(rule))) return "verdictd";
  const terms = rules
    .flatMap(branchesOf)
    .flatMap(({ body, head }) => [
      ...termsIn(body),
      ...(head.value === undefined ? [] : termsIn(head.value)),
    ]);
  const isVeraisons = terms.some(
    (term) =>
      term.kind === "var" &&
      !names.has(term.name) &&
      (term.name === "evidence" ||
        /^[A-Z]+_(?:RT|HW|CONFIG|FS|BOOT|INSTANCE|SOURCES|SECRETS)$/.test(term.name)),
  );
  return isVeraisons ? "veraison" : "trustee";
}

/** Variables that a body binds, or its head. */
export function boundIn({ head, body }: Rule): ReadonlySet<string> {
  const names = new Set<string>();
  const add = (tree: Parameters<typeof termsIn>[0]): void => {
    for (const term of termsIn(tree)) if (term.kind === "var") names.add(term.name);
  };
  for (const arg of head.args ?? []) add(arg);
  for (const { form } of body) {
    if (form.kind === "assign" || form.kind === "unify") add(form.left);
    if (form.kind === "unify") add(form.right);
    if (form.kind === "some") for (const variable of form.variables) add(variable);
    if (form.kind === "some-in") {
      if (form.key !== undefined) add(form.key);
      add(form.value);
    }
  }
  for (const name of ["input", "data"]) names.delete(name);
  return names;
}

export function usesAny(expr: Expr, bound: ReadonlySet<string>): boolean {
  return termsIn([expr]).some((term) => term.kind === "var" && bound.has(term.name));
}
