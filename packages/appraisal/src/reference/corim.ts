// SPDX-License-Identifier: Apache-2.0
// CoRIM (draft-ietf-rats-corim-07): reference values that a supplier publishes, unsigned (tag 501) or as COSE_Sign1.
// The signature is checked before anything that it covers is read.

import { toHex } from "@adyton/core/bytes";
import { type CborMap, CborTag, type CborValue, encodeCbor, parseCbor } from "@adyton/core/cbor";
import { verifyChain } from "@adyton/core/chain";
import { parseSign1, type Sign1, verifySign1 } from "@adyton/core/cose";
import type { PublicKey } from "@adyton/core/crypto";
import { type Certificate, fingerprintOf, KEY_USAGE, parseCertificate, publicKeyOf } from "@adyton/core/x509";
import { AppraisalError } from "../errors.ts";
import { type ComidValue, readComid } from "./comid.ts";
import { CONTENT_TYPES, CORIM, CWT, HEADER, META, SIGNER, TAG } from "./corim-labels.ts";
import {
  bytesOf,
  invalid,
  listOf,
  mapOf,
  oidOf,
  onlyHas,
  textOf,
  timeOf,
  unsupported,
  type Validity,
  validityOf,
  withoutExtensions,
} from "./corim-parts.ts";
import { documentOf, sha256Of, unsigned, type VouchedValue, type Voucher } from "./voucher.ts";

/** Whom a caller trusts to say what is good. Empty: nobody. */
export interface ReferenceTrust {
  /** Keys whose signature is accepted. */
  readonly keys?: readonly PublicKey[];
  /** Roots of certificate chains in documents. Whoever they certify to sign is accepted; revocation is not checked. */
  readonly roots?: readonly Certificate[];
  /** Also accept documents that nobody signed. Default false. */
  readonly allowUnsigned?: boolean;
  /** Profiles (URI or dotted OID) known to leave the meaning of reference triples as it is. Others are refused. */
  readonly profiles?: readonly string[];
}

export interface CorimOptions extends ReferenceTrust {
  /** The time to read it for. */
  readonly at: Date;
}

interface Signer extends Pick<Voucher, "name" | "keyId" | "certificate"> {
  readonly validity: readonly Validity[];
}

const MAX_TAGS = 64;
const MAX_CHAIN = 5;
const MAX_VALUES = 10_000;

/**
 * The reference values of a CoRIM, each with who vouches for it. Every value under one id is an alternative; claims that
 * one measurement demands together come as values of several ids.
 * Throws `REFERENCE_UNSIGNED`, `REFERENCE_KEY_MISSING`, `REFERENCE_SIGNATURE`, `REFERENCE_EXPIRED`,
 * `REFERENCE_NOT_YET_VALID`, `INVALID_CORIM`, `UNSUPPORTED_CORIM`, `INVALID_APPRAISAL_INPUT`, and `CoreError`s about
 * CBOR, COSE, DER, size and certificates.
 */
