// SPDX-License-Identifier: Apache-2.0
// A sigstore of one's own: certificate authority, certificate log and transparency log with real signatures, and a builder
// that has its provenance signed by them.

import { createHash } from "node:crypto";
import { concat, fromUtf8, toBase64, toHex } from "@adyton/core/bytes";
import { defaultCrypto, ecdsaToDer, type PrivateKey } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import { type IssuedExtension, issueCertificate } from "@adyton/core/issue";
import { canonicalJson, type JsonObject, type JsonValue } from "@adyton/core/json";
import { toPem } from "@adyton/core/pem";
import { KEY_USAGE, parseCertificate } from "@adyton/core/x509";
import { parseSigstoreRoot, type SigstoreRoot } from "../src/reference/provenance.ts";

export const ISSUER = "https://token.actions.example";
export const BUILDER = "https://git.example/acme/kernel/.github/workflows/build.yml@refs/tags/v1";
export const SOURCE = "https://git.example/acme/kernel";
export const BUILT_DIGEST: string = "5e".repeat(48);

/** What may be different from an honest build. */
export interface BuildChanges {
  readonly builder?: string;
  readonly source?: string;
  readonly identity?: string;
  readonly issuer?: string;
  /** The repository in the certificate; null for none. */
  readonly certifiedSource?: string | null;
  readonly statement?: (statement: JsonObject) => JsonValue;
  /** When the log says to have taken it. */
  readonly logged?: Date;
  readonly edit?: (bundle: JsonObject) => JsonValue;
  /** Signed by this key, without certificate and log. */
  readonly key?: PrivateKey;
}

export interface FakeSigstore {
  /** `trusted_root.json`. */
  readonly rootJson: JsonObject;
  readonly root: SigstoreRoot;
  bundle(changes?: BuildChanges): Promise<Uint8Array>;
}

const P256 = { name: "EC", curve: "P-256" } as const;
const ECDSA = { name: "ECDSA", hash: "SHA-256" } as const;
const START = new Date("2026-01-01T00:00:00Z");
const END = new Date("2030-01-01T00:00:00Z");
const BUILT = new Date("2026-02-01T10:00:00Z");
const AUTHORITY = [["CN", "Fake Fulcio"]] as const;
const LOG_URL = "https://rekor.example";
const TYPE = "application/vnd.in-toto+json";

export async function createFakeSigstore(): Promise<FakeSigstore> {
  const [authority, log, certificateLog] = await Promise.all(
    [0, 1, 2].map(() => defaultCrypto.generateKey(P256)),
  );
  if (authority === undefined || log === undefined || certificateLog === undefined)
    throw new Error("no keys");
  const root = await issueCertificate(
    {
      subject: AUTHORITY,
      spki: authority.publicKey.spki,
      serial: "01",
      notBefore: START,
      notAfter: END,
      ca: {},
      keyUsage: [KEY_USAGE.keyCertSign],
    },
    { name: AUTHORITY, key: authority },
  );
  const logOf = ({ publicKey: { spki } }: PrivateKey): JsonObject => ({
    baseUrl: LOG_URL,
    hashAlgorithm: "SHA2_256",
    publicKey: {
      rawBytes: toBase64(spki),
      keyDetails: "PKIX_ECDSA_P256_SHA_256",
      validFor: { start: START.toISOString() },
    },
    logId: { keyId: toBase64(sha256(spki)) },
  });
  const rootJson: JsonObject = {
    mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    tlogs: [logOf(log)],
    ctlogs: [logOf(certificateLog)],
    certificateAuthorities: [
      {
        subject: { organization: "fake", commonName: "Fake Fulcio" },
        uri: "https://fulcio.example",
        certChain: { certificates: [{ rawBytes: toBase64(root) }] },
        validFor: { start: START.toISOString() },
      },
    ],
    timestampAuthorities: [],
  };
  return {
    rootJson,
    root: parseSigstoreRoot(rootJson),
    bundle: async (changes = {}) => {
      const payload = fromUtf8(JSON.stringify(statementOf(changes)));
      const signer = changes.key ?? (await defaultCrypto.generateKey(P256));
      const signature = await signed(signer, preAuthentication(payload));
      const material: JsonObject =
        changes.key === undefined
          ? await materialOf(signer, signature, payload, changes, { authority, log, certificateLog })
          : { publicKey: { hint: "builder" } };
      const bundle: JsonObject = {
        mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
        verificationMaterial: material,
        dsseEnvelope: {
          payload: toBase64(payload),
          payloadType: TYPE,
          signatures: [{ sig: toBase64(signature) }],
        },
      };
      return fromUtf8(JSON.stringify(changes.edit === undefined ? bundle : changes.edit(bundle)));
    },
  };
}

interface Authorities {
  readonly authority: PrivateKey;
  readonly log: PrivateKey;
  readonly certificateLog: PrivateKey;
}

/** SLSA provenance v1, as GitHub's builders write it. */
function statementOf({ builder = BUILDER, source = SOURCE, statement }: BuildChanges): JsonValue {
  const honest: JsonObject = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [
      { name: "workload.mjs", digest: { sha256: "ab".repeat(32), sha384: BUILT_DIGEST, gitCommit: "12" } },
      { name: "image/rootfs.img", digest: { sha256: "cd".repeat(32) } },
    ],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "https://actions.github.io/buildtypes/workflow/v1",
        externalParameters: { workflow: { repository: source, ref: "refs/tags/v1", path: "build.yml" } },
        resolvedDependencies: [{ uri: `git+${source}@refs/tags/v1` }],
      },
      runDetails: { builder: { id: builder } },
    },
  };
  return statement === undefined ? honest : statement(honest);
}

