// SPDX-License-Identifier: Apache-2.0
// Decisions a second of a prepared policy, beside the same policy in WebAssembly, compiled by OPA and run by
// @open-policy-agent/opa-wasm.

import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { compile, toJson, type Value } from "@adyton/rego";
import { loadPolicy } from "@open-policy-agent/opa-wasm";
import { type Contender, type Effort, measure } from "./measure.ts";
import { POLICIES, type PolicyCase } from "./rego-policies.ts";

export interface RegoReport {
  readonly node: string;
  /** False where there is no `opa` that compiles for the peer. */
  readonly hasPeer: boolean;
  readonly cases: readonly RegoCaseReport[];
}

export interface RegoCaseReport {
  readonly title: string;
  /** Decisions a second, from the median and from the best round. */
  readonly contenders: readonly { readonly name: string; readonly median: number; readonly best: number }[];
  /** How many times as fast as the peer, by medians. */
  readonly timesPeer?: number;
}

type Decide = (input: Value) => unknown;

const OURS = "@adyton/rego";
const PEER = "opa-wasm";

/** Measures every policy. Throws when the two disagree: then their times say nothing. */
export async function benchRego(effort: Effort, progress: (line: string) => void): Promise<RegoReport> {
  const opa = findOpa();
  if (opa === undefined) progress("opa is neither on the path nor named by ADYTON_OPA: no peer");
  const cases: RegoCaseReport[] = [];
  for (const policy of POLICIES) {
    progress(policy.title);
    const deciders = new Map<string, Decide>([[OURS, oursOf(policy)]]);
    if (opa !== undefined) deciders.set(PEER, await peerOf(policy, opa));
    checkAgreement(policy, deciders);
    const timings = await measure(
      [...deciders].map(([name, decide]) => contender(name, decide, policy)),
      effort,
    );
    const contenders = timings.map(({ name, median, min }) => ({
      name,
      median: perSecond(policy, median),
      best: perSecond(policy, min),
    }));
    const [ours, peer] = contenders;
    cases.push({
      title: policy.title,
      contenders,
      ...(ours === undefined || peer === undefined ? {} : { timesPeer: ours.median / peer.median }),
    });
  }
  return { node: process.versions.node, hasPeer: opa !== undefined, cases };
}

function oursOf({ text, entrypoint, data }: PolicyCase): Decide {
  const policy = compile({ modules: { "policy.rego": text } });
  const query = policy.prepare(`data.${entrypoint.replace("/", ".")}`);
  return (input) => query.value({ input, data });
}

/** The data is set once; the input goes through JSON at every call, because the peer has no other way. */
async function peerOf({ text, entrypoint, data }: PolicyCase, opa: string): Promise<Decide> {
  const folder = mkdtempSync(join(tmpdir(), "adyton-bench-"));
  try {
    writeFileSync(join(folder, "policy.rego"), text);
    execFileSync(opa, ["build", "-t", "wasm", "-e", entrypoint, "-o", "bundle.tar.gz", "policy.rego"], {
      cwd: folder,
    });
    execFileSync("tar", ["-xzf", "bundle.tar.gz", "/policy.wasm"], { cwd: folder, stdio: "ignore" });
    const policy = await loadPolicy(readFileSync(join(folder, "policy.wasm")), { initial: 64 });
    policy.setData(data);
    return (input) =>
      (policy.evaluate(input, entrypoint) as readonly { readonly result: unknown }[])[0]?.result;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function checkAgreement({ title, inputs }: PolicyCase, deciders: ReadonlyMap<string, Decide>): void {
  for (const input of inputs) {
    const [first, ...others] = [...deciders.values()].map((decide) =>
      JSON.stringify(toJson(decide(input) as Value)),
    );
    if (first === undefined || others.some((other) => other !== first))
      throw new Error(`The contenders disagree on "${title}": ${first} and ${others.join(", ")}`);
  }
}

/** Many decisions an operation: one is too short to time. */
function contender(name: string, decide: Decide, { inputs, batch }: PolicyCase): Contender {
  return {
    name,
    run: () => {
      for (let i = 0; i < batch; i++) decide(inputs[i % inputs.length] as Value);
    },
  };
}

function perSecond({ batch }: PolicyCase, microseconds: number): number {
  return (batch * 1e6) / microseconds;
}

function findOpa(): string | undefined {
  return [
    process.env.ADYTON_OPA,
    ...(process.env.PATH ?? "").split(delimiter).map((folder) => join(folder, "opa")),
    join(process.env.GOPATH ?? join(homedir(), "go"), "bin/opa"),
  ].find((path) => path !== undefined && existsSync(path));
}
