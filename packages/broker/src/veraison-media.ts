// SPDX-License-Identifier: Apache-2.0
// Evidence as Veraison's clients send it: by media type, bare or in a conceptual message wrapper (CMW,
// draft-ietf-rats-msg-wrap), which is the pair of media type and value.

import { type SubmodPart, TRUST_CLAIMS, type TrustClaim } from "@adyton/appraisal";
import { concat, fromBase64Url, toUtf8 } from "@adyton/core/bytes";
import { type CborValue, isCborMap, parseCbor } from "@adyton/core/cbor";
import { isJsonObject, parseJson } from "@adyton/core/json";
import { type Envelope, SCHEMES, schemeOf, type TeeName } from "@adyton/evidence";
import { BrokerError } from "./errors.ts";
import { invalid } from "./protocol.ts";

const CCA = 'application/eat-collection; profile="http://arm.com/CCA-SSD/1.0.0"';
const TSM_JSON = "application/vnd.veraison.tsm-report+json";
const TSM_CBOR = "application/vnd.veraison.tsm-report+cbor";
/** Ours, for every TEE: its `primary_evidence` of the KBS protocol. */
const OWN = /^application\/vnd\.adyton\.evidence\.([a-z0-9-]+)\+json$/;
const CMW = /^application\/(?:vnd\.veraison\.)?cmw(\+cbor|\+json)?$/;

/** By the `provider` of a report of Linux' configfs-tsm: which TEE its `outblob` is of. */
const PROVIDERS: Readonly<Record<string, TeeName>> = { sev_guest: "snp", tdx_guest: "tdx" };

/** Every media type of evidence that is taken, wrappers apart. */
export const EVIDENCE_TYPES: readonly string[] = [
  CCA,
  TSM_CBOR,
  TSM_JSON,
  ...SCHEMES.map(({ tee }) => `application/vnd.adyton.evidence.${tee}+json`),
];

/** What Veraison calls attestation schemes, where it has one; for the others the TEE's name in capitals. */
export const SCHEME_NAMES: readonly string[] = SCHEMES.map(({ tee }) => schemeNameOf(tee));

export function schemeNameOf(tee: TeeName): string {
  if (tee === "cca") return "ARM_CCA";
  return tee === "snp" ? "SEVSNP" : tee.toUpperCase().replaceAll("-", "_");
}

/** The submodules of a result: Arm CCA's platform and realm stand apart in Veraison's, each with the claims about it. */
export function submodsOf(tee: TeeName): readonly SubmodPart[] {
  if (tee !== "cca") return [{ name: schemeNameOf(tee), claims: TRUST_CLAIMS }];
  const platform: readonly TrustClaim[] = ["instance-identity", "configuration", "hardware"];
  return [
    { name: "CCA_SSD_PLATFORM", claims: platform, evidence: ["cca", "platform"] },
    {
      name: "CCA_REALM",
      claims: TRUST_CLAIMS.filter((claim) => !platform.includes(claim)),
      evidence: ["cca", "realm"],
    },
  ];
}

/** Throws `UNSUPPORTED_MEDIA_TYPE`, `INVALID_REQUEST`, or why the bytes do not parse. */
export function evidenceOf(mediaType: string, body: Uint8Array): Envelope {
  const type = normal(mediaType);
  const wrapper = CMW.exec(type);
  if (wrapper === null) return bareEvidence(type, body);
  const [inner, value] = unwrapped(body, wrapper[1]);
  if (CMW.test(normal(inner))) throw invalid("a wrapper holds a wrapper");
  return bareEvidence(normal(inner), value);
}

function bareEvidence(type: string, body: Uint8Array): Envelope {
  if (type === CCA) return { tee: "cca", evidence: body };
  if (type === TSM_JSON) return tsmReport(membersOfJson(body));
  if (type === TSM_CBOR) return tsmReport(membersOfCbor(body));
  const scheme = SCHEMES.find(({ tee }) => tee === OWN.exec(type)?.[1]);
  if (scheme === undefined) {
    throw new BrokerError(
      "UNSUPPORTED_MEDIA_TYPE",
      "misuse",
      `Cannot take evidence of type ${JSON.stringify(type.slice(0, 200))}`,
      { hint: "Send one of the types that the session's accept names." },
    );
  }
  return { tee: scheme.tee, ...schemeOf(scheme.tee).fromKbs(parseJson(textOf(body))) };
}