async function materialOf(
  signer: PrivateKey,
  signature: Uint8Array,
  payload: Uint8Array,
  changes: BuildChanges,
  { authority, log, certificateLog }: Authorities,
): Promise<JsonObject> {
  const certificate = await certified(signer, changes, authority, certificateLog);
  const body = fromUtf8(
    canonicalJson({
      apiVersion: "0.0.1",
      kind: "dsse",
      spec: {
        payloadHash: { algorithm: "sha256", value: toHex(sha256(payload)) },
        signatures: [
          {
            signature: toBase64(signature),
            verifier: toBase64(fromUtf8(toPem("CERTIFICATE", certificate))),
          },
        ],
      },
    }),
  );
  const logId = sha256(log.publicKey.spki);
  const integratedTime = Math.floor((changes.logged ?? BUILT).getTime() / 1000);
  const promise = canonicalJson({
    body: toBase64(body),
    integratedTime,
    logIndex: 0,
    logID: toHex(logId),
  });
  const rootHash = sha256(concat(Uint8Array.of(0), body));
  const note = `rekor.example\n1\n${toBase64(rootHash)}\n`;
  const line = toBase64(concat(logId.subarray(0, 4), await signed(log, fromUtf8(note))));
  return {
    certificate: { rawBytes: toBase64(certificate) },
    tlogEntries: [
      {
        logIndex: "0",
        logId: { keyId: toBase64(logId) },
        kindVersion: { kind: "dsse", version: "0.0.1" },
        integratedTime: String(integratedTime),
        inclusionPromise: { signedEntryTimestamp: toBase64(await signed(log, fromUtf8(promise))) },
        inclusionProof: {
          logIndex: "0",
          treeSize: "1",
          rootHash: toBase64(rootHash),
          hashes: [],
          checkpoint: { envelope: `${note}\n\u2014 rekor.example ${line}\n` },
        },
        canonicalizedBody: toBase64(body),
      },
    ],
  };
}

/** Ten minutes long, with the promise of a certificate log (RFC 6962 section 3.2). */
async function certified(
  signer: PrivateKey,
  { issuer = ISSUER, identity = BUILDER, certifiedSource = SOURCE }: BuildChanges,
  authority: PrivateKey,
  log: PrivateKey,
): Promise<Uint8Array> {
  const uri = encodeDer.value(0x86, fromUtf8(identity));
  const extensions: IssuedExtension[] = [
    { oid: "2.5.29.17", critical: true, value: encodeDer.sequence(uri) },
    { oid: "2.5.29.37", value: encodeDer.sequence(encodeDer.oid("1.3.6.1.5.5.7.3.3")) },
    { oid: "1.3.6.1.4.1.57264.1.8", value: encodeDer.utf8String(issuer) },
    ...(certifiedSource === null
      ? []
      : [{ oid: "1.3.6.1.4.1.57264.1.12", value: encodeDer.utf8String(certifiedSource) }]),
  ];
  const issue = (more: readonly IssuedExtension[]) =>
    issueCertificate(
      {
        subject: [],
        spki: signer.publicKey.spki,
        serial: "0badcafe",
        notBefore: new Date(BUILT.getTime() - 300_000),
        notAfter: new Date(BUILT.getTime() + 300_000),
        keyUsage: [KEY_USAGE.digitalSignature],
        extensions: [...extensions, ...more],
      },
      { name: AUTHORITY, key: authority },
    );
  const { tbs } = parseCertificate(await issue([]));
  const time = new DataView(new ArrayBuffer(8));
  time.setBigUint64(0, BigInt(BUILT.getTime()));
  const stamp = new Uint8Array(time.buffer);
  const entry = concat(
    Uint8Array.of(0, 0),
    stamp,
    Uint8Array.of(0, 1),
    sha256(authority.publicKey.spki),
    Uint8Array.of(tbs.length >> 16, (tbs.length >> 8) & 0xff, tbs.length & 0xff),
    tbs,
    Uint8Array.of(0, 0),
  );
  const signature = await signed(log, entry);
  const promise = concat(
    Uint8Array.of(0),
    sha256(log.publicKey.spki),
    stamp,
    Uint8Array.of(0, 0, 4, 3, signature.length >> 8, signature.length & 0xff),
    signature,
  );
  const sized = (bytes: Uint8Array): Uint8Array =>
    concat(Uint8Array.of(bytes.length >> 8, bytes.length & 0xff), bytes);
  const list = encodeDer.octetString(sized(sized(promise)));
  return issue([{ oid: "1.3.6.1.4.1.11129.2.4.2", value: list }]);
}

/** DSSE's pre-authentication encoding. */
function preAuthentication(payload: Uint8Array): Uint8Array {
  return concat(fromUtf8(`DSSEv1 ${TYPE.length} ${TYPE} ${payload.length} `), payload);
}

async function signed(key: PrivateKey, data: Uint8Array): Promise<Uint8Array> {
  return ecdsaToDer(await key.sign(ECDSA, data));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(createHash("sha256").update(bytes).digest());
}
