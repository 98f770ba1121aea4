// SPDX-License-Identifier: Apache-2.0
// TCB_VERSION: eight security version numbers whose places depend on the processor family.
// SEV-SNP Firmware ABI (56860) section 2.2; certificate SPLs: VCEK specification (57230) section 3.

import { CoreError } from "@adyton/core/errors";

/** Which order the eight bytes stand in: family 19h (Milan, Genoa) or family 1Ah (Turin, Venice). */
export type TcbLayout = "family19h" | "family1Ah";

/** Every byte's name. `spl4` to `spl7` are reserved bytes that certificates carry all the same. */
export type TcbByte = "fmc" | "bootloader" | "tee" | "snp" | "microcode" | "spl4" | "spl5" | "spl6" | "spl7";

/** Bytes 0 to 7 of TCB_VERSION by layout. */
export const TCB_BYTES: Readonly<Record<TcbLayout, readonly TcbByte[]>> = {
  family19h: ["bootloader", "tee", "spl4", "spl5", "spl6", "spl7", "snp", "microcode"],
  family1Ah: ["fmc", "bootloader", "tee", "snp", "spl5", "spl6", "spl7", "microcode"],
};

/** Security version numbers, 0 to 255 each; `fmc` on family 1Ah only. */
export interface TcbVersion {
  readonly fmc?: number;
  readonly bootloader: number;
  readonly tee: number;
  readonly snp: number;
  readonly microcode: number;
}

const SIZE = 8;

/** The named components of eight raw bytes. Reserved bytes are left out. */
export function parseTcbVersion(raw: Uint8Array, layout: TcbLayout): TcbVersion {
  const byte = (name: TcbByte): number => raw[TCB_BYTES[layout].indexOf(name)] ?? 0;
  const common = {
    bootloader: byte("bootloader"),
    tee: byte("tee"),
    snp: byte("snp"),
    microcode: byte("microcode"),
  };
  return layout === "family1Ah" ? { fmc: byte("fmc"), ...common } : common;
}

/** Eight raw bytes; a version with `fmc` is laid out for family 1Ah. Throws `OUT_OF_BOUNDS`. */
export function encodeTcbVersion(version: TcbVersion): Uint8Array {
  const layout = version.fmc === undefined ? "family19h" : "family1Ah";
  const raw = new Uint8Array(SIZE);
  for (const [index, name] of TCB_BYTES[layout].entries()) {
    const value = name.startsWith("spl") ? 0 : (version[name as keyof TcbVersion] ?? 0);
    if (!Number.isInteger(value) || value < 0 || value > 255) {
      throw new CoreError(
        "OUT_OF_BOUNDS",
        "misuse",
        `Cannot encode TCB version: ${name} is ${value}, expected 0 to 255`,
      );
    }
    raw[index] = value;
  }
  return raw;
}

/**
 * Names of the bytes in which `a` is lower than `b`. Component by component: comparing TCB_VERSION as one number
 * gives wrong answers.
 */
export function lowerTcbBytes(a: Uint8Array, b: Uint8Array, layout: TcbLayout): TcbByte[] {
  return TCB_BYTES[layout].filter((_, index) => (a[index] ?? 0) < (b[index] ?? 0));
}
