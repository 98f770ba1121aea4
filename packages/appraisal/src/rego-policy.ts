// SPDX-License-Identifier: Apache-2.0
// Policies written in Rego, in the forms that the field writes them: Trustee's, verdictd's, Veraison's and ours.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import {
  type Builtin,
  compile,
  type Expr,
  type Limits,
  type Module,
  type CompiledPolicy as Program,
  type Query,
  type RegoVersion,
  type Rule,
  toJson,
  type Value,
} from "@adyton/rego";
import { misuse } from "./errors.ts";
import type { Explanation } from "./explanation.ts";
import type { Finding } from "./finding.ts";
import type { Policy, PolicyInput, PolicyOutput } from "./policy.ts";
import type { ReferenceValues } from "./reference.ts";
import { rulesDocument, trusteeInput, verdictdInput } from "./rego/documents.ts";
import { Explainer } from "./rego/explain.ts";
import {
  boundIn,
  CLAIM_RULES,
  formOf,
  isPolicyPackage,
  type PolicyForm,
  PREAMBLE,
  parsed,
  preparedFor,
  usesAny,
} from "./rego/forms.ts";
import { claimsOf, extensionsOf, statusOfPart } from "./rego/output.ts";
import { type ConditionRecord, Recorder } from "./rego/record.ts";
import { referenceBuiltins } from "./rego/references.ts";
import { Source } from "./rego/source.ts";
import { branchesOf, nameOfRule } from "./rego/syntax.ts";
import { schemeName, VERAISON_PREAMBLE } from "./rego/veraison.ts";
import { checkRules, type Rules } from "./rules.ts";
import { type TrustClaim, tierOf, worstTier } from "./trust.ts";

export interface RegoPolicyOptions {
  /** Stands in the token. */
  readonly id: string;
  /** Texts by the file name that errors and explanations show; all in package `policy`, or imported from there. */
  readonly modules: Readonly<Record<string, string>>;
  /** Default: each text is read as v1, and where it is none, as v0. */
  readonly version?: RegoVersion;
  /** Default: found by looking. */
  readonly form?: PolicyForm;
  /** Base documents below `data`; `data.rules` are the rules. */
  readonly data?: JsonObject;
  /** For policies that read `data.rules`; debug and simulated evidence is refused in verdictd's form without them. */
  readonly rules?: Rules;
  readonly limits?: Partial<Limits>;
  /** Functions beside the standard ones and `query_reference_value`. */
  readonly builtins?: readonly Builtin[];
  /** Veraison's form: whose result is overlaid. */
  readonly base?: Policy;
}

/** A policy in Rego. */
export interface RegoPolicy extends Policy {
  readonly form: PolicyForm;
}

/**
 * Compiles a policy. Throws a `RegoError` with everything that is wrong with the texts, `INVALID_RULES`, or
 * `INVALID_POLICY_OUTPUT` when the modules define nothing that its form asks for. Evaluation throws a `RegoError` when
 * a limit or a conflict ends it, `INVALID_POLICY_OUTPUT` for values of a wrong kind.
 */
export function regoPolicy(options: RegoPolicyOptions): RegoPolicy {
  const evaluation = new RegoEvaluation(options);
  return Object.freeze({
    id: options.id,
    form: evaluation.form,
    evaluate: (input: PolicyInput): PolicyOutput => evaluation.evaluate(input),
  });
}

/** The compiled policy behind `regoPolicy`. Internal: rules may be given anew for each evaluation. */
export class RegoEvaluation {
  readonly form: PolicyForm;
  readonly #modules: readonly Module[];
  readonly #builtins: readonly Builtin[];
  readonly #source: Source;
  readonly #program: Program;
  readonly #names: ReadonlySet<string>;
  readonly #queries = new Map<string, Query>();
  readonly #data: JsonObject;
  readonly #rules: Rules;
  readonly #base: Policy | undefined;
  readonly #limits: Partial<Limits> | undefined;
  #pieces: { readonly program: Program; readonly names: ReadonlyMap<unknown, string> } | undefined;
  #current: ReferenceValues = {};
  #recorder: Recorder | undefined;

