// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of the simulated AMD: one vendor, recertified for each product, and the shortest way to a verdict.

import type { Bytes } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import type { Certificate } from "@adyton/core/x509";
import { type VerifiedEvidence, type VerifyOptions, verifyEvidence } from "@adyton/evidence";
import type { Endorsements } from "@adyton/evidence/endorsements";
import type { AmdPlatform, ReportOptions } from "../src/amd/platform.ts";
import { type AmdVendor, createAmdVendor } from "../src/amd/vendor.ts";

/** The present of every test. */
export const AT: Date = new Date("2026-06-01T12:00:00Z");

/** `days` after the present, before it when negative. */
export function after(days: number): Date {
  return new Date(AT.getTime() + days * 24 * 60 * 60 * 1000);
}

/** How a case differs from health: a Milan report, version 3, signed with the VCEK, everything but a CRL at hand. */
export interface Case {
  readonly vendor?: AmdVendor;
  readonly platform?: AmdPlatform;
  readonly report?: ReportOptions;
  /** Changes the finished evidence. */
  readonly evidence?: (evidence: Bytes) => Bytes;
  readonly crl?: Bytes;
  /** The whole bag, instead. */
  readonly endorsements?: Endorsements;
  /** The endorsement keys in the bag, instead of the platform's own two. */
  readonly keys?: readonly Certificate[];
  readonly options?: Partial<VerifyOptions>;
}

export interface AmdScene {
  readonly milan: AmdVendor;
  readonly genoa: AmdVendor;
  readonly turin: AmdVendor;
  readonly venice: AmdVendor;
  /** A Milan machine. */
  readonly platform: AmdPlatform;
  verify(change?: Case): Promise<VerifiedEvidence>;
  /** The code and category with which a case is refused: `["", ""]` when it is not. */
  refusal(change: Case): Promise<readonly [code: string, category: string]>;
}

/** Makes RSA keys once: small ones, because their size is not what is tested. */
export async function createAmdScene(): Promise<AmdScene> {
  const milan = await createAmdVendor({ at: AT, rsaBits: 2048 });
  const usual = await milan.platform();
  const scene: AmdScene = {
    milan,
    genoa: await milan.recertify({ product: "Genoa" }),
    turin: await milan.recertify({ product: "Turin" }),
    venice: await milan.recertify({ product: "Venice" }),
    platform: usual,
    verify: async (change = {}) => {
      const { vendor = milan, evidence = (bytes) => bytes, crl } = change;
      const platform = change.platform ?? (vendor === milan ? usual : await vendor.platform());
      const keys = change.keys ?? [platform.vcek.certificate, platform.vlek.certificate];
      return verifyEvidence(evidence(await platform.report(change.report)), {
        tee: "snp",
        now: AT,
        roots: [vendor.ark.certificate],
        endorsements:
          change.endorsements ?? vendor.endorsements(...keys, ...(crl === undefined ? [] : [crl])),
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
