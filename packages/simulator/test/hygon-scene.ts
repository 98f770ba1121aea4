// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of the simulated Hygon: one vendor, one machine, and the shortest way to a verdict about it.

import type { Bytes } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { type VerifiedEvidence, type VerifyEvidenceOptions, verifyEvidence } from "@adyton/evidence";
import type { Endorsements } from "@adyton/evidence/endorsements";
import type { CsvReportOptions, HygonPlatform } from "../src/hygon/platform.ts";
import { createHygonVendor, type HygonVendor } from "../src/hygon/vendor.ts";

/** The present of every test. */
export const AT: Date = new Date("2026-06-01T12:00:00Z");

/** How a case differs from health: version 1, HSK and CEK at hand, the HRK named. */
export interface Case {
  readonly vendor?: HygonVendor;
  readonly platform?: HygonPlatform;
  readonly report?: CsvReportOptions;
  /** Changes the finished evidence. */
  readonly evidence?: (evidence: Bytes) => Uint8Array;
  /** The whole bag, instead. */
  readonly endorsements?: Endorsements;
  readonly options?: Partial<VerifyEvidenceOptions>;
}

export interface HygonScene {
  readonly vendor: HygonVendor;
  readonly platform: HygonPlatform;
  verify(change?: Case): Promise<VerifiedEvidence>;
  /** The code and category with which a case is refused: `["", ""]` when it is not. */
  refusal(change: Case): Promise<readonly [code: string, category: string]>;
}

export function createHygonScene(): HygonScene {
  const usualVendor = createHygonVendor();
  const usual = usualVendor.platform();
  const scene: HygonScene = {
    vendor: usualVendor,
    platform: usual,
    verify: async (change = {}) => {
      const { vendor = usualVendor, evidence = (bytes) => bytes } = change;
      const platform = change.platform ?? (vendor === usualVendor ? usual : vendor.platform());
      return verifyEvidence(evidence(platform.report(change.report)), {
        tee: "csv",
        now: AT,
        anchors: vendor.anchors,
        endorsements: change.endorsements ?? vendor.endorsements(platform.cek),
        ...change.options,
      });
    },
    refusal: async (change) => {
      try {
        await scene.verify(change);
        return ["", ""];
      } catch (error) {
        if (error instanceof AdytonError) return [error.code, error.category];
        throw error;
      }
    },
  };
  return scene;
}