interface TsmMembers {
  readonly provider: unknown;
  readonly outblob: Uint8Array | undefined;
  readonly auxblob: Uint8Array | undefined;
}

/** A report of configfs-tsm: AMD's certificate table comes as `auxblob`, behind the report in an extended one. */
function tsmReport({ provider, outblob, auxblob }: TsmMembers): Envelope {
  const tee =
    typeof provider === "string" && Object.hasOwn(PROVIDERS, provider) ? PROVIDERS[provider] : undefined;
  if (tee === undefined) throw invalid(`provider is none of ${Object.keys(PROVIDERS).join(", ")}`);
  if (outblob === undefined) throw invalid("outblob is missing");
  return { tee, evidence: tee === "snp" && auxblob !== undefined ? concat(outblob, auxblob) : outblob };
}

function membersOfJson(body: Uint8Array): TsmMembers {
  const value = parseJson(textOf(body));
  if (!isJsonObject(value)) throw invalid("the report is no JSON object");
  const blob = (name: string): Uint8Array | undefined => {
    const text = value[name];
    if (text === undefined || text === "") return undefined;
    if (typeof text !== "string") throw invalid(`${name} is no text`);
    return base64Of(name, text);
  };
  return { provider: value.provider, outblob: blob("outblob"), auxblob: blob("auxblob") };
}

function membersOfCbor(body: Uint8Array): TsmMembers {
  const value = cborOf(body);
  if (!isCborMap(value)) throw invalid("the report is no CBOR map");
  const blob = (name: string): Uint8Array | undefined => {
    const bytes = value.get(name);
    if (bytes === undefined || bytes === null) return undefined;
    if (!(bytes instanceof Uint8Array)) throw invalid(`${name} is no byte string`);
    return bytes.length === 0 ? undefined : bytes;
  };
  return { provider: value.get("provider"), outblob: blob("outblob"), auxblob: blob("auxblob") };
}

/** The record form, `[type, value, indicator?]`, in JSON or CBOR: without a suffix the first byte tells. */
function unwrapped(body: Uint8Array, suffix: string | undefined): readonly [string, Uint8Array] {
  // "[" of JSON; a CBOR array of two or three begins with 0x82 or 0x83.
  const isJson = suffix === "+json" || (suffix === undefined && body[0] === 0x5b);
  const record: unknown = isJson ? parseJson(textOf(body)) : cborOf(body);
  if (!Array.isArray(record) || record.length < 2 || record.length > 3)
    throw invalid("the wrapper is no record");
  const [type, value]: readonly unknown[] = record;
  if (typeof type !== "string") throw invalid("the wrapper's type is no media type");
  if (isJson && typeof value === "string") return [type, base64Of("the wrapper's value", value)];
  if (value instanceof Uint8Array) return [type, value];
  throw invalid("the wrapper's value is no byte string");
}

function cborOf(body: Uint8Array): CborValue {
  return parseCbor(body, "evidence");
}

function textOf(body: Uint8Array): string {
  try {
    return toUtf8(body);
  } catch {
    throw invalid("the evidence is no UTF-8");
  }
}

function base64Of(name: string, text: string): Uint8Array {
  try {
    return fromBase64Url(text.replace(/=+$/, ""));
  } catch {
    throw invalid(`${name} is no base64url`);
  }
}

/** One space after each semicolon; type and subtype in lower case (RFC 9110 section 8.3.1). */
function normal(mediaType: string): string {
  const [type = "", ...parameters] = mediaType.split(";").map((part) => part.trim());
  return [type.toLowerCase(), ...parameters].join("; ");
}
