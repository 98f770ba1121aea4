// SPDX-License-Identifier: Apache-2.0
// OCSP responses (RFC 6960) of simulated authorities, signed by the issuer itself or by a responder that it certified.

import { type Bytes, fromHex } from "@adyton/core/bytes";
import { type CryptoProvider, ecdsaToDer, type HashName } from "@adyton/core/crypto";
import { type DerValue, encodeDer, parseDer, TAG } from "@adyton/core/der";
import type { Issuer } from "@adyton/core/issue";
import type { Certificate } from "@adyton/core/x509";
import type { Authority, Period } from "../intel/authority.ts";

/** What a response says otherwise than usual, and who signs it. */
export interface OcspChange {
  readonly status?: "good" | "unknown" | { readonly revoked: Date; readonly reason?: number };
  readonly thisUpdate?: Date;
  /** Null leaves it out. */
  readonly nextUpdate?: Date | null;
  /** Signs instead of the issuer. */
  readonly signer?: Issuer;
  /** Travels along: the signer's. */
  readonly certificate?: Certificate;
  /** Identifies the certificate. */
  readonly hash?: "SHA-1" | "SHA-256" | "SHA-384";
  /** A critical extension of the response, by OID. */
  readonly critical?: string;
}

const HASH_OID: Readonly<Partial<Record<HashName, string>>> = {
  "SHA-1": "1.3.14.3.2.26",
  "SHA-256": "2.16.840.1.101.3.4.2.1",
  "SHA-384": "2.16.840.1.101.3.4.2.2",
};
const ECDSA_SHA_384 = "1.2.840.10045.4.3.3";
const BASIC_RESPONSE = "1.3.6.1.5.5.7.48.1.1";
const SHA_1_SIZE = 20;

/** The DER of an OCSPResponse about `about`, which `issuer` issued. Keys are on P-384. */
export async function createOcspResponse(
  about: Certificate,
  issuer: Authority,
  period: Period,
  change: OcspChange,
  crypto: CryptoProvider,
): Promise<Bytes> {
  const { status = "good", thisUpdate = period.from, nextUpdate = period.until } = change;
  const { signer = issuer, certificate, hash = "SHA-384", critical } = change;
  const [, bits] = parseDer(issuer.certificate.spki, "key").sequence(2) as [DerValue, DerValue];
  const id = encodeDer.sequence(
    encodeDer.sequence(encodeDer.oid(HASH_OID[hash] ?? "")),
    encodeDer.octetString(await crypto.digest(hash, issuer.certificate.subject.der)),
    encodeDer.octetString(await crypto.digest(hash, bits.bitString())),
    encodeDer.unsigned(fromHex(about.serial)),
  );
  const time = (date: Date): Bytes =>
    encodeDer.value(
      TAG.GENERALIZED_TIME,
      new TextEncoder().encode(`${date.toISOString().replace(/[-:T]|\..*/g, "")}Z`),
    );
  const single = encodeDer.sequence(
    id,
    encodeStatus(status, time),
    time(thisUpdate),
    ...(nextUpdate === null ? [] : [encodeDer.explicit(0, time(nextUpdate))]),
  );
  const responder = encodeDer.explicit(2, encodeDer.octetString(new Uint8Array(SHA_1_SIZE)));
  const extensions =
    critical === undefined
      ? []
      : [
          encodeDer.explicit(
            1,
            encodeDer.sequence(
              encodeDer.sequence(
                encodeDer.oid(critical),
                encodeDer.boolean(true),
                encodeDer.octetString(encodeDer.null()),
              ),
            ),
          ),
        ];
  const tbs = encodeDer.sequence(responder, time(thisUpdate), encodeDer.sequence(single), ...extensions);
  const signature = await signer.key.sign({ name: "ECDSA", hash: "SHA-384" }, tbs);
  const basic = encodeDer.sequence(
    tbs,
    encodeDer.sequence(encodeDer.oid(ECDSA_SHA_384)),
    encodeDer.bitString(ecdsaToDer(signature)),
    ...(certificate === undefined ? [] : [encodeDer.explicit(0, encodeDer.sequence(certificate.der))]),
  );
  return encodeDer.sequence(
    encodeDer.enumerated(0),
    encodeDer.explicit(0, encodeDer.sequence(encodeDer.oid(BASIC_RESPONSE), encodeDer.octetString(basic))),
  );
}

function encodeStatus(status: NonNullable<OcspChange["status"]>, time: (date: Date) => Bytes): Bytes {
  if (status === "good") return encodeDer.value(0x80);
  if (status === "unknown") return encodeDer.value(0x82);
  const { revoked, reason } = status;
  return encodeDer.explicit(
    1,
    time(revoked),
    ...(reason === undefined ? [] : [encodeDer.explicit(0, encodeDer.enumerated(reason))]),
  );
}
