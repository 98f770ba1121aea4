// SPDX-License-Identifier: Apache-2.0
// Endorsements as they are received: files, in whatever form their publisher gives them.

import { type Endorsements, mergeEndorsements, readEndorsement } from "@adyton/evidence/endorsements";

export interface ReceivedFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What the files hold, parsed anew. */
export function readAll(files: readonly ReceivedFile[]): Endorsements {
  return mergeEndorsements(...files.map(readEndorsement));
}

/** Certificates, CRLs and vendors' own certificates of a bag, a file each; signed documents travel otherwise. */
export function filesOfBag({ certificates, crls, vendorCertificates = [] }: Endorsements): ReceivedFile[] {
  return [
    ...[...certificates, ...crls].map(({ der }) => der),
    ...vendorCertificates.map(({ bytes }) => bytes),
  ].map((bytes, i) => ({ name: `endorsement ${i}`, bytes }));
}
