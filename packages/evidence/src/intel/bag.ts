// SPDX-License-Identifier: Apache-2.0
// A bag of endorsements, sorted once: certificates without duplicates, so that a key is prepared once, and Intel's
// documents parsed, so that the right one can be picked. Nothing here is verified.

import { equal } from "@adyton/core/bytes";
import type { CertificateRevocationList } from "@adyton/core/crl";
import { AdytonError } from "@adyton/core/errors";
import type { Certificate } from "@adyton/core/x509";
import { type Endorsements, NO_ENDORSEMENTS, type SignedDocument } from "../bag.ts";
import { type EnclaveIdentity, parseEnclaveIdentity, parseTcbInfo, type TcbInfo } from "./documents.ts";

/** A document with what it says, or why it says nothing. */
export type Candidate<T> =
  | { readonly document: SignedDocument; readonly content: T }
  | { readonly document: SignedDocument; readonly content: undefined; readonly error: AdytonError };

export interface Bag {
  readonly certificates: readonly Certificate[];
  readonly crls: readonly CertificateRevocationList[];
  readonly tcbInfos: readonly Candidate<TcbInfo>[];
  readonly identities: readonly Candidate<EnclaveIdentity>[];
}

const bags = new WeakMap<Endorsements, Bag>();

/** The bag of `endorsements`, sorted on first sight of the object. */
export function bagOf(endorsements: Endorsements = NO_ENDORSEMENTS): Bag {
  let bag = bags.get(endorsements);
  if (bag === undefined) {
    const ofKind = (kind: SignedDocument["kind"]): SignedDocument[] =>
      endorsements.documents.filter((document) => document.kind === kind);
    bag = {
      certificates: uniqueCertificates(endorsements.certificates),
      crls: endorsements.crls,
      tcbInfos: ofKind("intel.tcbInfo").map((document) => candidate(document, parseTcbInfo)),
      identities: ofKind("intel.enclaveIdentity").map((document) =>
        candidate(document, parseEnclaveIdentity),
      ),
    };
    bags.set(endorsements, bag);
  }
  return bag;
}

/** Every certificate once, the first object of each. */
export function uniqueCertificates(certificates: readonly Certificate[]): Certificate[] {
  const bySerial = new Map<string, Certificate[]>();
  return certificates.filter((certificate) => {
    const same = bySerial.get(certificate.serial) ?? [];
    if (same.some((other) => equal(other.der, certificate.der))) return false;
    bySerial.set(certificate.serial, [...same, certificate]);
    return true;
  });
}

const numbers = new WeakMap<object, number>();
let last = 0;

/** A number that stands for an object in cache keys, as long as the object lives. */
export function numberOf(object: object): number {
  let number = numbers.get(object);
  if (number === undefined) {
    number = ++last;
    numbers.set(object, number);
  }
  return number;
}

function candidate<T>(document: SignedDocument, parse: (body: string) => T): Candidate<T> {
  try {
    return { document, content: parse(document.body) };
  } catch (error) {
    if (!(error instanceof AdytonError)) throw error;
    return { document, content: undefined, error };
  }
}
