// SPDX-License-Identifier: Apache-2.0
// From what a client sent to a signed attestation result: is it true, is it good, and what we say about it.

import { appraise, type CheckedInitData, checkInitData, type Policy, signEar } from "@adyton/appraisal";
import { equal, fromUtf8, padRight, toBase64Url } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import type { Certificate } from "@adyton/core/x509";
import {
  createCache,
  deviceReportDataOf,
  type Envelope,
  EvidenceError,
  type EvidenceRequest,
  schemeOf,
  type TeeName,
  type VerificationCache,
  type VerifiedComposite,
  type VerifiedEvidence,
  type VerifyOptions,
  verifyComposite,
  verifyEvidence,
} from "@adyton/evidence";
import { type Endorsements, mergeEndorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { BrokerError } from "./errors.ts";
import type { Explanations } from "./explanations.ts";
import { initDataClaims, initDataHash } from "./init-data.ts";
import { parseTeeKey, type TeeKeyOptions } from "./jwe.ts";
import type { AttestRequest } from "./protocol.ts";
import type { LiveReferences } from "./reference/types.ts";
import type { Session } from "./sessions.ts";
import { withSpan } from "./telemetry/spans.ts";
import type { TokenKeys } from "./tokens/token-keys.ts";
import { schemeNameOf, submodsOf } from "./veraison-media.ts";

/** Evidence that was sent to be judged, with what it is to bind. */
export interface SentEvidence {
  readonly tee: TeeName;
  /** As in the KBS protocol. */
  readonly evidence: JsonValue;
  /** At most as long as the TEE's field. */
  readonly reportData?: Uint8Array;
  /** What `reportData` is the hash of. */
  readonly runtimeData?: JsonObject;
  readonly initData?: string;
  /** Instead of the document. */
  readonly initDataDigest?: Uint8Array;
  /** Of TEEs whose evidence answers a request. */
  readonly verifierKeys?: readonly Uint8Array[];
}

/** `iss` of tokens for evidence that answers no challenge of ours: they open no secret here. */
const SERVICE_ISSUER = "Adyton Attestation Service";
/** `iss` of tokens that open secrets: those that answer a challenge of ours. */
export const TOKEN_ISSUER = "Adyton";

export interface VerifierOptions {
  readonly tokenKeys: TokenKeys;
  /** The policy that counts at this moment. */
  readonly policy: (now: Date) => Promise<Policy>;
  /** Certificates, CRLs and vendor documents at hand; read for each attestation. */
  readonly endorsements?: () => Promise<Endorsements>;
  /** Roots trusted besides the vendors' pinned ones. */
  readonly roots: readonly Certificate[];
  /** Device keys and vendors' own certificates trusted besides the pinned ones. */
  readonly anchors?: Endorsements;
  readonly tokenLifetimeSeconds: number;
  /** Refines a policy for results in Veraison's profile, by Veraison's name of the scheme. */
  readonly overlay: (base: Policy, scheme: string) => Promise<Policy>;
  /** Which keys secrets may be encrypted to. */
  readonly keyOptions: TeeKeyOptions;
  /** Where the reasons are kept that tokens do not carry. */
  readonly explanations: Explanations;
}

/** Judges the answer to a session's challenge. Rejects with the error of the first step that refuses it. */
export class Verifier {
  readonly #options: VerifierOptions;
  readonly #cache: VerificationCache = createCache();

  constructor(options: VerifierOptions) {
    this.#options = options;
  }

  /** The request that evidence of this TEE has to answer; undefined where a nonce does. */
  async request(tee: TeeName, now: Date): Promise<EvidenceRequest | undefined> {
    return schemeOf(tee).request?.({ ...(await this.#trusted(now)), crypto: defaultCrypto });
  }

  /** The attestation result as a token (EAR). */
  async attest(
    session: Session,
    request: AttestRequest,
    references: LiveReferences,
    now: Date,
  ): Promise<string> {
    if (request.nonce !== session.nonce) throw wrongNonce();
    parseTeeKey(request.teePubkey, this.#options.keyOptions);
    const { primary, devices } = await withSpan("verify", { "adyton.tee": session.tee }, () =>
      this.#verify(session, request, now),
    );
    const initData = await boundInitData(primary, request);
    const result = await withSpan("appraise", { "adyton.tee": session.tee }, async () =>
      appraise([primary, ...devices], {
        policy: await this.#options.policy(now),
        referenceValues: references.values,
        vouchersOf: references.vouchersOf,
        now,
        // Bound by the report data, as #verify has checked.
        runtimeData: {
          ...(request.additionalEvidence === undefined
            ? {}
            : { "additional-evidence": request.additionalEvidence }),
          nonce: request.nonce,
          "tee-pubkey": request.teePubkey,
        },
        ...(initData === undefined ? {} : { initData }),
      }),
    );
    return signEar(result, {
      key: await this.#options.tokenKeys.signing(),
      issuer: TOKEN_ISSUER,
      lifetimeSeconds: this.#options.tokenLifetimeSeconds,
      now,
      id: await this.#options.explanations.keep(result, now),
    });
  }

  /**
   * Evidence whose report data is `nonce`, zero-padded: the result as a token in Veraison's profile. It answers no
   * challenge of ours, so it opens no secret here.
   */
  async attestToNonce(
    envelope: Envelope,
    nonce: Uint8Array,
    references: LiveReferences,
    now: Date,
  ): Promise<string> {
    const { tee, evidence } = envelope;
    const trusted = await this.#trusted(now);
    const verified = await verifyEnvelope(envelope, { ...trusted, reportData: nonce });
    const result = appraise(verified, {
      policy: await this.#options.overlay(await this.#options.policy(now), schemeNameOf(tee)),
      referenceValues: references.values,
      vouchersOf: references.vouchersOf,
      now,
      runtimeData: { nonce: toBase64Url(nonce) },
    });
    return signEar(result, {
      key: await this.#options.tokenKeys.signing(),
      // Who asks may have chosen the nonce: to fit evidence that he only overheard.
      issuer: SERVICE_ISSUER,
      now,
      id: await this.#options.explanations.keep(result, now),
      profile: "veraison",
      nonce,
      rawEvidence: evidence,
      submods: () => submodsOf(tee),
    });
  }

  /** One token for all that was sent. It answers no challenge of ours, so it opens no secret here. Rejects as `attest`. */
  async evaluate(sent: readonly SentEvidence[], references: LiveReferences, now: Date): Promise<string> {
    const trusted = await this.#trusted(now);
    const bound = new Map<VerifiedEvidence, JsonObject | undefined>();
    let initData: CheckedInitData | undefined;
    for (const { tee, evidence, reportData, runtimeData, verifierKeys, ...init } of sent) {
      for (const one of schemeOf(tee).split?.(evidence) ?? [evidence]) {
        const verified = await verifyEnvelope(
          { tee, ...schemeOf(tee).fromKbs(one) },
          {
            ...trusted,
            ...(reportData === undefined ? {} : { reportData }),
            ...(verifierKeys === undefined ? {} : { verifierKeys }),
          },
        );
        bound.set(verified, runtimeData);
        initData = (await boundInitData(verified, init)) ?? initData;
        if (init.initDataDigest !== undefined) checkInitDataDigest(verified, init.initDataDigest);
      }
    }
    const result = appraise([...bound.keys()], {
      policy: await this.#options.policy(now),
      referenceValues: references.values,
      vouchersOf: references.vouchersOf,
      now,
      runtimeData: (evidence) => bound.get(evidence),
      ...(initData === undefined ? {} : { initData }),
    });
    return signEar(result, {
      key: await this.#options.tokenKeys.signing(),
      issuer: SERVICE_ISSUER,
      lifetimeSeconds: this.#options.tokenLifetimeSeconds,
      now,
      id: await this.#options.explanations.keep(result, now),
    });
  }

  /** The processor's evidence and that of every device that was sent with it. */
  async #verify(session: Session, request: AttestRequest, now: Date): Promise<VerifiedParts> {
    const { tee, verifierKeys } = session;
    const { additionalEvidence } = request;
    const primary = { tee, ...schemeOf(tee).fromKbs(request.primaryEvidence) };
    const trusted = { ...(await this.#trusted(now)), verifierKeys };
    if (additionalEvidence !== undefined)
      return verifyComposite({ primary, runtimeData: { ...request, additionalEvidence } }, trusted);
    const { reportDataWidth, runtimeDataHash } = schemeOf(tee);
    const reportData = await deviceReportDataOf(request, defaultCrypto, reportDataWidth, runtimeDataHash);
    return { primary: await verifyAlone(primary, { ...trusted, reportData }), devices: [] };
  }

  /** What is trusted and at hand. */
  async #trusted(now: Date): Promise<VerifyOptions> {
    const { anchors, endorsements, roots } = this.#options;
    return {
      now,
      endorsements: (await endorsements?.()) ?? NO_ENDORSEMENTS,
      roots,
      ...(anchors === undefined ? {} : { anchors }),
      cache: this.#cache,
    };
  }
}

type VerifiedParts = Pick<VerifiedComposite, "primary" | "devices">;

/** Evidence with what was sent beside it. */
async function verifyEnvelope(envelope: Envelope, options: VerifyOptions): Promise<VerifiedEvidence> {
  const { tee, evidence, endorsements, eventLog } = envelope;
  const given = options.endorsements ?? NO_ENDORSEMENTS;
  return verifyEvidence(evidence, {
    ...options,
    tee,
    ...(eventLog === undefined ? {} : { eventLog }),
    endorsements: endorsements === undefined ? given : mergeEndorsements(endorsements, given),
  });
}

/** Evidence of a processor. Rejects with why it is not authentic, or `INVALID_COMPOSITE`. */
async function verifyAlone(envelope: Envelope, options: VerifyOptions): Promise<VerifiedEvidence> {
  const verified = await verifyEnvelope(envelope, options);
  if ((verified.kind ?? "cpu") !== "cpu") {
    throw new EvidenceError(
      "INVALID_COMPOSITE",
      "not-authentic",
      `Cannot accept evidence: it is a ${verified.kind}'s, expected a processor's`,
    );
  }
  return verified;
}

async function boundInitData(
  evidence: VerifiedEvidence,
  { initData }: Pick<AttestRequest, "initData">,
): Promise<CheckedInitData | undefined> {
  if (initData === undefined) return undefined;
  return checkInitData(evidence, {
    document: fromUtf8(initData),
    hash: initDataHash(initData),
    claims: initDataClaims(initData),
  });
}

/** The digest as it stands in the TEE's field, cut or zero-padded. Throws `INIT_DATA_MISMATCH`. */
function checkInitDataDigest(
  { initDataField: field, initDataForm }: VerifiedEvidence,
  digest: Uint8Array,
): void {
  const expected =
    field === null || digest.length === 0 || initDataForm === "extended"
      ? undefined
      : padRight(digest.subarray(0, field.length), field.length);
  if (field !== null && expected !== undefined && equal(field, expected)) return;
  const why =
    field === null
      ? "the evidence binds none"
      : initDataForm === "extended"
        ? "this TEE extends a register with it: send the document"
        : "the evidence binds another digest";
  throw new EvidenceError("INIT_DATA_MISMATCH", "not-authentic", `Cannot accept init-data: ${why}`);
}

function wrongNonce(): BrokerError {
  return new BrokerError(
    "NONCE_MISMATCH",
    "not-authentic",
    "Cannot accept attestation: its nonce is not the one of this session",
    { hint: "Collect evidence for the nonce of the last challenge." },
  );
}
