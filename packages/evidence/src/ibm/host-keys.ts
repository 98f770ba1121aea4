// SPDX-License-Identifier: Apache-2.0
// The host keys that endorsements vouch for: those that a request was made for, and those that one can be made for.

import { equal, toHex } from "@adyton/core/bytes";
import type { CertificateRevocationList } from "@adyton/core/crl";
import type { VerifyingCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import type { Certificate } from "@adyton/core/x509";
import type { VerificationCache } from "../cache.ts";
import { remembered, type Span, scopeKey } from "../remember.ts";
import { isHostKeyDocument, phkhOf, type VerifiedHostKey, verifyHostKeyDocument } from "./endorsements.ts";
import { refuseSe } from "./refusal.ts";

/** What host keys are verified with. */
export interface HostKeyMaterial {
  readonly now: Date;
  /** Host-key documents among them. */
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  readonly roots: readonly Certificate[];
  readonly cache: VerificationCache | undefined;
  readonly crypto: VerifyingCrypto;
}

/**
 * The keys with these hashes, all of them: who could read a request could also have made up its answer. Throws
 * `SE_HOST_KEY_MISSING`, or what `verifyHostKeyDocument` throws.
 */
export async function hostKeysOf(
  phkhs: readonly Uint8Array[],
  material: HostKeyMaterial,
): Promise<VerifiedHostKey[]> {
  const documents = material.certificates.filter(isHostKeyDocument);
  const hashes = await Promise.all(documents.map(({ spki }) => phkhOf(spki, material.crypto)));
  const scope = await scopeOf(material);
  const hostKeys: VerifiedHostKey[] = [];
  for (const phkh of phkhs) {
    const own = documents.filter((_, i) => equal(hashes[i] ?? new Uint8Array(), phkh));
    if (own.length === 0) {
      throw refuseSe("SE_HOST_KEY_MISSING", `the document of host key ${toHex(phkh)} is missing`, {
        category: "endorsements",
        detail: { phkh: toHex(phkh) },
        hint: "Supply the host-key document of every machine that the request was made for.",
      });
    }
    hostKeys.push(await firstVerified(own, material, scope));
  }
  return hostKeys;
}

/** Every key that is vouched for now, once each, and why the other documents are of no use. */
export async function hostKeysAtHand(
  material: HostKeyMaterial,
): Promise<{ readonly hostKeys: readonly VerifiedHostKey[]; readonly refused: readonly AdytonError[] }> {
  const hostKeys = new Map<string, VerifiedHostKey>();
  const refused: AdytonError[] = [];
  const scope = await scopeOf(material);
  for (const document of material.certificates.filter(isHostKeyDocument)) {
    try {
      const hostKey = await verified(document, material, scope);
      hostKeys.set(toHex(hostKey.phkh), hostKey);
    } catch (error) {
      if (!(error instanceof AdytonError)) throw error;
      refused.push(error);
    }
  }
  return { hostKeys: [...hostKeys.values()], refused };
}

/** A key may have been certified more than once. */
async function firstVerified(
  documents: readonly Certificate[],
  material: HostKeyMaterial,
  scope: string,
): Promise<VerifiedHostKey> {
  let first: unknown;
  for (const document of documents) {
    try {
      return await verified(document, material, scope);
    } catch (error) {
      first ??= error;
    }
  }
  throw first;
}

/** Verified now, or by an earlier call with the same material. */
async function verified(
  document: Certificate,
  material: HostKeyMaterial,
  scope: string,
): Promise<VerifiedHostKey> {
  const { now, cache, crls, crypto } = material;
  const verify = (): Promise<VerifiedHostKey> => verifyHostKeyDocument(document, material);
  if (cache === undefined) return verify();
  const key = await scopeKey(scope, [[document]], crypto);
  return remembered(cache, key, { now, lists: crls }, verify, spanOf);
}

function spanOf({ certificates, crls, validUntil }: VerifiedHostKey): Span {
  const begins = [...certificates.map((each) => each.notBefore), ...crls.map((crl) => crl.thisUpdate)];
  return { from: new Date(Math.max(...begins.map((date) => date.getTime()))), until: validUntil };
}

/** Everything that the outcome depends on besides the document: the cache's key begins with it. */
async function scopeOf({ certificates, crls, roots, cache, crypto }: HostKeyMaterial): Promise<string> {
  return cache === undefined ? "" : scopeKey("se", [certificates, crls, roots], crypto);
}
