// SPDX-License-Identifier: Apache-2.0
// Reference values out of build provenance: SLSA provenance in an in-toto statement, in a sigstore bundle. The signature is
// checked offline, against sigstore trusted roots or keys that were given; then it has to be by a builder that is trusted
// for the repository.

import { createHash, createPublicKey, type KeyObject } from "node:crypto";
import { referenceStep, type VouchedValue, type Voucher } from "@adyton/appraisal/reference";
import { equal, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { type Bundle, bundleFromJSON } from "@sigstore/bundle";
import { type TrustedRoot, TrustedRoot as TrustedRoots } from "@sigstore/protobuf-specs";
import { type SignedEntity, type Signer, toSignedEntity, toTrustMaterial, Verifier } from "@sigstore/verify";
import { BrokerError } from "../errors.ts";
import { type BuildStatement, readStatement } from "./slsa.ts";

/** Whose builds of what are good. Everything that is given has to be met. */
export interface TrustedBuilder {
  /** The builder's id in the provenance; a `*` at the end, after `/` or `@`, is anything. */
  readonly builder: string;
  /** The repository, without `git+`, `.git` and revision: `https://github.com/acme/kernel`. */
  readonly source: string;
  /** Who signs: an identity as its provider certified it (`*` as in `builder`)… */
  readonly identity?: { readonly issuer: string; readonly subject: string };
  /** …or a key: SubjectPublicKeyInfo, DER. */
  readonly key?: Uint8Array;
}

export interface ProvenanceTrust {
  /** Sigstore's authorities and logs, as in `trusted_root.json`. */
  readonly sigstoreRoots?: readonly SigstoreRoot[];
  /** Default: none, and every provenance is refused. */
  readonly builders?: readonly TrustedBuilder[];
}

/** What `parseSigstoreRoot` made of a `trusted_root.json`. */
export type SigstoreRoot = TrustedRoot;

/** Which digest of which built file is the value of which id. */
export interface SubjectMapping {
  /** The subject's name in the statement. */
  readonly subject: string;
  /** As in the statement: `sha256`, `sha384`, `sha512`. */
  readonly algorithm: string;
  readonly id: string;
}

export interface ProvenanceOptions extends ProvenanceTrust {
  /** Default: every digest, under the subject's name as one step, a slash and the algorithm. */
  readonly subjects?: readonly SubjectMapping[];
}

const MAX_BYTES = 1_048_576;
const NO_AUTHORITIES: SigstoreRoot = {
  mediaType: "",
  tlogs: [],
  certificateAuthorities: [],
  ctlogs: [],
  timestampAuthorities: [],
};
/** Fulcio's extension with the source repository, a UTF8String. */
const SOURCE_URI = "1.3.6.1.4.1.57264.1.12";
const PAYLOAD_TYPE = "application/vnd.in-toto+json";
const ROOT_TYPE = /^application\/vnd\.dev\.sigstore\.trustedroot(?:\+json;version=|\.v)0\.\d(?:\+json)?$/;

/** A `trusted_root.json`. Throws `INVALID_PROVENANCE`. */
export function parseSigstoreRoot(json: JsonValue): SigstoreRoot {
  if (!isJsonObject(json) || typeof json.mediaType !== "string" || !ROOT_TYPE.test(json.mediaType))
    throw malformed("the trusted root has another media type than sigstore's");
  try {
    const root = TrustedRoots.fromJSON(json);
    toTrustMaterial(root);
    return root;
  } catch {
    throw malformed("the trusted root's certificates and keys cannot be read");
  }
}

/**
 * The digests that provenance names, once a trusted builder signed it. Throws `INVALID_PROVENANCE`,
 * `PROVENANCE_SIGNATURE`, `BUILDER_REFUSED`.
 */
export function readProvenance(bytes: Uint8Array, options: ProvenanceOptions): VouchedValue[] {
  const { sigstoreRoots = [], builders = [], subjects } = options;
  if (bytes.length > MAX_BYTES) throw malformed(`${bytes.length} bytes, at most ${MAX_BYTES} are read`);
  const received = Uint8Array.from(bytes);
  const bundle = bundleOf(received);
  const { content } = bundle;
  if (content.$case !== "dsseEnvelope" || content.dsseEnvelope.payloadType !== PAYLOAD_TYPE)
    throw malformed("the bundle holds no in-toto statement");
  const signed = signerOf(bundle, sigstoreRoots, builders);
  // From here on the payload is somebody's word; whose, the conditions ask.
  const statement = readStatement(new Uint8Array(content.dsseEnvelope.payload));
  const builder = builders.find((each) => isMet(each, statement, signed));
  if (builder === undefined) throw refusedBuilder(statement, signed);
  const voucher: Voucher = {
    kind: "provenance",
    name: signed.subject ?? statement.builder,
    keyId: sha256(signed.spki),
    ...(signed.certificate === undefined ? {} : { certificate: sha256(signed.certificate) }),
    builder: statement.builder,
    source: statement.source,
    document: sha256(received),
    verified: true,
  };
  return valuesOf(statement, subjects).map(({ id, value }) => ({ id, value, voucher }));
}

interface Signed {
  readonly spki: Uint8Array;
  readonly certificate?: Uint8Array;
  readonly issuer?: string;
  readonly subject?: string;
  /** The repository that the certificate names. */
  readonly source?: string;
}

function bundleOf(bytes: Uint8Array): Bundle {
  let json: JsonValue;
  try {
    json = parseJson(toUtf8(bytes));
  } catch (error) {
    throw malformed(error instanceof AdytonError ? error.message : "it is no JSON");
  }
  try {
    return bundleFromJSON(json);
  } catch {
    throw malformed("it is no sigstore bundle");
  }
}

/** Throws unless a trusted key or authority stands behind the signature. */
function signerOf(
  bundle: Bundle,
  roots: readonly SigstoreRoot[],
  builders: readonly TrustedBuilder[],
): Signed {
  let entity: SignedEntity;
  try {
    entity = toSignedEntity(bundle);
  } catch {
    throw malformed("its certificate or time stamp cannot be read");
  }
  return entity.key.$case === "public-key"
    ? signedByKey(entity, builders)
    : signedByIdentity(entity, roots, bundle);
}

/** A key that was given needs no log: whoever holds it is trusted, at any time. */
function signedByKey(entity: SignedEntity, builders: readonly TrustedBuilder[]): Signed {
  const keys = builders.flatMap(({ key }) => (key === undefined ? [] : [key]));
  if (keys.length === 0) throw unverified("it is signed by a key, and no key of a builder is trusted");
  const bare: SignedEntity = { ...entity, timestamps: [], tlogEntries: [] };
  for (const spki of keys) {
    const publicKey = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
    const material = toTrustMaterial(NO_AUTHORITIES, () => ({ publicKey, validFor: () => true }));
    if (
      verified(new Verifier(material, { tlogThreshold: 0, ctlogThreshold: 0, timestampThreshold: 0 }), bare)
    )
      return { spki };
  }
  throw unverified("no trusted key made its signature");
}

/** A short-lived certificate: its time is shown by a log or an authority of the same root, never by the bundle itself. */
function signedByIdentity(entity: SignedEntity, roots: readonly SigstoreRoot[], bundle: Bundle): Signed {
  if (roots.length === 0) throw unverified("it carries a certificate, and no sigstore root is trusted");
  for (const root of roots) {
    const verifier = new Verifier(toTrustMaterial(root), {
      // Roots without logs are those of deployments that have none.
      tlogThreshold: Math.min(1, root.tlogs.length),
      ctlogThreshold: Math.min(1, root.ctlogs.length),
      timestampThreshold: 1,
    });
    const signer = verified(verifier, entity);
    if (signer === undefined) continue;
    const certificate = leafOf(bundle);
    const { subjectAlternativeName: subject, extensions } = signer.identity ?? {};
    const source = sourceIn(signer);
    return {
      spki: spkiOf(signer.key),
      ...(certificate === undefined ? {} : { certificate }),
      ...(extensions?.issuer === undefined ? {} : { issuer: extensions.issuer }),
      ...(subject === undefined ? {} : { subject }),
      ...(source === undefined ? {} : { source }),
    };
  }
  throw unverified("no trusted sigstore root stands behind its certificate, log entry and time");
}

/** The verifier throws errors of several kinds, and at odd input any. */
function verified(verifier: Verifier, entity: SignedEntity): Signer | undefined {
  try {
    return verifier.verify(entity);
  } catch {
    return undefined;
  }
}

function isMet(wanted: TrustedBuilder, statement: BuildStatement, signed: Signed): boolean {
  const { builder, source, identity, key } = wanted;
  // A condition about nobody is none.
  if (identity === undefined && key === undefined) return false;
  if (!fits(builder, statement.builder) || source !== statement.source) return false;
  if (key !== undefined && !(signed.certificate === undefined && equal(key, signed.spki))) return false;
  if (identity === undefined) return true;
  const { issuer, subject } = signed;
  if (issuer !== identity.issuer || subject === undefined || !fits(identity.subject, subject)) return false;
  // What the certificate says of the source was checked when it was issued; the statement is the builder's word.
  return signed.source === undefined || signed.source === source;
}

/** A star stands for what follows a boundary: `…/acme*` would take `…/acme-evil`. */
function fits(pattern: string, text: string): boolean {
  return /[/@]\*$/.test(pattern) ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
}

function valuesOf(
  { subjects }: BuildStatement,
  mappings: readonly SubjectMapping[] | undefined,
): { readonly id: string; readonly value: string }[] {
  if (mappings === undefined) {
    return subjects.flatMap(({ name, digests }) =>
      [...digests].map(([algorithm, value]) => ({ id: `${referenceStep(name)}/${algorithm}`, value })),
    );
  }
  return mappings.map(({ subject, algorithm, id }) => {
    const named = subjects.filter(({ name }) => name === subject);
    const [value, ...others] = new Set(named.flatMap(({ digests }) => digests.get(algorithm) ?? []));
    if (value === undefined || others.length > 0)
      throw malformed(
        `the statement names not one ${algorithm} digest of ${JSON.stringify(subject.slice(0, 120))}`,
      );
    return { id, value };
  });
}

function leafOf({ verificationMaterial: { content } }: Bundle): Uint8Array | undefined {
  if (content.$case === "certificate") return new Uint8Array(content.certificate.rawBytes);
  if (content.$case !== "x509CertificateChain") return undefined;
  const [leaf] = content.x509CertificateChain.certificates;
  return leaf === undefined ? undefined : new Uint8Array(leaf.rawBytes);
}

function sourceIn({ identity }: Signer): string | undefined {
  const value = identity?.oids?.find(({ oid }) => oid?.id.join(".") === SOURCE_URI)?.value;
  if (value === undefined) return undefined;
  // A UTF8String of less than 128 bytes, or with one or two octets of length.
  const long = value[1] === 0x81 ? 1 : value[1] === 0x82 ? 2 : 0;
  // What is none names no repository, and none is met.
  return value[0] === 0x0c ? value.subarray(2 + long).toString("utf8") : "";
}

function spkiOf(key: KeyObject): Uint8Array {
  return new Uint8Array(key.export({ format: "der", type: "spki" }));
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function malformed(why: string): BrokerError {
  return new BrokerError("INVALID_PROVENANCE", "malformed", `Cannot read provenance: ${why}`, {
    hint: "Give a sigstore bundle (JSON) with SLSA provenance in a DSSE envelope.",
  });
}

function unverified(why: string): BrokerError {
  return new BrokerError("PROVENANCE_SIGNATURE", "not-authentic", `Cannot verify provenance: ${why}`, {
    hint: "Put the sigstore trusted_root.json, or the builder's key, into the folder trust/ of the state folder.",
  });
}

function refusedBuilder({ builder, source }: BuildStatement, { issuer, subject }: Signed): BrokerError {
  return new BrokerError(
    "BUILDER_REFUSED",
    "policy",
    `Cannot take provenance: builder ${builder} is not trusted for ${source}, signed by ${subject ?? "a key"}`,
    {
      detail: {
        builder,
        source,
        ...(issuer === undefined ? {} : { issuer }),
        ...(subject === undefined ? {} : { subject }),
      },
      hint: "If this builder is to be trusted for that repository, name it in trust/references.json.",
    },
  );
}
