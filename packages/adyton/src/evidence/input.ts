// SPDX-License-Identifier: Apache-2.0
// Evidence in whatever form it comes: raw, hex, base64, our envelope or the KBS protocol's JSON.

import { type Bytes, fromBase64, fromBase64Url, fromHex, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { detectTee, isTeeName, SCHEMES, schemeOf, type TeeName } from "@adyton/evidence";
import { type Endorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { CliError, misuse } from "../errors.ts";

export interface EvidenceInput {
  readonly tee: TeeName;
  readonly evidence: Uint8Array;
  /** What travelled with the evidence. */
  readonly endorsements: Endorsements;
  /** That came along with it. */
  readonly eventLog?: Uint8Array;
}

/**
 * Tells form and TEE of `bytes`. `named` wins over detection. Throws `UNKNOWN_ENCODING` when the form is unknown,
 * `UNKNOWN_EVIDENCE` when the TEE is.
 */
export function readEvidence(bytes: Uint8Array, named: TeeName | undefined): EvidenceInput {
  if (bytes.length === 0) throw unknownForm("it is empty");
  const text = printableText(bytes);
  if (text === undefined) return ofBytes(bytes, named);
  if (!text.startsWith("{")) return ofBytes(decodeText(text), named);
  // A software TEE's evidence is itself JSON.
  const whole = SCHEMES.find((scheme) => scheme.detect(bytes));
  if (whole !== undefined && (named === undefined || named === whole.tee)) return ofBytes(bytes, named);
  return readJson(parseJson(text), named);
}

function ofBytes(
  evidence: Uint8Array,
  named: TeeName | undefined,
  endorsements: Endorsements = NO_ENDORSEMENTS,
  eventLog?: Uint8Array,
): EvidenceInput {
  const input = { tee: named ?? detectTee(evidence), evidence, endorsements };
  return eventLog === undefined ? input : { ...input, eventLog };
}

function readJson(value: JsonValue, named: TeeName | undefined): EvidenceInput {
  if (!isJsonObject(value)) throw unknownForm("its JSON is no object");
  const wrapped = value["tee-evidence"] ?? value.primary_evidence;
  if (isJsonObject(wrapped)) return readJson(wrapped, named);
  if (typeof value.tee === "string" && typeof value.evidence === "string") return readEnvelope(value, named);
  return readKbs(value, named);
}

function readEnvelope(value: JsonObject, named: TeeName | undefined): EvidenceInput {
  const tee = value.tee as string;
  if (!isTeeName(tee)) throw unknownForm(`its envelope names the unknown TEE ${JSON.stringify(tee)}`);
  if (named !== undefined && named !== tee) {
    throw misuse("INVALID_VALUE", `Cannot read evidence as ${named}: its envelope says ${tee}`);
  }
  return ofBytes(decodeText(value.evidence as string), tee);
}

/** Each scheme is asked whether it knows the members; two may (SGX and TDX both say `quote`), so the bytes decide. */
function readKbs(value: JsonObject, named: TeeName | undefined): EvidenceInput {
  const schemes = named === undefined ? SCHEMES : [schemeOf(named)];
  let reason: AdytonError | undefined;
  for (const scheme of schemes) {
    try {
      const { evidence, endorsements, eventLog } = scheme.fromKbs(value);
      if (named !== undefined || scheme.detect(evidence)) {
        return ofBytes(evidence, scheme.tee, endorsements, eventLog);
      }
    } catch (error) {
      if (!(error instanceof AdytonError)) throw error;
      reason = error;
    }
  }
  if (named !== undefined && reason !== undefined) throw reason;
  throw unknownForm("its JSON is neither an envelope nor KBS primary evidence of a known TEE", reason);
}

/** Hex (either case, optional 0x) or base64 (either alphabet, padding optional); white space is ignored. */
function decodeText(text: string): Bytes {
  const digits = text.replace(/\s+/g, "");
  if (/^(0[xX])?([0-9a-fA-F]{2})+$/.test(digits)) return fromHex(digits.replace(/^0[xX]/, ""));
  const bare = digits.replace(/=+$/, "");
  try {
    return /[-_]/.test(bare)
      ? fromBase64Url(bare)
      : fromBase64(bare.padEnd(Math.ceil(bare.length / 4) * 4, "="));
  } catch (cause) {
    throw unknownForm("it is text, but neither hex nor base64 nor JSON", cause);
  }
}

/** The text, trimmed, when every byte is printable ASCII or white space; no raw evidence is. */
function printableText(bytes: Uint8Array): string | undefined {
  const textual = bytes.every((b) => (b >= 0x20 && b < 0x7f) || b === 0x0a || b === 0x0d || b === 0x09);
  if (textual) return toUtf8(bytes).trim();
  // JSON may hold UTF-8. Evidence that begins with random bytes may begin with a brace, too.
  if (bytes[0] !== 0x7b) return undefined;
  try {
    return toUtf8(bytes).trim();
  } catch (error) {
    if (SCHEMES.some((scheme) => scheme.detect(bytes))) return undefined;
    throw error;
  }
}

function unknownForm(why: string, cause?: unknown): CliError {
  return new CliError("UNKNOWN_ENCODING", "malformed", `Cannot read the evidence: ${why}`, {
    hint: "Give raw bytes, hex, base64, {tee, evidence} or KBS primary evidence.",
    ...(cause === undefined ? {} : { cause }),
  });
}
