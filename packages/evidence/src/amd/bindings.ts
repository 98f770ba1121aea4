// SPDX-License-Identifier: Apache-2.0
// What ties a report to its endorsement key: processor, chip and TCB (VCEK specification 57230 sections 2.1 and 3.1).

import { equal, isZero, toHex } from "@adyton/core/bytes";
import type { EvidenceError } from "../errors.ts";
import type { EndorsementKey } from "./endorsements.ts";
import type { Report } from "./evidence.ts";
import { productOfCpuid } from "./products.ts";
import { refusal } from "./refusal.ts";
import { TCB_BYTES } from "./tcb.ts";

export interface Binding {
  holds(report: Report, key: EndorsementKey): boolean;
  /** Why a report is refused for which it does not hold. */
  refuse(report: Report, key: EndorsementKey): EvidenceError;
}

/**
 * The key is for the processor that the report names. Version 2 names none, but chip ids of family 1Ah fill 8 of the
 * 64 bytes.
 */
export const productBinding: Binding = {
  holds: ({ cpuid, chipId }, { kind, product }) =>
    cpuid === undefined
      ? kind === "VLEK" || isZero(chipId) || isZero(chipId.subarray(8)) === (product.chipIdSize === 8)
      : productOfCpuid(cpuid) === product,
  refuse: ({ cpuid }, { kind, productName }) => {
    const found = (cpuid && productOfCpuid(cpuid)?.name) ?? "another generation";
    return refusal("PRODUCT_MISMATCH", `it comes from ${found}, its ${kind} is for ${productName}`, {
      detail: { found, expected: productName },
    });
  },
};

/** The chip id is the VCEK's hwID. A VLEK names no chip; a masked chip id is zero. */
export const chipBinding: Binding = {
  holds: ({ chipId, keyInfo }, { hwId, product }) =>
    hwId === undefined ||
    (keyInfo.maskChipKey && isZero(chipId)) ||
    (equal(chipId.subarray(0, product.chipIdSize), hwId) && isZero(chipId.subarray(product.chipIdSize))),
  refuse: ({ chipId }, { hwId }) =>
    refusal("VCEK_CHIP_ID_MISMATCH", "its chip id is not the hwID of the VCEK", {
      detail: { found: toHex(chipId), expected: hwId && toHex(hwId) },
    }),
};

/** The reported TCB is the key's: equal, not at least, because the key is derived from these very numbers. */
export const tcbBinding: Binding = {
  holds: (report, key) => equal(report.reportedTcb, key.tcb),
  refuse: (report, key) => {
    const components = TCB_BYTES[key.product.layout]
      .map((name, index) => ({ name, found: report.reportedTcb[index], expected: key.tcb[index] }))
      .filter(({ found, expected }) => found !== expected);
    const text = components.map(({ name, found, expected }) => `${name} ${found} instead of ${expected}`);
    return refusal(
      "VCEK_TCB_MISMATCH",
      `its reported TCB is not that of the ${key.kind}: ${text.join(", ")}`,
      {
        detail: { components },
        hint: `A firmware update gives a platform another ${key.kind}: supply the one for the reported TCB.`,
      },
    );
  },
};
