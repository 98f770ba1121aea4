// SPDX-License-Identifier: Apache-2.0
// npm run bench -- verify: our warm and cold verification, the bare signature checks each contains, and npm peers on
// the same evidence, taking turns in one process.

import { createCache, type VerifyOptions } from "@adyton/evidence";
import { createRecorder, runChecks } from "./bare.ts";
import type { BareCheck, Case } from "./case.ts";
import { loadCases } from "./cases.ts";
import { type Contender, type Effort, measure, type Timing } from "./measure.ts";
import { measureRates, type RatesReport } from "./rates.ts";
import { type BundleSize, bundleSizes } from "./sizes.ts";

export interface CaseReport {
  readonly title: string;
  readonly source: Case["source"];
  readonly checks: { readonly warm: number; readonly cold: number };
  readonly timings: readonly Timing[];
  /** Medians of one run, divided. */
  readonly ratios: {
    readonly warmToBare: number;
    readonly coldToBare: number;
    readonly peersToWarm: Readonly<Record<string, number>>;
  };
}

export interface VerifyReport {
  readonly node: string;
  readonly cases: readonly CaseReport[];
  readonly rates: RatesReport;
  readonly bundles: readonly BundleSize[];
}

export async function benchVerify(effort: Effort, say: (line: string) => void): Promise<VerifyReport> {
  say("preparing …");
  const cases: CaseReport[] = [];
  for (const of of await loadCases()) {
    say(`measuring ${of.title} …`);
    cases.push(await benchCase(of, effort));
  }
  say("measuring SM2 and event logs …");
  const rates = await measureRates(effort);
  say("bundling …");
  return { node: process.version, cases, rates, bundles: await bundleSizes() };
}

async function benchCase(of: Case, effort: Effort): Promise<CaseReport> {
  const { title, source } = of;
  const checks = await recordedChecks(of);
  const options = { ...of.options(), cache: createCache() };
  const peers = (await of.peers?.()) ?? [];
  const contenders: Contender[] = [
    { name: "warm", run: () => of.verify(options) },
    { name: "bare warm", run: runChecks(checks.warm) },
    { name: "cold", run: () => of.verify(of.options()) },
    { name: "bare cold", run: runChecks(checks.cold) },
    ...peers,
  ];
  const timings = await measure(contenders, effort);
  const median = (name: string): number =>
    timings.find((timing) => timing.name === name)?.median ?? Number.NaN;
  return {
    title,
    source,
    checks: { warm: checks.warm.length, cold: checks.cold.length },
    timings,
    ratios: {
      warmToBare: median("warm") / median("bare warm"),
      coldToBare: median("cold") / median("bare cold"),
      peersToWarm: Object.fromEntries(peers.map(({ name }) => [name, median(name) / median("warm")])),
    },
  };
}

/** What each verification checks, counted on the verification itself. */
async function recordedChecks(of: Case): Promise<{ warm: BareCheck[]; cold: BareCheck[] }> {
  const recorder = createRecorder();
  const { warm = [], cold = [] } = of.bare ?? {};
  await of.verify({ ...of.options(), crypto: recorder.crypto });
  const coldChecks = recorder.checks();
  const options: VerifyOptions = { ...of.options(), cache: createCache(), crypto: recorder.crypto };
  await of.verify(options);
  recorder.clear();
  await of.verify(options);
  return { warm: [...warm, ...recorder.checks()], cold: [...cold, ...coldChecks] };
}