  constructor(options: RegoPolicyOptions) {
    const modules = parsed(options.modules, options.version);
    const form = options.form ?? formOf(modules);
    this.form = form;
    this.#rules = checkRules(structuredClone(options.rules ?? {}));
    this.#data = { ...structuredClone(options.data ?? {}), rules: rulesDocument(this.#rules) };
    this.#base = options.base;
    this.#limits = options.limits;
    this.#modules = preparedFor(form, modules);
    this.#builtins = [
      ...referenceBuiltins(
        () => this.#current,
        (id) => this.#recorder?.asked(id),
      ),
      ...(options.builtins ?? []),
    ];
    this.#program = this.#compile(this.#modules);
    const texts = { ...options.modules, [PREAMBLE]: VERAISON_PREAMBLE };
    this.#source = new Source(this.#modules, texts);
    this.#names = new Set(
      this.#modules.flatMap(({ path, rules }) => (isPolicyPackage(path) ? rules.map(nameOfRule) : [])),
    );
    if (this.#asked().length === 0) {
      throw misuse(
        "INVALID_POLICY_OUTPUT",
        `Cannot use the policy: package policy defines nothing that form ${form} asks for`,
        form === "verdictd"
          ? "Define the rule allow."
          : "Define trust_claims, or rules such as executables and hardware.",
      );
    }
  }

  /** `data`: in the place of that of the options, whole. */
  evaluate(input: PolicyInput, data: JsonObject = this.#data): PolicyOutput {
    switch (this.form) {
      case "adyton":
      case "trustee":
        return this.#trustee(input, data);
      case "verdictd":
        return this.#verdictd(input);
      case "veraison":
        return this.#veraison(input);
    }
  }

  #trustee(input: PolicyInput, data: JsonObject): PolicyOutput {
    return this.#run(input, trusteeInput(input), data, (ask) => {
      const trustworthiness = this.#names.has("trust_claims")
        ? claimsOf(ask("trust_claims"))
        : this.#claims(ask);
      const extensions = this.#names.has("extensions") ? extensionsOf(ask("extensions")) : {};
      return { trustworthiness, extensions };
    });
  }

  #verdictd(input: PolicyInput): PolicyOutput {
    const { debug, trust } = input.facts;
    const { allowDebug = false, allowSimulated = false } = this.#rules;
    const document = verdictdInput(input);
    return this.#run(input, document, this.#data, (ask) => {
      const allow = ask("allow") === true;
      const info = this.#names.has("parseInfo") ? ask("parseInfo") : undefined;
      return {
        trustworthiness: {
          executables: allow ? 2 : 33,
          hardware: trust.simulated && !allowSimulated ? 97 : 2,
          configuration: debug && !allowDebug ? 96 : 2,
        },
        extensions: { "verdictd.decision": { allow, parseInfo: info ?? this.#parseInfo(document) } },
      };
    });
  }

  /** By field of the input: what it is, and what the data file has under that name. */
  #parseInfo(document: JsonObject): JsonObject {
    return Object.fromEntries(
      Object.entries(document).map(([field, value]) => [field, [value, this.#data[field] ?? null]]),
    );
  }

  #veraison(input: PolicyInput): PolicyOutput {
    const base = this.#base?.evaluate(input);
    const vector = base?.trustworthiness ?? {};
    const { facts, document, referenceValues } = input;
    const scheme = schemeName(facts.tee);
    const documents: JsonObject = {
      evidence: facts.claims,
      endorsements: Object.entries(referenceValues).map(([id, values]) => ({ id, values: [...values] })),
      result: {
        "ear.status": statusOfPart(vector),
        "ear.trustworthiness-vector": { ...vector },
        "ear.appraisal-policy-id": this.#base?.id ?? `policy:${scheme}`,
      },
      scheme,
      submod: scheme,
      session: isJsonObject(document.runtime_data_claims) ? document.runtime_data_claims : {},
    };
    const own = this.#run(input, documents, this.#data, (ask) => {
      const claims = Object.entries(this.#claims(ask)).filter(([, value]) => value !== 0);
      const added = ask("added_claims");
      const extensions = isJsonObject(added) ? added : {};
      return { trustworthiness: { ...vector, ...Object.fromEntries(claims) }, extensions };
    });
    const overlaid = new Set(
      CLAIM_RULES.flatMap(([claim, rule]) => (this.#isOwn(rule) ? [claim as string] : [])),
    );
    return {
      ...own,
      findings: [
        ...(base?.findings ?? []).filter(({ ok }) => ok || overlaid.size === 0 || !isAffirmed(own, overlaid)),
        ...own.findings,
      ],
      extensions: { ...base?.extensions, ...own.extensions },
    };
  }

  /** Whether the user's policy, and not only what stands beside it, has a rule of this name. */
  #isOwn(name: string): boolean {
    return this.#source.rules(name).some(({ location }) => location.file !== PREAMBLE);
  }

  #claims(ask: Ask): Partial<Record<TrustClaim, number>> {
    return claimsOf(
      Object.fromEntries(
        CLAIM_RULES.flatMap(([claim, rule]) => {
          const value = this.#names.has(rule) ? ask(rule) : undefined;
          return value === undefined ? [] : [[claim, value] as const];
        }),
      ),
    );
  }

  #run(
    input: PolicyInput,
    document: JsonObject,
    data: JsonObject,
    judge: (ask: Ask) => Pick<PolicyOutput, "trustworthiness" | "extensions">,
  ): PolicyOutput {
    const { facts, referenceValues, now, vouchersOf } = input;
    const before = [this.#current, this.#recorder] as const;
    const recorder = new Recorder();
    this.#current = referenceValues;
    this.#recorder = recorder;
    const options = {
      input: document as Value,
      data: data as { readonly [key: string]: Value },
      now,
      ...(this.#limits === undefined ? {} : { limits: this.#limits }),
    };
    try {
      const ask: Ask = (name) => {
        const value = this.#query(name).value({ ...options, trace: recorder.trace });
        return value === undefined ? undefined : toJson(value);
      };
      const judged = judge(ask);
      const explainer = new Explainer({
        source: this.#source,
        recorder,
        tee: facts.tee,
        referenceValues,
        replay: (expr) => this.#replay(expr, options),
        ...(vouchersOf === undefined ? {} : { vouchersOf }),
      });
      const explanation = this.#explain(explainer, judged, facts.tee);
      return { ...judged, findings: this.#findings(explainer, explanation, judged), explanation };
    } finally {
      [this.#current, this.#recorder] = before;
    }
  }

  #explain(explainer: Explainer, { trustworthiness }: Judged, tee: string): Explanation {
    const stated = CLAIM_RULES.filter(([claim]) => (trustworthiness[claim] ?? 0) !== 0);
    const status = worstTier(stated.map(([claim]) => tierOf(trustworthiness[claim] ?? 0)));
    const children =
      this.form === "verdictd"
        ? [explainer.value("allow", trustworthiness.executables === 2, "allow")]
        : stated
            .filter(([, rule]) => this.form !== "veraison" || this.#isOwn(rule))
            .map(([claim, rule]) => {
              const value = trustworthiness[claim] ?? 0;
              const tier = tierOf(value);
              return explainer.value(rule, tier === "affirming", `${claim} is ${value} (${tier})`);
            });
    return {
      kind: "decision",
      ok: status === "affirming",
      text: `${tee} evidence is ${status === "none" ? "not judged" : status}`,
      children,
    };
  }

  #findings(explainer: Explainer, explanation: Explanation, { trustworthiness }: Judged): Finding[] {
    const findings = explainer.findings(explanation);
    if (explanation.ok || findings.some(({ ok }) => !ok)) return findings;
    const bad = CLAIM_RULES.filter(([claim]) => tierOf(trustworthiness[claim] ?? 0) !== "affirming").filter(
      ([claim]) => trustworthiness[claim] !== undefined,
    );
    return [
      ...findings,
      {
        rule: "policy",
        ok: false,
        message: `The policy affirms nothing${bad.length === 0 ? "" : `: ${bad.map(([claim]) => `${claim} is ${trustworthiness[claim]}`).join(", ")}`}.`,
        next: "Read the policy: none of its rules accepts this evidence.",
      },
    ];
  }

  /** One condition by itself, as a rule of its own in the same package. */
  #replay(expr: Expr, options: object): ConditionRecord | undefined {
    this.#pieces ??= this.#cut();
    const name = this.#pieces.names.get(expr);
    if (name === undefined) return undefined;
    const { program } = this.#pieces;
    let query = this.#queries.get(name);
    if (query === undefined) {
      query = program.prepare(`data.policy[${JSON.stringify(name)}]`);
      this.#queries.set(name, query);
    }
    const outer = this.#recorder;
    const recorder = new Recorder();
    this.#recorder = recorder;
    try {
      query.value({ ...options, trace: recorder.trace });
    } finally {
      this.#recorder = outer;
    }
    return recorder.rules.get(name)?.[0]?.conditions.find((condition) => condition.expr === expr);
  }

  /** Every condition that needs no variable of its body, as a rule. */
  #cut(): { program: Program; names: ReadonlyMap<unknown, string> } {
    const names = new Map<unknown, string>();
    const pieces = this.#modules
      .filter(({ path }) => isPolicyPackage(path))
      .flatMap((module) => {
        const rules = module.rules.flatMap(branchesOf).flatMap((rule) => {
          const bound = boundIn(rule);
          return rule.body.flatMap((expr): Rule[] => {
            if (rule.default || rule.implicitBody || usesAny(expr, bound)) return [];
            const name = `$condition${names.size}`;
            names.set(expr, name);
            const { location } = expr;
            return [
              {
                default: false,
                head: { ref: [{ kind: "scalar", value: name, location }], assign: false, location },
                body: [expr],
                implicitBody: false,
                location,
              },
            ];
          });
        });
        return rules.length === 0 ? [] : [{ ...module, rules }];
      });
    return { program: this.#compile([...this.#modules, ...pieces]), names };
  }

  #query(name: string): Query {
    let query = this.#queries.get(name);
    if (query === undefined) {
      query = this.#program.prepare(`data.policy.${name}`);
      this.#queries.set(name, query);
    }
    return query;
  }

  #compile(modules: readonly Module[]): Program {
    return compile({ modules, builtins: this.#builtins });
  }

  /** Rules of package policy that the form asks for. */
  #asked(): readonly string[] {
    const names =
      this.form === "verdictd" ? ["allow"] : ["trust_claims", ...CLAIM_RULES.map(([, rule]) => rule)];
    if (this.form === "veraison") return [...names, "added_claims"].filter((name) => this.#isOwn(name));
    return names.filter((name) => this.#names.has(name));
  }
}

type Ask = (name: string) => JsonValue | undefined;
type Judged = Pick<PolicyOutput, "trustworthiness" | "extensions">;

/** Whether everything that the overlay speaks of came out well. */
function isAffirmed({ trustworthiness }: PolicyOutput, claims: ReadonlySet<string>): boolean {
  return CLAIM_RULES.every(
    ([claim]) => !claims.has(claim) || tierOf(trustworthiness[claim] ?? 0) === "affirming",
  );
}
