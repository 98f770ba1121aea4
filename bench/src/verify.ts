// SPDX-License-Identifier: Apache-2.0
// npm run bench -- verify: our warm and cold verification, the bare signature checks each contains, and npm peers on
// the same evidence, taking turns in one process.

import { createCache, verifyEvidence } from "@adyton/evidence";
import { createRecorder } from "./bare.ts";
import { type Case, endorsementsOf, loadCases } from "./cases.ts";
import { type Contender, type Effort, measure, type Timing } from "./measure.ts";
import { peersOf } from "./peers.ts";
import { type BundleSize, bundleSizes } from "./sizes.ts";

export interface CaseReport {
  readonly tee: string;
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
  readonly bundles: readonly BundleSize[];
}

export async function benchVerify(effort: Effort, say: (line: string) => void): Promise<VerifyReport> {
  const cases: CaseReport[] = [];
  for (const of of await loadCases()) {
    say(`measuring ${of.tee} …`);
    cases.push(await benchCase(of, effort));
  }
  say("bundling …");
  return { node: process.version, cases, bundles: await bundleSizes() };
}

async function benchCase(of: Case, effort: Effort): Promise<CaseReport> {
  const { tee, evidence, now } = of;
  const cold = (crypto = {}): Promise<unknown> =>
    verifyEvidence(evidence, { tee, now, endorsements: endorsementsOf(of), ...crypto });

  // What each verification checks, counted on the verification itself.
  const recorder = createRecorder();
  await cold({ crypto: recorder.crypto });
  const coldChecks = recorder.count;
  const bareCold = recorder.replay();
  const recorded = {
    tee,
    now,
    endorsements: endorsementsOf(of),
    cache: createCache(),
    crypto: recorder.crypto,
  };
  await verifyEvidence(evidence, recorded);
  recorder.clear();
  await verifyEvidence(evidence, recorded);
  const warmChecks = recorder.count;
  const bareWarm = recorder.replay();

  const options = { tee, now, endorsements: endorsementsOf(of), cache: createCache() };
  const peers = await peersOf(of);
  const contenders: Contender[] = [
    { name: "warm", run: () => verifyEvidence(evidence, options) },
    { name: "bare warm", run: bareWarm },
    { name: "cold", run: () => cold() },
    { name: "bare cold", run: bareCold },
    ...peers,
  ];
  const timings = await measure(contenders, effort);
  const median = (name: string): number =>
    timings.find((timing) => timing.name === name)?.median ?? Number.NaN;
  return {
    tee,
    checks: { warm: warmChecks, cold: coldChecks },
    timings,
    ratios: {
      warmToBare: median("warm") / median("bare warm"),
      coldToBare: median("cold") / median("bare cold"),
      peersToWarm: Object.fromEntries(peers.map(({ name }) => [name, median(name) / median("warm")])),
    },
  };
}
