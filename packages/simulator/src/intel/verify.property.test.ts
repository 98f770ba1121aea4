// SPDX-License-Identifier: Apache-2.0
// Random platforms against random TCB levels: the verifier must say what a second, naive reading of Intel's algorithm
// says. The reading below is written apart from the verifier and shares nothing with it.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { after, createScene } from "../../test/scene.ts";
import { svnBytes } from "./defaults.ts";
import type { IsvLevelTemplate, ModuleIdentityTemplate, TcbLevelTemplate } from "./documents.ts";

const scene = await createScene();
const { vendor } = scene;
const RUNS = 150;

interface Situation {
  readonly components: readonly number[];
  readonly pceSvn: number;
  readonly levels: readonly TcbLevelTemplate[];
  readonly qeSvn: number;
  readonly qeLevels: readonly IsvLevelTemplate[];
  readonly svn: readonly number[];
  readonly svn2: readonly number[] | undefined;
  readonly modules: readonly ModuleIdentityTemplate[];
}

/** Small numbers, so that levels are reached and missed about equally often. */
const small = fc.integer({ min: 0, max: 3 });
const status = fc.constantFrom(
  "UpToDate",
  "UpToDate",
  "SWHardeningNeeded",
  "ConfigurationNeeded",
  "ConfigurationAndSWHardeningNeeded",
  "OutOfDate",
  "OutOfDateConfigurationNeeded",
  "Revoked",
  "Mystery",
);
const isvStatus = fc.constantFrom("UpToDate", "UpToDate", "OutOfDate", "OutOfDate", "Revoked");
const date = after(-100);
const level: fc.Arbitrary<TcbLevelTemplate> = fc.record({
  sgx: fc.tuple(small, small, small),
  pceSvn: small,
  tdx: fc.tuple(small, fc.integer({ min: 0, max: 1 }), small, fc.integer({ min: 0, max: 1 })),
  status,
  date: fc.constant(date),
});
const isvLevels: fc.Arbitrary<IsvLevelTemplate[]> = fc.array(
  fc.record({ isvSvn: small, status: isvStatus, date: fc.constant(date) }),
  { maxLength: 3 },
);
const svn = fc.tuple(small, fc.constantFrom(0, 1, 1, 3), small, fc.constant(1));
const signer = {
  mrSigner: new Uint8Array(48),
  attributes: new Uint8Array(8),
  attributesMask: new Uint8Array(8).fill(0xff),
};
const situation: fc.Arbitrary<Situation> = fc.record({
  components: fc.tuple(small, small, small),
  pceSvn: small,
  levels: fc.uniqueArray(level, {
    maxLength: 6,
    selector: ({ sgx, pceSvn, tdx }) => JSON.stringify([sgx, pceSvn, tdx]),
  }),
  qeSvn: small,
  qeLevels: isvLevels,
  svn,
  svn2: fc.option(svn, { nil: undefined }),
  modules: fc.tuple(isvLevels, isvLevels).map(([one, three]) => [
    { id: "TDX_01", ...signer, levels: one },
    { id: "TDX_03", ...signer, levels: three },
  ]),
});

/** A platform that reaches most levels: the interesting statuses would be rare otherwise. */
const capable = situation.map((s) => ({ ...s, components: [3, 3, 3], pceSvn: 3, qeSvn: 3 }));

/** TD 1.5 bodies whose launch module is out of date and whose running one is mostly current. */
const relaunchable = fc
  .record({ base: capable, asked: small, running: fc.constantFrom(0, 1, 3), loader: small })
  .map(({ base, asked, running, loader }) => ({
    ...base,
    qeLevels: [{ isvSvn: 0, status: "UpToDate", date }],
    svn: [0, 1, loader, 1],
    svn2: [3, running, 3, 1],
    modules: ["TDX_01", "TDX_03"].map((id) => ({
      id,
      ...signer,
      levels: [
        { isvSvn: asked + 1, status: "UpToDate", date },
        { isvSvn: 0, status: "OutOfDate", date },
      ],
    })),
  }));

describe("the verifier agrees with a naive reading of Intel's algorithm", () => {
  it.each([
    ["SGX, any platform", situation, "sgx"],
    ["SGX, capable platforms", capable, "sgx"],
    ["TDX, any platform", situation, "tdx"],
    ["TDX, capable platforms", capable, "tdx"],
    ["TDX, TDs that may be relaunched", relaunchable, "tdx"],
  ] as const)("%s", async (_, situations, tee) => {
    const key = await vendor.certifyTcbSigner(); // any key: every platform of this test shares it
    await fc.assert(
      fc.asyncProperty(situations, async (s) => {
        const platform = await vendor.platform({
          components: s.components,
          pceSvn: s.pceSvn,
          pck: { key: key.key },
        });
        // One TDX component pattern per SGX pattern would be a duplicate level for SGX.
        const levels = tee === "tdx" ? s.levels : uniqueForSgx(s.levels);
        const replace = {
          tcbInfo: await vendor.tcbInfo(tee, {
            levels,
            ...(tee === "tdx" ? { tdxModuleIdentities: s.modules } : {}),
          }),
          qeIdentity: await vendor.identity(tee === "tdx" ? "TD_QE" : "QE", { levels: s.qeLevels }),
        };
        const quote = {
          qeReport: { isvSvn: s.qeSvn },
          ...(tee === "tdx" ? { td: { teeTcbSvn: svnBytes(...s.svn) } } : {}),
          ...(tee === "tdx" && s.svn2 !== undefined ? { td15: { teeTcbSvn2: svnBytes(...s.svn2) } } : {}),
        };
        const expected = tee === "tdx" ? naiveTdx({ ...s, levels }) : naiveSgx({ ...s, levels });
        expect(await scene.status(tee, { platform, replace, quote })).toBe(expected);
      }),
      { numRuns: RUNS },
    );
  });
});

