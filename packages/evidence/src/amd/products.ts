// SPDX-License-Identifier: Apache-2.0
// AMD's processor generations: how a report names them, their TCB layout, and their pinned root.
// A new generation is a new row.

import { isZero } from "@adyton/core/bytes";
import type { Cpuid, ReportFields } from "./evidence.ts";
import type { TcbLayout } from "./tcb.ts";

export type ProductName = "Milan" | "Genoa" | "Turin" | "Venice";

export interface Product {
  /** As in the names of its certificates: "ARK-Milan", "SEV-Milan", "SEV-VLEK-Milan". */
  readonly name: ProductName;
  readonly layout: TcbLayout;
  /** Bytes of hwID; the rest of the report's CHIP_ID is zero. */
  readonly chipIdSize: 8 | 64;
  readonly family: number;
  /** Inclusive ranges of CPUID models. */
  readonly models: readonly (readonly [first: number, last: number])[];
  /** SHA-256 of the ARK certificate; undefined where AMD has published none. */
  readonly arkSha256: string | undefined;
}

export const PRODUCTS: readonly Product[] = [
  {
    name: "Milan",
    layout: "family19h",
    chipIdSize: 64,
    family: 0x19,
    models: [[0x00, 0x0f]],
    arkSha256: "69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd",
  },
  {
    name: "Genoa",
    layout: "family19h",
    chipIdSize: 64,
    family: 0x19,
    // A0h to AFh are Bergamo and Siena, which use Genoa's keys.
    models: [
      [0x10, 0x1f],
      [0xa0, 0xaf],
    ],
    arkSha256: "4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1",
  },
  {
    name: "Turin",
    layout: "family1Ah",
    chipIdSize: 8,
    family: 0x1a,
    models: [[0x00, 0x11]],
    arkSha256: "1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a",
  },
  {
    name: "Venice",
    layout: "family1Ah",
    chipIdSize: 8,
    family: 0x1a,
    models: [
      [0x50, 0x57],
      [0x90, 0xaf],
      [0xc0, 0xc7],
    ],
    arkSha256: undefined,
  },
];

/** SHA-256 of every pinned ARK certificate. */
export const PINNED_ARKS: ReadonlySet<string> = new Set(
  PRODUCTS.map((product) => product.arkSha256).filter((sha256) => sha256 !== undefined),
);

/** The product with this CPUID, or undefined. */
export function productOfCpuid(cpuid: Cpuid): Product | undefined {
  return PRODUCTS.find(
    (product) =>
      product.family === cpuid.family &&
      product.models.some(([first, last]) => cpuid.model >= first && cpuid.model <= last),
  );
}

/** The product of a certificate's productName, such as "Milan-B0", or undefined. */
export function productNamed(productName: string): Product | undefined {
  return PRODUCTS.find(
    (product) => productName === product.name || productName.startsWith(`${product.name}-`),
  );
}

/**
 * How a report's TCB versions are laid out as far as the report alone can say: by CPUID family, before version 3 by
 * the chip id, of which family 1Ah fills 8 bytes. A verified result goes by the endorsement key's product.
 */
export function layoutOf(report: Pick<ReportFields, "cpuid" | "chipId">): TcbLayout {
  const { cpuid, chipId } = report;
  if (cpuid !== undefined) return cpuid.family >= 0x1a ? "family1Ah" : "family19h";
  return isZero(chipId.subarray(8)) && !isZero(chipId) ? "family1Ah" : "family19h";
}
