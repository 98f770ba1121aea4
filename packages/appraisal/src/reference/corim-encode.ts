// SPDX-License-Identifier: Apache-2.0
// Writes CoRIMs (draft-ietf-rats-corim-07), for whoever publishes reference values, and for tests of whoever reads them.

import { type Bytes, fromHex } from "@adyton/core/bytes";
import { type CborKey, CborTag, type CborValue, encodeCbor, isCborMap, parseCbor } from "@adyton/core/cbor";
import { protectedHeader, signedBytes } from "@adyton/core/cose";
import type { PrivateKey, SignatureAlgorithm } from "@adyton/core/crypto";
import { misuse } from "../errors.ts";
import {
  CLASS,
  COMID,
  CONTENT_TYPES,
  CORIM,
  DIGESTS,
  type DigestAlgorithm,
  ENVIRONMENT,
  FLAGS,
  type FlagName,
  HEADER,
  MEASUREMENT,
  META,
  SIGNER,
  TAG,
  TRIPLES,
  VALIDITY,
  VALUE,
  VERSION,
} from "./corim-labels.ts";

/** One measurement that is good, and what it is of. */
export interface CorimMeasurement {
  readonly vendor?: string;
  readonly model?: string;
  /** The measured element: text or a number. */
  readonly key?: string | number;
  readonly name?: string;
  readonly version?: string;
  readonly svn?: number;
  readonly minSvn?: number;
  /** In hex, by algorithm. */
  readonly digests?: readonly (readonly [algorithm: DigestAlgorithm, hex: string])[];
  readonly flags?: Readonly<Partial<Record<FlagName, boolean>>>;
  /** In hex. */
  readonly rawValue?: string;
}

export interface CorimTemplate {
  readonly id: string;
  readonly measurements: readonly CorimMeasurement[];
  /** A URI. */
  readonly profile?: string;
  readonly notBefore?: Date;
  readonly expires?: Date;
}

export interface CorimSigner {
  readonly key: PrivateKey;
  readonly algorithm: SignatureAlgorithm;
  readonly name: string;
  /** DER, the signer's own first. */
  readonly chain?: readonly Uint8Array[];
  /** Until when the signature holds. */
  readonly expires?: Date;
}

/** An unsigned CoRIM: tag 501, with one CoMID. Throws `INVALID_APPRAISAL_INPUT`, `INVALID_HEX`. */
export function encodeCorim(template: CorimTemplate): Bytes {
  const triples = template.measurements.map((one) => [
    members([
      [
        ENVIRONMENT.class,
        members([
          [CLASS.vendor, one.vendor],
          [CLASS.model, one.model],
        ]),
      ],
    ]),
    [
      members([
        [MEASUREMENT.key, one.key],
        [MEASUREMENT.value, measuredOf(one)],
      ]),
    ],
  ]);
  const comid = members([
    [COMID.identity, members([[0, `${template.id}/comid`]])],
    [COMID.triples, members([[TRIPLES.reference, triples]])],
  ]);
  const corim = members([
    [CORIM.id, template.id],
    [CORIM.tags, [new CborTag(TAG.comid, encodeCbor(comid))]],
    [CORIM.profile, template.profile === undefined ? undefined : new CborTag(TAG.uri, template.profile)],
    [CORIM.validity, validity(template)],
  ]);
  return encodeCbor(new CborTag(TAG.unsigned, corim));
}

/** A signed CoRIM (tag 18) around an unsigned one. Throws `UNSUPPORTED_ALGORITHM`. */
export async function signCorim(corim: Uint8Array, signer: CorimSigner): Promise<Bytes> {
  const { key, algorithm, name, chain, expires } = signer;
  const meta = members([
    [META.signer, members([[SIGNER.name, name]])],
    [META.validity, validity(expires === undefined ? {} : { expires })],
  ]);
  const base = parseCbor(protectedHeader(algorithm), "protected header");
  const header = encodeCbor(
    members([
      ...(isCborMap(base) ? base : []),
      [HEADER.contentType, CONTENT_TYPES[0]],
      [HEADER.meta, encodeCbor(meta)],
    ]),
  );
  const signature = await key.sign(algorithm, signedBytes(header, corim));
  const unprotected = members([[HEADER.x5chain, chain]]);
  return encodeCbor(new CborTag(TAG.sign1, [header, unprotected, corim, signature]));
}

function measuredOf(one: CorimMeasurement): CborValue {
  if (one.svn !== undefined && one.minSvn !== undefined)
    throw misuse("INVALID_APPRAISAL_INPUT", "Cannot write CoRIM: a measurement has one of svn and minSvn");
  const digests = one.digests?.map(([algorithm, hex]) => [
    DIGESTS.find(({ name }) => name === algorithm)?.id,
    fromHex(hex),
  ]);
  const flags = one.flags && members(FLAGS.map((name, label) => [label, one.flags?.[name]]));
  return members([
    [VALUE.version, one.version === undefined ? undefined : members([[VERSION.text, one.version]])],
    [VALUE.svn, one.minSvn === undefined ? one.svn : new CborTag(TAG.minSvn, one.minSvn)],
    [VALUE.digests, digests],
    [VALUE.flags, flags],
    [VALUE.raw, one.rawValue === undefined ? undefined : new CborTag(TAG.bytes, fromHex(one.rawValue))],
    [VALUE.name, one.name],
  ]);
}

function validity({ notBefore, expires }: Pick<CorimTemplate, "notBefore" | "expires">): CborValue {
  if (expires === undefined) {
    if (notBefore === undefined) return undefined;
    throw misuse("INVALID_APPRAISAL_INPUT", "Cannot write CoRIM: what has a beginning needs an end");
  }
  return members([
    [VALIDITY.notBefore, notBefore && epoch(notBefore)],
    [VALIDITY.notAfter, epoch(expires)],
  ]);
}

function epoch(date: Date): CborTag {
  return new CborTag(TAG.epoch, Math.floor(date.getTime() / 1000));
}

/** A map of what is there. */
function members(entries: Iterable<readonly [CborKey, CborValue]>): ReadonlyMap<CborKey, CborValue> {
  return new Map([...entries].filter(([, value]) => value !== undefined));
}
