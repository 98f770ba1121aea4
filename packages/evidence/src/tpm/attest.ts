// SPDX-License-Identifier: Apache-2.0
// What a TPM says and signs: TPMS_ATTEST of a quote and TPMT_SIGNATURE. TPM 2.0 Library 1.59, part 2: sections 10.12.12
// (attest), 10.6.2 (PCR selection) and 11.3.4 (signature). Integers are big-endian.

import { type Bytes, concat } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import { ALGORITHM, hashOfId, idOfHash, type TpmHash } from "./algorithms.ts";
import { asStructure, invalidStructure } from "./error.ts";

/** The PCRs of one bank that a quote is about. */
export interface PcrSelection {
  readonly hash: TpmHash;
  /** Ascending. */
  readonly indices: readonly number[];
}

/** What a quote says. */
export interface QuoteAttest {
  /** The key's qualified name: name algorithm and digest over its ancestors' names. */
  readonly qualifiedSigner: Uint8Array;
  /** The nonce that the caller gave, at most 64 bytes. */
  readonly extraData: Uint8Array;
  /** Milliseconds that the TPM was powered. */
  readonly clock: bigint;
  readonly resetCount: number;
  readonly restartCount: number;
  /** The clock has not been set back to a value that was told before. */
  readonly safe: boolean;
  /** Vendor-specific. */
  readonly firmwareVersion: bigint;
  readonly selection: readonly PcrSelection[];
  /** Over the selected PCRs' values, by the hash of the signature. */
  readonly pcrDigest: Uint8Array;
}

export interface TpmSignature {
  readonly scheme: "RSASSA" | "RSAPSS" | "ECDSA";
  readonly hash: TpmHash;
  /** RSA: the signature. ECDSA: r and s, each without a fixed length. */
  readonly values: readonly Uint8Array[];
}

const TPM_GENERATED = 0xff544347;
const ST_ATTEST_QUOTE = 0x8018;
const MAX_EXTRA_DATA = 64;
const MAX_SELECTIONS = 16;
/** Most bytes of a PCR bitmap: PC clients have three, for 24 PCRs. */
const MAX_BITMAP = 4;
const SCHEMES: Readonly<Record<number, TpmSignature["scheme"]>> = {
  [ALGORITHM.rsassa]: "RSASSA",
  [ALGORITHM.rsapss]: "RSAPSS",
  [ALGORITHM.ecdsa]: "ECDSA",
};
const SCHEME_ID: Readonly<Record<TpmSignature["scheme"], number>> = {
  RSASSA: ALGORITHM.rsassa,
  RSAPSS: ALGORITHM.rsapss,
  ECDSA: ALGORITHM.ecdsa,
};

/** Parses the TPMS_ATTEST of a quote. Throws `INVALID_TPM_STRUCTURE`, also for other attestations. */
export function parseQuoteAttest(bytes: Uint8Array): QuoteAttest {
  return asStructure(() => {
    const reader = new Reader(bytes, "TPM quote");
    const magic = reader.u32be("magic");
    if (magic !== TPM_GENERATED)
      throw invalidStructure("TPM quote", `magic is ${hex(magic)}, expected ff544347h`);
    const type = reader.u16be("type");
    if (type !== ST_ATTEST_QUOTE)
      throw invalidStructure("TPM quote", `type is ${hex(type)}, expected 8018h (quote)`);
    const qualifiedSigner = sized(reader, "qualifiedSigner");
    const extraData = sized(reader, "extraData");
    if (extraData.length > MAX_EXTRA_DATA) {
      throw invalidStructure(
        "TPM quote",
        `extraData has ${extraData.length} bytes, at most ${MAX_EXTRA_DATA} are read`,
      );
    }
    const clock = reader.u64be("clock");
    const resetCount = reader.u32be("resetCount");
    const restartCount = reader.u32be("restartCount");
    const safe = yesNo(reader.u8("safe"));
    const firmwareVersion = reader.u64be("firmwareVersion");
    const selection = parseSelection(reader);
    const pcrDigest = sized(reader, "pcrDigest");
    reader.end();
    return {
      qualifiedSigner,
      extraData,
      clock,
      resetCount,
      restartCount,
      safe,
      firmwareVersion,
      selection,
      pcrDigest,
    };
  });
}

