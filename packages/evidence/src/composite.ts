// SPDX-License-Identifier: Apache-2.0
// A processor and its devices, verified together: the processor's evidence binds nonce, key and everything that the devices
// say; each device's evidence binds nonce and key (Confidential Containers, KBS protocol 0.4.0).

import { toHex } from "@adyton/core/bytes";
import { type VerifyingCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { canonicalJson, isJsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { mergeEndorsements, NO_ENDORSEMENTS } from "./bag.ts";
import { deviceReportDataOf, type RuntimeData, reportDataOf } from "./binding.ts";
import { type Envelope, isTeeName, type TeeName } from "./envelope.ts";
import { EvidenceError } from "./errors.ts";
import { schemeOf, verifyEvidence } from "./registry.ts";
import type { VerifyOptions } from "./scheme.ts";
import type { VerifiedEvidence } from "./verified.ts";

/** One piece of evidence with what travelled beside it. */
export type CompositePart = Pick<Envelope, "tee" | "evidence" | "endorsements" | "eventLog">;

/** What a workload on a processor with devices presents. */
export interface CompositeEvidence {
  readonly primary: CompositePart;
  /** Nonce and key, and the devices' evidence as the text that was sent: "" when there is none. */
  readonly runtimeData: RuntimeData;
}

export type CompositeOptions = Omit<VerifyOptions, "reportData">;

/** Everything that was presented together, all of it authentic and bound to one nonce and one key. */
export interface VerifiedComposite {
  /** The processor's. */
  readonly primary: VerifiedEvidence;
  /** In the order in which they were sent. */
  readonly devices: readonly VerifiedEvidence[];
  /** All of it by sub-module: cpu0, gpu0, gpu1…, switch0…. */
  readonly parts: Readonly<Record<string, VerifiedEvidence>>;
}

/** Processor included, as many as one attestation result takes. */
const MAX_PARTS = 32;
const MAX_TEXT = 8 * 1024 * 1024;
const DEFAULT_WIDTH = 64;

/**
 * Verifies the processor's evidence and that of every device in `runtimeData.additionalEvidence`, each with its own
 * scheme. The devices are read from the very text that the processor's evidence binds.
 *
 * Throws what the first part that is refused is refused with, `INVALID_COMPOSITE`, or
 * `DUPLICATE_DEVICE`.
 */
export async function verifyComposite(
  { primary, runtimeData }: CompositeEvidence,
  options: CompositeOptions,
): Promise<VerifiedComposite> {
  const { crypto = verifyingCrypto } = options;
  const sent = parseAdditionalEvidence(runtimeData.additionalEvidence);
  const processor = await verifyPart(primary, options, await bindingOf(primary.tee, runtimeData, crypto));
  if (isDevice(processor)) {
    throw mismatch(`the primary evidence is a ${processor.kind}'s, expected a processor's`);
  }
  const devices: VerifiedEvidence[] = [];
  for (const part of sent) {
    const { reportDataWidth = DEFAULT_WIDTH, runtimeDataHash } = schemeOf(part.tee);
    const binding = await deviceReportDataOf(runtimeData, crypto, reportDataWidth, runtimeDataHash);
    const device = await verifyPart(part, options, binding);
    if (!isDevice(device)) throw mismatch(`the additional evidence of ${part.tee} is no device's`);
    devices.push(device);
  }
  await refuseTwins(devices, sent, crypto);
  const all = [processor, ...devices];
  const names = partNamesOf(all);
  return Object.freeze({
    primary: processor,
    devices: Object.freeze(devices),
    parts: Object.freeze(Object.fromEntries(all.map((part, i) => [names[i] as string, part]))),
  });
}

/**
 * The devices in a protocol's `additional_evidence`: a JSON map of TEE name to that TEE's evidence, or "" for none.
 * Throws `INVALID_COMPOSITE`, `UNSUPPORTED_TEE`, `INVALID_JSON`, or why a device's part does not parse.
 */
export function parseAdditionalEvidence(text: string): CompositePart[] {
  if (text === "") return [];
  if (text.length > MAX_TEXT) throw invalid(`${text.length} characters`, `at most ${MAX_TEXT}`);
  const map = parseJson(text);
  if (!isJsonObject(map)) throw invalid("no JSON object", "a map of TEE to evidence");
  const parts: CompositePart[] = [];
  for (const [tee, value] of Object.entries(map)) {
    if (!isTeeName(tee)) throw invalid(`evidence of ${JSON.stringify(tee.slice(0, 32))}`, "a known TEE");
    const scheme = schemeOf(tee);
    for (const one of scheme.split?.(value) ?? [value]) {
      if (parts.length === MAX_PARTS - 1) throw invalid("more devices", `at most ${MAX_PARTS - 1}`);
      parts.push({ tee, ...scheme.fromKbs(one) });
    }
  }
  return parts;
}

/**
 * Inverse of `parseAdditionalEvidence`, for evidence whose JSON is one map of TEE to one value: where a TEE comes more
 * than once, its values must be objects that hold one list each, which are joined. Throws `INVALID_COMPOSITE`.
 */
export function encodeAdditionalEvidence(parts: readonly CompositePart[]): string {
  if (parts.length === 0) return "";
  const map = new Map<TeeName, JsonValue>();
  for (const { tee, ...carried } of parts) {
    const value = schemeOf(tee).toKbs(carried);
    const known = map.get(tee);
    map.set(tee, known === undefined ? value : joined(known, value));
  }
  return canonicalJson(Object.fromEntries(map));
}

/** Sub-module names, as Trustee gives them: what speaks, and a count among its like. */
export function partNamesOf(all: readonly Pick<VerifiedEvidence, "kind">[]): readonly string[] {
  const counts = new Map<string, number>();
  return all.map(({ kind = "cpu" }) => {
    const count = counts.get(kind) ?? 0;
    counts.set(kind, count + 1);
    return `${kind}${count}`;
  });
}

async function verifyPart(
  { tee, evidence, endorsements, eventLog }: CompositePart,
  options: CompositeOptions,
  reportData: Uint8Array,
): Promise<VerifiedEvidence> {
  const { endorsements: given = NO_ENDORSEMENTS } = options;
  return verifyEvidence(evidence, {
    ...options,
    tee,
    ...(eventLog === undefined ? {} : { eventLog }),
    // The caller's own bag where nothing has to be added: caches know bags by identity.
    endorsements: endorsements === undefined ? given : mergeEndorsements(endorsements, given),
    reportData,
  });
}

async function bindingOf(tee: TeeName, data: RuntimeData, crypto: VerifyingCrypto): Promise<Uint8Array> {
  const { reportDataWidth = DEFAULT_WIDTH, runtimeDataHash } = schemeOf(tee);
  const digest = await reportDataOf(data, crypto, runtimeDataHash);
  return digest.subarray(0, reportDataWidth);
}

function isDevice({ kind = "cpu" }: VerifiedEvidence): boolean {
  return kind !== "cpu";
}

/** One device may answer twice, and must not count twice. */
async function refuseTwins(
  devices: readonly VerifiedEvidence[],
  sent: readonly CompositePart[],
  crypto: VerifyingCrypto,
): Promise<void> {
  const seen = new Set<string>();
  for (const [i, { tee, device }] of devices.entries()) {
    const id = device ?? toHex(await crypto.digest("SHA-256", sent[i]?.evidence ?? new Uint8Array()));
    if (seen.has(`${tee} ${id}`)) {
      throw new EvidenceError(
        "DUPLICATE_DEVICE",
        "not-authentic",
        `Cannot accept composite evidence: the same device of TEE ${tee} is there twice`,
        { detail: { tee, device: id } },
      );
    }
    seen.add(`${tee} ${id}`);
  }
}

/** Two objects with the same one member, a list: both lists in it. */
function joined(a: JsonValue, b: JsonValue): JsonValue {
  const [first, second] = [a, b].map((each) => (isJsonObject(each) ? Object.entries(each) : []));
  const [name, list] = first?.[0] ?? [];
  const [otherName, otherList] = second?.[0] ?? [];
  if (
    first?.length !== 1 ||
    second?.length !== 1 ||
    name === undefined ||
    name !== otherName ||
    !Array.isArray(list) ||
    !Array.isArray(otherList)
  ) {
    throw invalid("one TEE twice", "each once, or lists of devices");
  }
  return { [name]: [...list, ...otherList] };
}

function invalid(found: string, expected: string): EvidenceError {
  return new EvidenceError(
    "INVALID_COMPOSITE",
    "malformed",
    `Cannot read additional evidence: found ${found}, expected ${expected}`,
    { detail: { found, expected } },
  );
}

function mismatch(why: string): EvidenceError {
  return new EvidenceError("INVALID_COMPOSITE", "not-authentic", `Cannot accept composite evidence: ${why}`);
}
