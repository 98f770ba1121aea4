// SPDX-License-Identifier: Apache-2.0
// From a firmware's signing key to NVIDIA's root, with revocation as far as NVIDIA offers it: by CRL for the upper
// authorities, by OCSP for all of them. The firmware's own certificate is made by the chip and cannot be revoked apart
// from the chip's.

import { equal } from "@adyton/core/bytes";
import { checkRevocation, verifyChain } from "@adyton/core/chain";
import type { CertificateRevocationList } from "@adyton/core/crl";
import { type VerifyingCrypto, verifyingCrypto } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import type { Certificate } from "@adyton/core/x509";
import { selectAnchors, trustOf } from "../anchors.ts";
import { OCSP_KIND, type OcspResponse, type OcspStatus, ocspStatusOf, parseOcspResponse } from "../ocsp.ts";
import type { VerifyOptions } from "../scheme.ts";
import { endorsementsUsed, holdingsOf } from "../used.ts";
import type { EndorsementsUsed, Trust } from "../verified.ts";
import { DICE_TCB_INFO, NVIDIA_DEVICE_ROOTS } from "./endorsements.ts";

export interface NvidiaTrust {
  /** Leaf first, root last. */
  readonly certificates: readonly Certificate[];
  readonly trust: Trust;
  readonly used: EndorsementsUsed;
}

interface Revocation {
  readonly crls: readonly CertificateRevocationList[];
  readonly statuses: readonly (readonly [Certificate, OcspStatus])[];
  /** Every authority between leaf and root was checked. */
  readonly complete: boolean;
}

/** Firmware, chip, provisioner, identity, root; one to spare. */
const MAX_LENGTH = 6;
const UNDERSTOOD: ReadonlySet<string> = new Set([DICE_TCB_INFO]);
/** certificateHold (RFC 5280 section 5.3.1). */
const ON_HOLD = 6;

/**
 * Verifies the chain of `leaf`. A CRL or an OCSP response about one of its authorities that is not to be believed is an
 * error, never "not revoked". Throws what `verifyChain` and `checkRevocation` throw, `CRL_MISSING` where revocation is
 * required and not known for an authority, `INVALID_OCSP_RESPONSE`.
 */
export async function trustNvidiaChain(leaf: Certificate, options: VerifyOptions): Promise<NvidiaTrust> {
  const { now, endorsements, roots = [], crypto = verifyingCrypto } = options;
  const pool = endorsements?.certificates ?? [];
  const anchors = await selectAnchors(pool, NVIDIA_DEVICE_ROOTS, roots, crypto);
  const chain = await verifyChain({
    leaf,
    pool,
    anchors: anchors.map(({ certificate }) => certificate),
    at: now,
    crls: "unchecked",
    crypto,
    maxLength: MAX_LENGTH,
    understood: UNDERSTOOD,
  });
  const root = chain.certificates.at(-1);
  if (root === undefined || root === leaf) {
    throw new CoreError(
      "ROOT_NOT_TRUSTED",
      "not-authentic",
      `Cannot trust certificate ${leaf.subject.text}: a firmware key is no root`,
      { detail: { subject: leaf.subject.text } },
    );
  }
  const revocation = await checkAuthorities(chain.certificates, options, crypto);
  return {
    certificates: chain.certificates,
    trust: trustOf(anchors, root),
    used: usedFor(chain.certificates, revocation),
  };
}

async function checkAuthorities(
  chain: readonly Certificate[],
  { now, endorsements, requireRevocation = false }: VerifyOptions,
  crypto: VerifyingCrypto,
): Promise<Revocation> {
  const responses = (endorsements?.vendorCertificates ?? [])
    .filter(({ kind }) => kind === OCSP_KIND)
    .map(({ bytes }) => parseOcspResponse(bytes));
  const crls = new Set<CertificateRevocationList>();
  const statuses: (readonly [Certificate, OcspStatus])[] = [];
  let complete = true;
  for (const [index, authority] of chain.slice(1, -1).entries()) {
    const issuer = chain[index + 2] as Certificate;
    const status = await goodStatus(authority, issuer, responses, now, crypto);
    const named = (endorsements?.crls ?? []).filter((crl) => equal(crl.issuer.der, issuer.subject.der));
    if (named.length > 0 || (status === undefined && requireRevocation)) {
      crls.add(await checkRevocation(authority, issuer, named, now, crypto));
    } else if (status === undefined) {
      complete = false;
    }
    if (status !== undefined) statuses.push([authority, status]);
  }
  return { crls: [...crls], statuses, complete };
}

/** The OCSP status that says "good"; undefined when nothing was said. Throws `CERTIFICATE_REVOKED` otherwise. */
async function goodStatus(
  authority: Certificate,
  issuer: Certificate,
  responses: readonly OcspResponse[],
  now: Date,
  crypto: VerifyingCrypto,
): Promise<OcspStatus | undefined> {
  const status = await ocspStatusOf(authority, issuer, responses, now, crypto);
  if (status === undefined || status.status === "good") return status;
  const { text } = authority.subject;
  const why =
    status.status === "unknown"
      ? "its issuer's responder does not know it"
      : status.reason === ON_HOLD
        ? "it is on hold (certificateHold), which counts as revoked"
        : "it was revoked";
  throw new CoreError("CERTIFICATE_REVOKED", "not-authentic", `Cannot trust certificate ${text}: ${why}`, {
    detail: { subject: text, serial: authority.serial, status: status.status, reason: status.reason },
  });
}

function usedFor(chain: readonly Certificate[], { crls, statuses, complete }: Revocation): EndorsementsUsed {
  const ocsp = statuses.map(([authority, { thisUpdate, nextUpdate }]) => ({
    kind: "ocsp",
    subject: authority.subject.text,
    from: thisUpdate,
    until: nextUpdate ?? thisUpdate,
  }));
  return endorsementsUsed([...holdingsOf(chain, crls), ...ocsp], complete);
}
