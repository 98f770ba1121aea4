// SPDX-License-Identifier: Apache-2.0
// What manufacturers and clouds left in a TPM's non-volatile memory: TPM2_NV_ReadPublic and TPM2_NV_Read. TPM 2.0 Library
// 1.59, part 3, sections 31.6 and 31.13; TCG EK Credential Profile 2.5, section 2.2.1.

import { concat } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { tpmProperties } from "./capability.ts";
import type { Tpm } from "./connection.ts";
import { COMMAND, HANDLE } from "./constants.ts";
import { asResponse, invalidResponse, unsuitable } from "./error.ts";
import { hex, isRefusal, NO_AUTH } from "./frame.ts";
import { readSized } from "./keys.ts";

/** What an NV index is. */
export interface NvArea {
  readonly index: number;
  /** TPMA_NV. */
  readonly attributes: number;
  /** Bytes. */
  readonly size: number;
}

/** Masks of TPMA_NV, part 2, section 13.4. */
const ATTRIBUTE = { ownerRead: 0x20000, authRead: 0x40000, written: 0x20000000 } as const;
const READ_PUBLIC = "TPM2_NV_ReadPublic";
const READ = "TPM2_NV_Read";
/** So that a response fits into what the kernel passes on. */
const MAX_CHUNK = 2048;

/** The bytes of an NV index, undefined where there is none or nothing was written. Throws as `Tpm.run`. */
export async function readNv(tpm: Tpm, index: number): Promise<Uint8Array | undefined> {
  const area = await nvArea(tpm, index);
  if (area === undefined || (area.attributes & ATTRIBUTE.written) === 0) return undefined;
  const authority = authorityOf(area);
  const chunk = Math.min((await tpmProperties(tpm)).nvBuffer, MAX_CHUNK);
  if (chunk === 0) throw invalidResponse(READ, "the TPM reads no bytes at a time");
  const parts: Uint8Array[] = [];
  for (let offset = 0; offset < area.size; offset += chunk) {
    parts.push(await readChunk(tpm, authority, index, Math.min(chunk, area.size - offset), offset));
  }
  return concat(...parts);
}

/** What an NV index is, undefined where there is none. */
export async function nvArea(tpm: Tpm, index: number): Promise<NvArea | undefined> {
  const response = await tpm
    .run({ name: READ_PUBLIC, code: COMMAND.nvReadPublic, handles: [index] })
    .catch((error: unknown) => {
      if (isRefusal(error, "TPM_RC_HANDLE")) return undefined;
      throw error;
    });
  return response === undefined ? undefined : parseNvArea(response.parameters, index);
}

/** The parameters of TPM2_NV_ReadPublic's response. Throws `INVALID_TPM_RESPONSE`. */
export function parseNvArea(parameters: Uint8Array, expected: number): NvArea {
  return asResponse(READ_PUBLIC, () => {
    const outer = new Reader(parameters, READ_PUBLIC);
    const reader = outer.sub(outer.u16be("size of nvPublic"), READ_PUBLIC);
    readSized(outer, "nvName");
    outer.end();
    const index = reader.u32be("nvIndex");
    if (index !== expected)
      throw invalidResponse(READ_PUBLIC, `index ${hex(index)}, expected ${hex(expected)}`);
    reader.u16be("nameAlg");
    const attributes = reader.u32be("attributes");
    readSized(reader, "authPolicy");
    const size = reader.u16be("dataSize");
    reader.end();
    return { index, attributes, size };
  });
}

async function readChunk(
  tpm: Tpm,
  authority: number,
  index: number,
  size: number,
  offset: number,
): Promise<Uint8Array> {
  const { parameters } = await tpm.run({
    name: READ,
    code: COMMAND.nvRead,
    handles: [authority, index],
    authorizations: [NO_AUTH],
    parameters: new Writer(4).u16be(size).u16be(offset).finish(),
  });
  return asResponse(READ, () => {
    const reader = new Reader(parameters, READ);
    const data = readSized(reader, "data");
    reader.end();
    if (data.length !== size) throw invalidResponse(READ, `${data.length} bytes, expected ${size}`);
    return data;
  });
}

/** Whose leave it takes: the index's own, which needs no secret of the machine, or the owner's. */
function authorityOf({ index, attributes }: NvArea): number {
  if (attributes & ATTRIBUTE.authRead) return index;
  if (attributes & ATTRIBUTE.ownerRead) return HANDLE.owner;
  throw unsuitable(`NV index ${hex(index)} may be read neither by itself nor by the owner`, {
    index,
    attributes,
  });
}
