// SPDX-License-Identifier: Apache-2.0
// Numbers of the TPM 2.0 Library (revision 1.59), part 2: tags (6.9), command codes (6.5.2), handles (7.4),
// capabilities (6.12) and properties (6.13).

export const TAG = { noSessions: 0x8001, sessions: 0x8002 } as const;

export const COMMAND = {
  createPrimary: 0x131,
  pcrExtend: 0x182,
  policySecret: 0x151,
  activateCredential: 0x147,
  nvRead: 0x14e,
  create: 0x153,
  load: 0x157,
  unseal: 0x15e,
  quote: 0x158,
  flushContext: 0x165,
  nvReadPublic: 0x169,
  readPublic: 0x173,
  startAuthSession: 0x176,
  getCapability: 0x17a,
  pcrRead: 0x17e,
  policyPcr: 0x17f,
} as const;

/** TPM_RH and TPM_RS: handles that every TPM has. */
export const HANDLE = {
  owner: 0x40000001,
  null: 0x40000007,
  password: 0x40000009,
  endorsement: 0x4000000b,
} as const;

/** First handles of a kind, and the last of persistent objects. */
export const RANGE = {
  nvIndex: 0x01000000,
  nvIndexEnd: 0x01ffffff,
  persistent: 0x81000000,
  persistentEnd: 0x81ffffff,
} as const;

export const CAPABILITY = { algorithms: 0, handles: 1, pcrs: 5, properties: 6, curves: 8 } as const;

/** TPM_PT: properties that do not change. */
export const PROPERTY = {
  first: 0x100,
  family: 0x100,
  revision: 0x102,
  manufacturer: 0x105,
  vendorString: 0x106,
  firmwareVersion1: 0x10b,
  firmwareVersion2: 0x10c,
  maxDigest: 0x120,
  nvBufferMax: 0x12c,
} as const;

/** Bytes of the longest command and response: what the kernel passes on (TPM_BUFSIZE). */
export const MAX_MESSAGE = 4096;
/** Bytes of tag, size and code. */
export const HEADER_SIZE = 10;