export async function readCorim(bytes: Uint8Array, options: CorimOptions): Promise<VouchedValue[]> {
  const { at } = options;
  if (Number.isNaN(at.getTime())) {
    throw new AppraisalError("INVALID_APPRAISAL_INPUT", "misuse", "Cannot read CoRIM: the time is no date");
  }
  const received = documentOf(bytes, "CoRIM");
  const document = await sha256Of(received);
  const { sign1, payload } = openEnvelope(received);
  if (sign1 === undefined && options.allowUnsigned !== true) throw unsigned("CoRIM");
  const signer = sign1 === undefined ? undefined : await verifySigner(sign1, options);
  const corim = mapOf(payload ?? payloadOf(sign1), "CoRIM");
  checkProfile(corim.get(CORIM.profile), options.profiles ?? []);
  const profiled = corim.has(CORIM.profile);
  onlyHas(profiled ? withoutExtensions(corim) : corim, CORIM, "CoRIM");
  const bounds = [validityOf(corim.get(CORIM.validity), "CoRIM, validity"), ...(signer?.validity ?? [])];
  const validity = intersected(bounds);
  checkTime(validity, at);
  const { name, keyId, certificate } = signer ?? {};
  const voucher: Voucher = {
    kind: "corim",
    ...(name === undefined ? {} : { name }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(certificate === undefined ? {} : { certificate }),
    document,
    verified: signer !== undefined,
  };
  return valuesOf(corim, profiled).map(({ id, value }) => ({ id, value, voucher, ...validity }));
}

/** What stands inside the tags: a COSE_Sign1, or the payload of an unsigned CoRIM. */
function openEnvelope(bytes: Uint8Array): { readonly sign1?: Sign1; readonly payload?: CborValue } {
  let value = parseCbor(bytes, "CoRIM");
  if (isTag(value, TAG.corim)) value = value.value;
  if (isTag(value, TAG.unsigned)) return { payload: value.value };
  if (isTag(value, TAG.signed)) value = value.value;
  if (!isTag(value, TAG.sign1)) throw invalid("envelope", "neither tag 501 nor tag 18");
  return { sign1: parseSign1(encodeCbor(value), "CoRIM") };
}

/** The payload of a signature that was verified; drafts before -05 left its tag away. */
function payloadOf(sign1: Sign1 | undefined): CborValue {
  if (sign1 === undefined) return undefined;
  const payload = parseCbor(sign1.payload, "CoRIM, payload");
  return isTag(payload, TAG.unsigned) ? payload.value : payload;
}

/** Throws unless a trusted key, or one that a trusted root certifies, made the signature. */
async function verifySigner(sign1: Sign1, options: CorimOptions): Promise<Signer> {
  const { keys = [], roots = [] } = options;
  if (keys.length === 0 && roots.length === 0) {
    throw new AppraisalError(
      "REFERENCE_KEY_MISSING",
      "endorsements",
      "Cannot verify CoRIM: it is signed, and no key or root to verify it with was given",
      { hint: "Give the public key of the supplier, or the root of its certificate chain." },
    );
  }
  for (const key of keys) {
    if (await verifySign1(sign1, key)) {
      return { keyId: await sha256Of(key.spki), ...readHeader(sign1) };
    }
  }
  const chain = roots.length === 0 ? [] : chainOf(sign1);
  const [leaf] = chain;
  if (leaf === undefined) throw notSigned(`none of the ${keys.length} trusted keys made its signature`);
  // The chain first: who is not certified has nothing to say.
  await verifyChain({ leaf, pool: chain, anchors: roots, at: options.at, crls: "unchecked" });
  if (leaf.isCa || leaf.keyUsage?.has(KEY_USAGE.digitalSignature) === false)
    throw notSigned("its certificate is none for signing documents");
  if (!(await verifySign1(sign1, await publicKeyOf(leaf))))
    throw notSigned("the key of its certificate did not make its signature");
  const header = readHeader(sign1);
  return {
    keyId: await sha256Of(leaf.spki),
    certificate: await fingerprintOf(leaf),
    ...header,
    validity: [...header.validity, { notBefore: leaf.notBefore, expires: leaf.notAfter }],
  };
}

/** x5chain (RFC 9360 section 2), from either header: one certificate, or several, the signer's first. */
function chainOf(sign1: Sign1): Certificate[] {
  const header = protectedOf(sign1);
  if (header.has(HEADER.x5chain) && sign1.unprotected.has(HEADER.x5chain))
    throw invalid("x5chain", "one in each header");
  const value = header.get(HEADER.x5chain) ?? sign1.unprotected.get(HEADER.x5chain);
  if (value === undefined) return [];
  const list = value instanceof Uint8Array ? [value] : listOf(value, "x5chain");
  if (list.length > MAX_CHAIN) throw invalid("x5chain", `${list.length} certificates`);
  return list.map((item) => parseCertificate(bytesOf(item, "x5chain")));
}

/** Who says to have signed, and until when that holds. Read once the signature is verified. */
function readHeader(sign1: Sign1): Pick<Signer, "name" | "validity"> {
  const header = protectedOf(sign1);
  const type = header.get(HEADER.contentType);
  if (typeof type !== "string" || !CONTENT_TYPES.includes(type))
    throw invalid("protected header", "another content type than application/rim+cbor");
  const names: string[] = [];
  const validity: Validity[] = [];
  if (header.has(HEADER.meta)) {
    const bytes = bytesOf(header.get(HEADER.meta), "corim-meta");
    const meta = mapOf(parseCbor(bytes, "CoRIM, corim-meta"), "corim-meta");
    onlyHas(meta, META, "corim-meta");
    const signer = mapOf(meta.get(META.signer), "corim-meta, signer");
    names.push(textOf(signer.get(SIGNER.name), "corim-meta, signer name"));
    validity.push(validityOf(meta.get(META.validity), "corim-meta, validity"));
  }
  if (header.has(HEADER.cwtClaims)) {
    const claims = mapOf(header.get(HEADER.cwtClaims), "CWT claims");
    names.push(textOf(claims.get(CWT.issuer), "CWT claims, issuer"));
    if (claims.has(CWT.expires)) validity.push({ expires: timeOf(claims.get(CWT.expires), "CWT claims") });
    if (claims.has(CWT.notBefore))
      validity.push({ notBefore: timeOf(claims.get(CWT.notBefore), "CWT claims") });
  }
  const [name] = names;
  return name === undefined ? { validity } : { name, validity };
}

function protectedOf(sign1: Sign1): CborMap {
  return mapOf(parseCbor(sign1.protectedBytes, "CoRIM, protected header"), "protected header");
}

/** A profile may change what triples mean (section 4.1.4). */
function checkProfile(value: CborValue, profiles: readonly string[]): void {
  if (value === undefined) return;
  const profile = isTag(value, TAG.oid)
    ? oidOf(value.value, "profile")
    : textOf(isTag(value, TAG.uri) ? value.value : value, "profile");
  if (!profiles.includes(profile)) throw unsupported("profile", profile.slice(0, 200));
}

function valuesOf(corim: CborMap, extensions: boolean): ComidValue[] {
  const tags = listOf(corim.get(CORIM.tags), "CoRIM, tags");
  if (tags.length > MAX_TAGS) throw invalid("CoRIM, tags", `${tags.length} tags`);
  const origins = new Map<string, string>();
  const values = tags.flatMap((tag) => readComid(comidBytes(tag), extensions));
  if (values.length === 0) throw unsupported("CoRIM, tags", "no reference value");
  if (values.length > MAX_VALUES) throw unsupported("CoRIM, tags", `${values.length} values`);
  for (const { id, origin } of values) {
    // One id for two things would accept the values of one for the other.
    if ((origins.get(id) ?? origin) !== origin)
      throw unsupported("CoRIM, tags", `two measurements named ${id}`);
    origins.set(id, origin);
  }
  return values;
}

/** Tag 506 around bytes, or, in drafts before -05, bytes that begin with it. Both are told from other tags. */
function comidBytes(tag: CborValue): Uint8Array {
  if (isTag(tag, TAG.comid)) return bytesOf(tag.value, "CoRIM, tag");
  if (tag instanceof CborTag) throw unsupported("CoRIM, tags", `tag ${tag.tag}`);
  const bytes = bytesOf(tag, "CoRIM, tag");
  if (toHex(bytes.subarray(0, 3)) !== "d901fa") throw unsupported("CoRIM, tags", "another tag than CoMID");
  return bytes;
}

function intersected(bounds: readonly Validity[]): Validity {
  const starts = bounds.flatMap(({ notBefore }) => (notBefore === undefined ? [] : [notBefore.getTime()]));
  const ends = bounds.flatMap(({ expires }) => (expires === undefined ? [] : [expires.getTime()]));
  return {
    ...(starts.length === 0 ? {} : { notBefore: new Date(Math.max(...starts)) }),
    ...(ends.length === 0 ? {} : { expires: new Date(Math.min(...ends)) }),
  };
}

function checkTime({ notBefore, expires }: Validity, at: Date): void {
  if (notBefore !== undefined && at < notBefore) {
    throw new AppraisalError(
      "REFERENCE_NOT_YET_VALID",
      "endorsements",
      `Cannot use CoRIM: it is valid from ${notBefore.toISOString()}`,
    );
  }
  if (expires !== undefined && at >= expires) {
    throw new AppraisalError(
      "REFERENCE_EXPIRED",
      "endorsements",
      `Cannot use CoRIM: it was valid until ${expires.toISOString()}`,
      { hint: "Get a current one from the supplier." },
    );
  }
}

function notSigned(why: string): AppraisalError {
  return new AppraisalError("REFERENCE_SIGNATURE", "not-authentic", `Cannot verify CoRIM: ${why}`, {
    hint: "Check that the document is the supplier's, and that the key or root given is too.",
  });
}

function isTag(value: CborValue, tag: number): value is CborTag {
  return value instanceof CborTag && value.tag === tag;
}
