// SPDX-License-Identifier: Apache-2.0
// Shared by the tests of the simulated Intel: one vendor, one machine, and the shortest way to a verdict about it.

import type { ErrorCategory } from "@adyton/core/errors";
import { type VerifiedEvidence, type VerifyOptions, verifyEvidence } from "@adyton/evidence";
import type { Endorsements } from "@adyton/evidence/endorsements";
import { expect } from "vitest";
import type { IntelCollateral } from "../src/intel/collateral.ts";
import type { IntelPlatform, QuoteOptions } from "../src/intel/platform.ts";
import { createIntelVendor, type IntelVendor, type IntelVendorOptions } from "../src/intel/vendor.ts";

/** The present of every test. */
export const AT: Date = new Date("2026-06-01T12:00:00Z");

/** `days` after the present, before it when negative. */
export function after(days: number): Date {
  return new Date(AT.getTime() + days * 24 * 60 * 60 * 1000);
}

/** How a case differs from health. Nothing given: a healthy platform with everything at hand. */
export interface Case {
  readonly quote?: Omit<QuoteOptions, "tee">;
  readonly platform?: IntelPlatform;
  /** Parts of the collateral to replace. */
  readonly replace?: Partial<IntelCollateral>;
  /** The whole bag, instead. */
  readonly endorsements?: Endorsements;
  readonly options?: Partial<VerifyOptions>;
}

export interface Scene {
  readonly vendor: IntelVendor;
  readonly platform: IntelPlatform;
  /** Verifies a fresh quote, the vendor's root being named. */
  verify(tee: "sgx" | "tdx", change?: Case): Promise<VerifiedEvidence>;
  /** The status of a fresh quote, or the code of its refusal. */
  status(tee: "sgx" | "tdx", change?: Case): Promise<string | null>;
}

export async function createScene(options: IntelVendorOptions = {}): Promise<Scene> {
  const vendor = await createIntelVendor({ at: AT, ...options });
  const usual = await vendor.platform();
  const scene: Scene = {
    vendor,
    platform: usual,
    verify: async (tee, change = {}) => {
      const { platform = usual, replace = {}, quote = {} } = change;
      return verifyEvidence(await platform.quote({ tee, ...quote }), {
        tee,
        now: AT,
        roots: [vendor.root.certificate],
        endorsements: change.endorsements ?? (await vendor.endorsements(platform, tee, replace)),
        ...change.options,
      });
    },
    status: async (tee, change) => {
      try {
        return (await scene.verify(tee, change)).tcb.status;
      } catch (error) {
        return (error as { code?: string }).code ?? String(error);
      }
    },
  };
  return scene;
}

/** Asserts that a verification is refused for exactly this reason. */
export async function expectRefusal(
  verification: Promise<unknown>,
  code: string,
  category: ErrorCategory,
): Promise<void> {
  await expect(verification).rejects.toMatchObject({ code, category });
}
