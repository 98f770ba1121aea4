// SPDX-License-Identifier: Apache-2.0
// SEV-SNP in the registry.

import { isZero } from "@adyton/core/bytes";
import type { Scheme } from "../scheme.ts";
import { claimsOf } from "./claims.ts";
import { REPORT_SIZE } from "./evidence.ts";
import { snpFromKbs, snpToKbs } from "./kbs.ts";
import { layoutOf } from "./products.ts";
import { guidText, parseSnpEvidence, TABLE_GUID } from "./table.ts";
import { verifySnp } from "./verify.ts";

const KNOWN_GUIDS: ReadonlySet<string> = new Set(Object.values(TABLE_GUID));
/** Versions far beyond the newest are more likely something else. */
const HIGHEST_PLAUSIBLE_VERSION = 15;

export const snp: Scheme = {
  tee: "snp",
  title: "AMD SEV-SNP report",
  detect,
  inspect: (evidence) => {
    const { report } = parseSnpEvidence(evidence);
    return claimsOf(report, layoutOf(report));
  },
  verify: verifySnp,
  fromKbs: snpFromKbs,
  toKbs: snpToKbs,
};

/** Version, signature algorithm and the reserved word beside key_info as in a report; then nothing, or a table. */
function detect(evidence: Uint8Array): boolean {
  if (evidence.length < REPORT_SIZE) return false;
  const view = new DataView(evidence.buffer, evidence.byteOffset);
  const version = view.getUint32(0, true);
  if (version < 2 || version > HIGHEST_PLAUSIBLE_VERSION || view.getUint32(0x34, true) !== 1) return false;
  if (view.getUint32(0x4c, true) !== 0) return false;
  if (evidence.length === REPORT_SIZE) return true;
  const guid = evidence.subarray(REPORT_SIZE, REPORT_SIZE + 16);
  return guid.length === 16 && (isZero(guid) || KNOWN_GUIDS.has(guidText(guid)));
}