/** The bytes of a quote's TPMS_ATTEST. PCR bitmaps have three bytes, as PC clients write them. */
export function encodeQuoteAttest(attest: QuoteAttest): Bytes {
  const selections = attest.selection.map(({ hash, indices }) => {
    const bitmap = new Uint8Array(3);
    for (const index of indices) bitmap[index >> 3] = (bitmap[index >> 3] ?? 0) | (1 << (index & 7));
    return concat(new Writer(3).u16be(idOfHash(hash)).u8(bitmap.length).finish(), bitmap);
  });
  return concat(
    new Writer(6).u32be(TPM_GENERATED).u16be(ST_ATTEST_QUOTE).finish(),
    encodeSized(attest.qualifiedSigner),
    encodeSized(attest.extraData),
    u64be(attest.clock),
    new Writer(9)
      .u32be(attest.resetCount)
      .u32be(attest.restartCount)
      .u8(attest.safe ? 1 : 0)
      .finish(),
    u64be(attest.firmwareVersion),
    new Writer(4).u32be(selections.length).finish(),
    ...selections,
    encodeSized(attest.pcrDigest),
  );
}

/** Parses a TPMT_SIGNATURE by RSA or ECDSA. Throws `INVALID_TPM_STRUCTURE`. */
export function parseTpmSignature(bytes: Uint8Array): TpmSignature {
  return asStructure(() => {
    const reader = new Reader(bytes, "TPM signature");
    const id = reader.u16be("sigAlg");
    const scheme = SCHEMES[id];
    if (scheme === undefined) {
      throw invalidStructure("TPM signature", `scheme is ${hex(id)}, expected RSASSA, RSAPSS or ECDSA`, {
        found: id,
      });
    }
    const hashId = reader.u16be("hash");
    const hash = hashOfId(hashId);
    if (hash === undefined)
      throw invalidStructure("TPM signature", `hash ${hex(hashId)} is unknown`, { found: hashId });
    const values =
      scheme === "ECDSA" ? [sized(reader, "r"), sized(reader, "s")] : [sized(reader, "signature")];
    reader.end();
    return { scheme, hash, values };
  });
}

/** The bytes of a TPMT_SIGNATURE. */
export function encodeTpmSignature({ scheme, hash, values }: TpmSignature): Bytes {
  const head = new Writer(4).u16be(SCHEME_ID[scheme]).u16be(idOfHash(hash)).finish();
  return concat(head, ...values.map(encodeSized));
}

/** A TPM2B: a 16-bit size and as many bytes. */
export function sized(reader: Reader, field: string): Uint8Array {
  return reader.bytes(reader.u16be(`size of ${field}`), field);
}

export function encodeSized(bytes: Uint8Array): Bytes {
  return concat(new Writer(2).u16be(bytes.length).finish(), bytes);
}

function parseSelection(reader: Reader): PcrSelection[] {
  const count = reader.u32be("pcrSelect.count");
  if (count > MAX_SELECTIONS) {
    throw invalidStructure("TPM quote", `${count} PCR selections, at most ${MAX_SELECTIONS}`, {
      found: count,
    });
  }
  return Array.from({ length: count }, () => {
    const id = reader.u16be("PCR bank");
    const hash = hashOfId(id);
    if (hash === undefined)
      throw invalidStructure("TPM quote", `PCR bank ${hex(id)} is unknown`, { found: id });
    const size = reader.u8("sizeofSelect");
    if (size > MAX_BITMAP)
      throw invalidStructure("TPM quote", `a PCR bitmap of ${size} bytes`, { found: size });
    const bitmap = reader.bytes(size, "pcrSelect");
    const indices = Array.from({ length: 8 * size }, (_, i) => i);
    return { hash, indices: indices.filter((i) => ((bitmap[i >> 3] ?? 0) >> (i & 7)) & 1) };
  });
}

/** TPMI_YES_NO: nothing between. */
function yesNo(value: number): boolean {
  if (value > 1) throw invalidStructure("TPM quote", `safe is ${value}, expected 0 or 1`);
  return value === 1;
}

function u64be(value: bigint): Bytes {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
}

function hex(value: number): string {
  return `${value.toString(16).padStart(4, "0")}h`;
}
