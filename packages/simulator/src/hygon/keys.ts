// SPDX-License-Identifier: Apache-2.0
// SM2 keys of the simulated Hygon, and certificates over them: as Hygon lays them out, signed by whoever is told to.

import { type Bytes, fromUtf8 } from "@adyton/core/bytes";
import type { CryptoProvider } from "@adyton/core/crypto";
import { sm2GenerateKey, sm2PublicKey, sm2Sign } from "@adyton/core/sm";
import {
  CSV_USAGE,
  type CsvCa,
  type CsvCaFields,
  type CsvCertificate,
  type CsvCertificateFields,
  type CsvSignatureSlot,
  EMPTY_SLOT,
  encodeCsvCa,
  encodeCsvCertificate,
  parseCsvCa,
  parseCsvCertificate,
  SM2_SA,
} from "@adyton/evidence/csv";

/** A key that signs under its user id. */
export interface Sm2Signer {
  /** The private scalar, 32 bytes. */
  readonly key: Uint8Array;
  readonly userId: Uint8Array;
}

/** HRK or HSK. */
export interface HygonAuthority extends Sm2Signer {
  readonly certificate: CsvCa;
}

/** CEK, PEK, OCA or PDH. */
export interface HygonKey extends Sm2Signer {
  readonly certificate: CsvCertificate;
}

/** What a CA certificate says otherwise than usual, and who signs it. */
export interface HygonCaChange extends Partial<Omit<CsvCaFields, "signature" | "publicKey">> {
  /** Instead of a fresh one. */
  readonly key?: Uint8Array;
  /** Signs instead. */
  readonly issuer?: Sm2Signer;
}

/** What a platform certificate says otherwise than usual, and who signs it. */
export interface HygonCertificateChange extends Partial<Omit<CsvCertificateFields, "slots" | "publicKey">> {
  /** Instead of a fresh one. */
  readonly key?: Uint8Array;
  /** Sign instead, one a slot; undefined leaves the slot empty. `usage` is what the slot says of its signer. */
  readonly issuers?: readonly ({ readonly usage: number; readonly signer: Sm2Signer } | undefined)[];
  /** Stand in the slots instead, whoever signs. */
  readonly slots?: CsvCertificateFields["slots"];
}

type Random = Pick<CryptoProvider, "randomBytes">;

/** The user id of a role. Nobody mistakes it for Hygon's. */
function simulatorId(role: string): Bytes {
  return fromUtf8(`Adyton Simulator ${role}`);
}

/** A CA certificate over a fresh key. Without `issuer` it signs itself. */
export function certifyAuthority(
  role: CsvCaFields["role"],
  issuer: HygonAuthority | undefined,
  change: HygonCaChange,
  crypto: Random,
): HygonAuthority {
  const { key = sm2GenerateKey(crypto), issuer: other, ...said } = change;
  const keyId = crypto.randomBytes(16);
  const unsigned: CsvCaFields = {
    role,
    keyId,
    signingKeyId: issuer?.certificate.keyId ?? said.keyId ?? keyId,
    userId: simulatorId(role),
    ...said,
    publicKey: sm2PublicKey(key),
    signature: new Uint8Array(64),
  };
  const signer = other ?? issuer ?? { key, userId: unsigned.userId };
  const signature = sign(signer, parseCsvCa(encodeCsvCa(unsigned)).signedPart, crypto);
  const certificate = parseCsvCa(encodeCsvCa({ ...unsigned, signature }));
  return { key, userId: unsigned.userId, certificate };
}

/** A platform certificate over a fresh key. */
export function certifyKey(
  usual: Pick<CsvCertificateFields, "role" | "version" | "signingKeyId">,
  issuers: NonNullable<HygonCertificateChange["issuers"]>,
  change: HygonCertificateChange,
  crypto: Random,
): HygonKey {
  const { key = sm2GenerateKey(crypto), issuers: others, slots: replaced, ...said } = change;
  const unsigned: CsvCertificateFields = {
    firmware: { major: 1, minor: 3 },
    userId: simulatorId(usual.role),
    ...usual,
    ...said,
    publicKey: sm2PublicKey(key),
    slots: [EMPTY_SLOT, EMPTY_SLOT],
  };
  const { signedPart } = parseCsvCertificate(encodeCsvCertificate(unsigned));
  const slot = (index: number): CsvSignatureSlot => {
    const issuer = (others ?? issuers)[index];
    if (issuer === undefined) return EMPTY_SLOT;
    return { usage: issuer.usage, algorithm: SM2_SA, signature: sign(issuer.signer, signedPart, crypto) };
  };
  const slots = replaced ?? [slot(0), slot(1)];
  const certificate = parseCsvCertificate(encodeCsvCertificate({ ...unsigned, slots }));
  return { key, userId: unsigned.userId, certificate };
}

/** A self-signed authority of a platform's owner. */
export function certifyOwner(change: HygonCertificateChange, crypto: Random): HygonKey {
  const key = change.key ?? sm2GenerateKey(crypto);
  const self = { usage: CSV_USAGE.OCA, signer: { key, userId: change.userId ?? simulatorId("OCA") } };
  const usual = { role: "OCA", version: 1, signingKeyId: new Uint8Array(16) } as const;
  return certifyKey(usual, [self, undefined], { ...change, key }, crypto);
}

/** r || s over `message`. */
export function sign(signer: Sm2Signer, message: Uint8Array, crypto: Random): Bytes {
  return sm2Sign(signer.key, signer.userId, message, crypto);
}
