// SPDX-License-Identifier: Apache-2.0
// A GPU's measurements against the manifests of its driver and of its video BIOS, as NVIDIA's own verifier compares them:
// every active measurement of either must be one of the values that the manifest allows.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { EvidenceError } from "../errors.ts";
import { assertVerified, type VerifiedEvidence } from "../verified.ts";
import { assertRim, type RimMeasurement, type VerifiedRim } from "./rim.ts";

export interface RimMismatch {
  /** As in the manifest, from 0. */
  readonly index: number;
  readonly source: "driver" | "vbios";
  readonly name: string;
  /** Undefined where the report has no such measurement. */
  readonly found: string | undefined;
  readonly expected: readonly string[];
}

/** A finding, not a refusal: whether it is good enough is the relying party's question. */
export interface RimComparison {
  /** Versions fit, no measurement is claimed by both manifests, at least one was compared, and all match. */
  readonly ok: boolean;
  /** How many measurements were compared. */
  readonly compared: number;
  readonly mismatches: readonly RimMismatch[];
  /** Indices that both manifests claim. */
  readonly conflicts: readonly number[];
  /** The manifests are those of the driver and video BIOS that the report names. */
  readonly versions: { readonly driver: boolean; readonly vbios: boolean };
}

/** The measurement of a video decoder, which means nothing while that is disabled. */
const NVDEC0 = 35;
/** nvdec0_status 55h: disabled. */
const NVDEC0_DISABLED = "U";

/** Throws `NOT_VERIFIED` for evidence or manifests that were not verified, or for another TEE's evidence. */
export function compareRims(
  evidence: VerifiedEvidence,
  { driver, vbios }: { readonly driver: VerifiedRim; readonly vbios: VerifiedRim },
): RimComparison {
  assertVerified(evidence);
  assertRim(driver);
  assertRim(vbios);
  if (evidence.tee !== "nvidia") {
    throw new EvidenceError(
      "NOT_VERIFIED",
      "misuse",
      `Cannot compare manifests of NVIDIA's with evidence of TEE ${evidence.tee}`,
    );
  }
  const config = objectOf(evidence.claims.config);
  const found = objectOf(evidence.claims.measurements);
  const active = (rim: VerifiedRim): readonly RimMeasurement[] =>
    rim.measurements.filter((each) => each.active);
  const claimed = new Set(active(driver).map(({ index }) => index));
  const conflicts = active(vbios)
    .map(({ index }) => index)
    .filter((index) => claimed.has(index));
  const all = [
    ...active(driver).map((each) => ({ ...each, source: "driver" as const })),
    ...active(vbios).map((each) => ({ ...each, source: "vbios" as const })),
  ].filter(({ index }) => index !== NVDEC0 || config.nvdec0_status !== NVDEC0_DISABLED);
  const mismatches = all.flatMap(({ index, name, values, source }): RimMismatch[] => {
    const value = found[`${index + 1}`];
    const text = typeof value === "string" ? value : undefined;
    return text !== undefined && values.includes(text)
      ? []
      : [{ index, source, name, found: text, expected: values }];
  });
  const versions = {
    driver: sameVersion(config.driver_version, driver.version),
    vbios: sameVersion(config.vbios_version, vbios.version),
  };
  const ok =
    versions.driver && versions.vbios && conflicts.length === 0 && mismatches.length === 0 && all.length > 0;
  return { ok, compared: all.length, mismatches, conflicts, versions };
}

/** Hex digits of a BIOS version come in either case. */
function sameVersion(found: JsonValue | undefined, expected: string): boolean {
  return typeof found === "string" && found.toLowerCase() === expected.toLowerCase();
}

function objectOf(value: JsonValue | undefined): JsonObject {
  return isJsonObject(value) ? value : {};
}
