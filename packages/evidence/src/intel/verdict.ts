// SPDX-License-Identifier: Apache-2.0
// From Intel's judgement to the house's `Tcb`: every component with its own status, date and advisories. What must not
// pass is thrown, with the judgement in `detail.tcb`.

import type { Tcb, TcbComponent, TcbStatus } from "../verified.ts";
import { type Basis, TDX_SVN_NAMES } from "./basis.ts";
import { missingModule } from "./checks.ts";
import type { IsvLevel, Level } from "./documents.ts";
import type { Quote } from "./evidence.ts";
import { notAuthentic } from "./refusal.ts";
import type { Shortfall, TcbAnswer } from "./tcb.ts";

/** A judgement that stands: Intel always gives a status. */
export type IntelTcb = Tcb & { readonly status: TcbStatus };

/** Throws `TCB_NOT_SUPPORTED`, `TCB_REVOKED`, `TCB_UNRECOGNIZED_STATUS` or `TDX_MODULE_MISMATCH`. */
export function tcbOf(answer: TcbAnswer, quote: Quote, basis: Basis): IntelTcb {
  const { status } = answer;
  if (answer.missingModule !== undefined) throw missingModule(answer.missingModule);
  if (status === "Unrecognized") {
    throw notAuthentic(
      "TCB_UNRECOGNIZED_STATUS",
      "Cannot judge TCB: the matching level has a status that is unknown here",
      { platform: answer.platform?.status, module: answer.module?.status, qe: answer.qe?.status },
    );
  }
  const tcb: IntelTcb = {
    status,
    evaluationNumber: Math.min(basis.tcbInfo.tcbEvaluationDataNumber, basis.identity.tcbEvaluationDataNumber),
    date: answer.platform?.date ?? null,
    advisoryIds: answer.platform?.advisoryIds ?? [],
    components: componentsOf(answer, quote, basis),
  };
  if (status === "NotSupported") {
    const why = answer.shortfalls.map(describe).join("; ");
    throw notAuthentic(
      "TCB_NOT_SUPPORTED",
      `Cannot accept TCB: no TCB level of Intel's fits${why === "" ? "" : ` (${why})`}`,
      { tcb, shortfalls: answer.shortfalls },
      "Update the platform's firmware, or check that it is no pre-production part.",
    );
  }
  if (status === "Revoked") {
    throw notAuthentic(
      "TCB_REVOKED",
      "Cannot accept TCB: Intel revoked its level",
      { tcb },
      "Keys of this TCB are known to be compromised: update the platform's firmware.",
    );
  }
  return tcb;
}

function componentsOf(answer: TcbAnswer, { body, qeReport }: Quote, basis: Basis): Tcb["components"] {
  const { platformSvn, sgxSvn } = basis;
  const qe = componentOf(answer.qe, { isvSvn: qeReport.isvSvn });
  if (body.tee === "sgx") return { platform: componentOf(answer.platform, sgxSvn), qe };
  const { teeTcbSvn, td15 } = body.report;
  const [moduleSvn = 0, moduleVersion = 0] = teeTcbSvn;
  const [runningSvn, runningVersion] = td15?.teeTcbSvn2 ?? [];
  return {
    platform: componentOf(answer.platform, withTdxSvn(platformSvn, teeTcbSvn)),
    sgx: componentOf(answer.sgx, sgxSvn),
    ...(moduleVersion === 0
      ? {}
      : {
          module: componentOf(answer.module, {
            isvSvn: moduleSvn,
            version: moduleVersion,
            ...(runningSvn === undefined || runningVersion === undefined
              ? {}
              : { runningSvn, runningVersion }),
          }),
        }),
    qe,
  };
}

/** The platform's SVNs with a TD's in place of the zeros that stand for them. */
function withTdxSvn(
  platform: Readonly<Record<string, number>>,
  teeTcbSvn: Uint8Array,
): Record<string, number> {
  const svn: Record<string, number> = { ...platform };
  for (let i = 0; i < TDX_SVN_NAMES.length; i++) svn[TDX_SVN_NAMES[i] as string] = teeTcbSvn[i] as number;
  return svn;
}

function componentOf(level: Level | IsvLevel | undefined, svn: Record<string, number>): TcbComponent {
  if (level === undefined) return { status: "NotSupported", svn };
  const { status, date, advisoryIds } = level;
  // A component may carry an unknown word without deciding the verdict: it then shows no status.
  return status === "Unrecognized" ? { date, advisoryIds, svn } : { status, date, advisoryIds, svn };
}

function describe({ component, found, least }: Shortfall): string {
  return `${component} is ${found}, every level asks ${least} or more`;
}