function uniqueForSgx(levels: readonly TcbLevelTemplate[]): TcbLevelTemplate[] {
  return levels
    .map(({ tdx: _tdx, ...rest }) => rest)
    .filter((a, i, all) => all.findIndex((b) => orderKey(a) === orderKey(b)) === i);
}

/** Fixed-width text that sorts as Intel's comparison of levels. */
function orderKey({ sgx, pceSvn, tdx = [] }: TcbLevelTemplate): string {
  const digits = (values: readonly number[]) =>
    Array.from({ length: 16 }, (_, i) => String(values[i] ?? 0).padStart(3, "0")).join("");
  return digits(sgx) + String(pceSvn).padStart(5, "0") + digits(tdx);
}

function newestFirst(levels: readonly TcbLevelTemplate[]): TcbLevelTemplate[] {
  return [...levels].sort((a, b) => (orderKey(a) < orderKey(b) ? 1 : -1));
}

function reachesSgx(s: Situation, candidate: TcbLevelTemplate): boolean {
  for (let i = 0; i < 16; i++) if ((s.components[i] ?? 0) < (candidate.sgx[i] ?? 0)) return false;
  return s.pceSvn >= candidate.pceSvn;
}

function qeStatusOf(s: Situation): string {
  for (const candidate of s.qeLevels) if (s.qeSvn >= candidate.isvSvn) return candidate.status;
  return "NotSupported";
}

/** Spec table "converge", answering with a refusal's code where nothing may pass. */
function meet(left: string, right: string): string {
  if (right === "NotSupported") return "TCB_NOT_SUPPORTED";
  if (right === "Revoked" || left === "Revoked") return "Revoked";
  if (right === "OutOfDate") {
    if (left === "UpToDate" || left === "SWHardeningNeeded") return "OutOfDate";
    if (left === "ConfigurationNeeded" || left === "ConfigurationAndSWHardeningNeeded")
      return "OutOfDateConfigurationNeeded";
  }
  return left;
}

function worded(verdict: string): string {
  if (verdict === "Revoked") return "TCB_REVOKED";
  if (verdict === "Mystery") return "TCB_UNRECOGNIZED_STATUS";
  return verdict;
}

function naiveSgx(s: Situation): string {
  const match = newestFirst(s.levels).find((candidate) => reachesSgx(s, candidate));
  return match === undefined ? "TCB_NOT_SUPPORTED" : worded(meet(match.status, qeStatusOf(s)));
}

function naiveTdx(s: Situation): string {
  const levels = newestFirst(s.levels);
  let sgxLevel: TcbLevelTemplate | undefined;
  let tdxLevel: TcbLevelTemplate | undefined;
  for (const candidate of levels) {
    if (!reachesSgx(s, candidate)) continue;
    sgxLevel ??= candidate;
    let enough = true;
    for (let i = (s.svn[1] ?? 0) > 0 ? 2 : 0; i < 16; i++) {
      if ((s.svn[i] ?? 0) < (candidate.tdx?.[i] ?? 0)) enough = false;
    }
    if (enough) {
      tdxLevel = candidate;
      break;
    }
  }
  if (sgxLevel === undefined || tdxLevel === undefined) return "TCB_NOT_SUPPORTED";
  const moduleOf = (version: number) => s.modules.find(({ id }) => id === `TDX_0${version}`);
  let module = "none";
  if (s.svn[1] !== 0) {
    const launched = moduleOf(s.svn[1] ?? 0)?.levels.find(({ isvSvn }) => (s.svn[0] ?? 0) >= isvSvn);
    if (launched === undefined) return "TCB_NOT_SUPPORTED";
    module = launched.status;
  }
  let verdict = meet(tdxLevel.status, module);
  if (verdict === "Revoked") return "TCB_REVOKED";
  const qe = qeStatusOf(s);
  const { svn2 } = s;
  const inDate = [
    "UpToDate",
    "SWHardeningNeeded",
    "ConfigurationNeeded",
    "ConfigurationAndSWHardeningNeeded",
  ];
  if (
    svn2 !== undefined &&
    qe === "UpToDate" &&
    inDate.includes(sgxLevel.status) &&
    verdict.startsWith("OutOfDate") &&
    module === "OutOfDate"
  ) {
    const latest = levels[0]?.tdx ?? [];
    const running = svn2[1] ?? 0;
    const asked = running === 0 ? (latest[0] ?? 0) : moduleOf(running)?.levels[0]?.isvSvn;
    if (asked !== undefined && (svn2[0] ?? 0) >= asked && (svn2[2] ?? 0) >= (latest[2] ?? 0)) {
      const configure =
        sgxLevel.status.startsWith("Configuration") || verdict.endsWith("ConfigurationNeeded");
      verdict = configure ? "TdRelaunchAdvisedConfigurationNeeded" : "TdRelaunchAdvised";
    }
  }
  return worded(meet(verdict, qe));
}
