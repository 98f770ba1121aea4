// SPDX-License-Identifier: Apache-2.0
// What a TPM answers to the attester: response headers and the parameters of every command. The input's first byte says
// which command it answers; later commands of the same task get the same answer.

import {
  activateCredential,
  createAttestationKey,
  createPrimary,
  deriveAttestationKey,
  extendPcr,
  loadKey,
  openTpm,
  pcrBanks,
  quotePcrs,
  readEkCertificates,
  readNv,
  readPcrs,
  readPublic,
  type Tpm,
  tpmProperties,
} from "@adyton/attester/tpm";
import { concat } from "@adyton/core/bytes";
import { encodeTpmPublic, parseTpmPublic, type TpmPublic } from "@adyton/evidence/tpm";
import { tolerantAsync } from "../tolerant.ts";

const NONE = new Uint8Array();
const SELECTION = [{ hash: "SHA-256", indices: [0, 1, 2] }] as const;
const AREA: TpmPublic = parseTpmPublic(
  encodeTpmPublic({
    nameHash: "SHA-256",
    attributes: 0x50472,
    authPolicy: NONE,
    symmetric: undefined,
    scheme: { algorithm: 0x18, hash: "SHA-256" },
    key: { type: "ECC", curve: "P-256", x: new Uint8Array(32).fill(1), y: new Uint8Array(32).fill(2) },
  }),
);
const KEY = { handle: 0x80000000, public: AREA, name: NONE };

/** One task per command that a TPM answers. */
const TASKS: readonly ((tpm: Tpm) => Promise<unknown>)[] = [
  tpmProperties,
  pcrBanks,
  (tpm) => readPcrs(tpm, SELECTION),
  (tpm) => deriveAttestationKey(tpm, "ECDSA"),
  (tpm) => createPrimary(tpm, "owner", NONE),
  (tpm) => createAttestationKey(tpm, "RSASSA"),
  (tpm) => loadKey(tpm, 1, { private: NONE, public: AREA }),
  (tpm) => readPublic(tpm, 1),
  (tpm) => quotePcrs(tpm, { ak: KEY, qualifyingData: NONE, selection: [] }),
  (tpm) => readNv(tpm, 0x01c00002),
  readEkCertificates,
  (tpm) =>
    activateCredential(tpm, { ek: KEY, ak: KEY, challenge: { credentialBlob: NONE, encryptedSecret: NONE } }),
  (tpm) => extendPcr(tpm, 16, [{ hash: "SHA-256", digest: new Uint8Array(32) }]),
];

export async function fuzz(data: Uint8Array): Promise<void> {
  const task = TASKS[(data[0] ?? 0) % TASKS.length];
  const answer = withSize(data.subarray(1));
  const tpm = await openTpm({
    transport: { send: async () => answer, close: async () => undefined },
    wait: async () => undefined,
  });
  if (task !== undefined) await tolerantAsync(() => task(tpm));
}

export function seeds(): Promise<Uint8Array[]> {
  const plain = new Uint8Array([0x80, 1, 0, 0, 0, 0, 0, 0, 0, 0]);
  const authorized = new Uint8Array([0x80, 2, 0, 0, 0, 0, 0, 0, 0, 0]);
  const acknowledged = new Uint8Array([0, 0, 1, 0, 0]);
  const bodies = [
    NONE,
    // Properties: the family and the longest digest.
    Uint8Array.from([0, 0, 0, 0, 6, 0, 0, 0, 2, 0, 0, 1, 0, 0x32, 0x2e, 0x30, 0, 0, 0, 1, 0x20, 0, 0, 0, 64]),
    // Banks: SHA-256 whole.
    Uint8Array.from([0, 0, 0, 0, 5, 0, 0, 0, 1, 0, 0x0b, 3, 0xff, 0xff, 0xff]),
    // PCR 0, 1 and 2.
    concat(
      Uint8Array.from([0, 0, 0, 1, 0, 0, 0, 1, 0, 0x0b, 3, 7, 0, 0, 0, 0, 0, 3]),
      ...[1, 2, 3].flatMap((fill) => [Uint8Array.of(0, 32), new Uint8Array(32).fill(fill)]),
    ),
    // A key's public area, an empty name.
    concat(Uint8Array.of(0, AREA.encoded.length), AREA.encoded, new Uint8Array(4)),
  ];
  const answers = bodies.flatMap((body) => [
    concat(plain, body),
    concat(authorized, Uint8Array.of(0, 0, 0, body.length), body, acknowledged),
  ]);
  return Promise.resolve(TASKS.flatMap((_, i) => answers.map((answer) => concat(Uint8Array.of(i), answer))));
}

/** The size in a response's header set right, so that what lies behind it is reached. */
function withSize(answer: Uint8Array): Uint8Array {
  if (answer.length < 6) return answer;
  const sized = answer.slice();
  new DataView(sized.buffer).setUint32(2, sized.length);
  return sized;
}
