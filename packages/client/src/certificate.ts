// SPDX-License-Identifier: Apache-2.0
// A certificate for an attested workload: a request (PKCS #10, RFC 2986) signed by the key that the evidence binds, and
// the checks of what comes back.

import { type Bytes, equal, toUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, ecdsaToDer, type PrivateKey } from "@adyton/core/crypto";
import { encodeDer, parseDer } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import { toPem } from "@adyton/core/pem";
import { type Certificate, isSignedBy, parseCertificates } from "@adyton/core/x509";
import { ClientError, invalidAnswer } from "./errors.ts";
import { pluginPath } from "./plugin-path.ts";
import type { TeeKeyPair } from "./tee-key.ts";
import type { Answer, Call } from "./wire.ts";

export interface CertificateRequest {
  /** The path of the SPIFFE id, `payments/api`: which a workload may have is the broker's policy. */
  readonly identity: string;
  /** A DNS name besides, of those that the broker gives out. */
  readonly dns?: string;
  /** The name of the plugin. Default `ca`. */
  readonly plugin?: string;
  /**
   * A request of your own, in PEM or DER, by a key of your own. Default: a fresh P-256 key, which the evidence binds.
   * Brokers refuse other keys (`REQUEST_REFUSED`, with their code `CSR_REFUSED`), unless they were told to take any.
   */
  readonly csr?: Uint8Array | string;
}

export interface IssuedCertificate {
  /** PEM, the workload's first. */
  readonly certificate: string;
  /** PEM: what peers trust. It came over the same way as the certificate. */
  readonly roots: string;
  /** PKCS #8 in PEM; absent when the key is your own. */
  readonly privateKey?: string;
  /** `spiffe://<trust domain>/<identity>` */
  readonly spiffeId: string;
  readonly notAfter: Date;
}

/** The key of a certificate, as core has it and as PEM. */
export interface CertificateKey {
  readonly key: PrivateKey;
  readonly pem: string;
}

const CSR_TYPE: Readonly<Record<string, string>> = { "content-type": "application/pkcs10" };
const ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2";
const SUBJECT_ALT_NAME = "2.5.29.17";
const URI_NAME = 0x86;
const MAX_CHAIN = 8;

/** The private half of an exportable key, to sign with. */
export async function certificateKey({ privateKey }: TeeKeyPair): Promise<CertificateKey> {
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey("pkcs8", privateKey));
  try {
    return { key: await defaultCrypto.importPrivateKey(pkcs8), pem: toPem("PRIVATE KEY", pkcs8) };
  } finally {
    pkcs8.fill(0);
  }
}

/** A request by a P-256 key, in DER. It names nobody: brokers take the name from the path, once policy allowed it. */
export async function certificateRequest(key: PrivateKey): Promise<Bytes> {
  const info = encodeDer.sequence(
    encodeDer.integer(0),
    encodeDer.sequence(),
    key.publicKey.spki,
    encodeDer.explicit(0),
  );
  const signature = await key.sign({ name: "ECDSA", hash: "SHA-256" }, info);
  return encodeDer.sequence(
    info,
    encodeDer.sequence(encodeDer.oid(ECDSA_WITH_SHA256)),
    encodeDer.bitString(ecdsaToDer(signature)),
  );
}

/** Throws `INVALID_NAME`. */
export function issueCall(
  { identity, dns, plugin = "ca" }: CertificateRequest,
  csr: Uint8Array | string,
): Call {
  const path = pluginPath(plugin, ["issue", ...identity.split("/")]);
  return {
    method: "POST",
    path: dns === undefined ? path : `${path}?${new URLSearchParams({ dns })}`,
    what: `get a certificate for ${identity}`,
    headers: CSR_TYPE,
    body: csr,
  };
}

/** Throws `INVALID_NAME`. */
export function rootsCall({ plugin = "ca" }: CertificateRequest): Call {
  return { method: "GET", path: pluginPath(plugin, ["chain"]), what: "get the mesh's root certificates" };
}

/**
 * What was issued, once it is what was asked for: for this key (where it is ours), for this identity, signed by one of the
 * roots. Rejects with `INVALID_ANSWER`.
 */
export async function issuedIn(
  answer: Answer,
  roots: Answer,
  { identity }: CertificateRequest,
  own: CertificateKey | undefined,
): Promise<IssuedCertificate> {
  const certificate = pemIn(answer, "certificate");
  const anchors = pemIn(roots, "root certificates");
  const [leaf] = certificate.parsed;
  if (leaf === undefined) throw invalidAnswer("certificate", "it holds none");
  if (own !== undefined && !equal(leaf.spki, own.key.publicKey.spki))
    throw invalidAnswer("certificate", "it is for another key");
  const spiffeId = spiffeIdOf(leaf);
  if (!spiffeId.endsWith(`/${identity}`) || spiffeId.split("/").length !== identity.split("/").length + 3)
    throw invalidAnswer("certificate", `it is for another identity than ${identity}`);
  const issuers = [...certificate.parsed.slice(1), ...anchors.parsed];
  const signed = await Promise.all(issuers.map((issuer) => signs(issuer, leaf)));
  if (!signed.includes(true))
    throw invalidAnswer("certificate", "no certificate that came with it signed it");
  return {
    certificate: certificate.text,
    roots: anchors.text,
    ...(own === undefined ? {} : { privateKey: own.pem }),
    spiffeId,
    notAfter: leaf.notAfter,
  };
}

/** Whatever is wrong with a key or a signature: it is no signature of that key. */
async function signs(issuer: Certificate, leaf: Certificate): Promise<boolean> {
  try {
    return await isSignedBy(leaf, issuer);
  } catch {
    return false;
  }
}

/** The one URI that an X.509-SVID has (SPIFFE X.509-SVID section 2). */
function spiffeIdOf({ extensions }: Certificate): string {
  const names = extensions.get(SUBJECT_ALT_NAME);
  try {
    if (names === undefined) throw invalidAnswer("certificate", "it names nobody");
    const uris = parseDer(names.value, "subjectAltName")
      .sequence()
      .filter((name) => name.is(URI_NAME));
    const [uri] = uris;
    const text = uri === undefined ? "" : toUtf8(uri.contents);
    if (uris.length === 1 && text.startsWith("spiffe://")) return text;
  } catch (error) {
    if (error instanceof ClientError) throw error;
  }
  throw invalidAnswer("certificate", "it carries no SPIFFE id");
}

function pemIn({ bytes }: Answer, what: string): { text: string; parsed: readonly Certificate[] } {
  try {
    const parsed = parseCertificates(toUtf8(bytes));
    if (parsed.length === 0 || parsed.length > MAX_CHAIN)
      throw invalidAnswer(what, `it holds ${parsed.length} certificates`);
    // What was read is what is handed on, and nothing that stood between.
    return { text: parsed.map(({ der }) => toPem("CERTIFICATE", der)).join(""), parsed };
  } catch (error) {
    if (error instanceof ClientError) throw error;
    throw invalidAnswer(what, error instanceof AdytonError ? error.message : "it is no PEM");
  }
}
