// SPDX-License-Identifier: Apache-2.0
// Tags and map labels of CoRIM (draft-ietf-rats-corim-07, appendix A), for reader and encoder.

/** CBOR tags. */
export const TAG = {
  epoch: 1,
  sign1: 18,
  uri: 32,
  uuid: 37,
  oid: 111,
  /** Around either form, in drafts before -05. */
  corim: 500,
  unsigned: 501,
  /** Around the COSE_Sign1, in drafts before -05. */
  signed: 502,
  comid: 506,
  svn: 552,
  minSvn: 553,
  bytes: 560,
} as const;

/** Section 4.1. */
export const CORIM = { id: 0, tags: 1, dependents: 2, profile: 3, validity: 4, entities: 5 } as const;
/** Section 7.3. */
export const VALIDITY = { notBefore: 0, notAfter: 1 } as const;
/** Section 4.2.1 and RFC 9360 section 2; CWT claims: RFC 9597. */
export const HEADER = { contentType: 3, meta: 8, cwtClaims: 15, x5chain: 33 } as const;
/** Section 4.2.2. */
export const META = { signer: 0, validity: 1 } as const;
/** Section 4.2.2.1. */
export const SIGNER = { name: 0 } as const;
/** RFC 8392 section 4. */
export const CWT = { issuer: 1, expires: 4, notBefore: 5 } as const;
/** The present name and that of drafts before -05. */
export const CONTENT_TYPES: readonly string[] = ["application/rim+cbor", "application/corim-unsigned+cbor"];

/** Section 5.1. */
export const COMID = { language: 0, identity: 1, entities: 2, linked: 3, triples: 4 } as const;
export const TRIPLES = { reference: 0 } as const;
/** Section 5.1.4, "Environments" and "Environment Class". */
export const ENVIRONMENT = { class: 0 } as const;
export const CLASS = { id: 0, vendor: 1, model: 2, layer: 3, index: 4 } as const;
/** Section 5.1.4, "Measurements". */
export const MEASUREMENT = { key: 0, value: 1 } as const;
export const VALUE = { version: 0, svn: 1, digests: 2, flags: 3, raw: 4, serial: 8, name: 11 } as const;
export const VERSION = { text: 0 } as const;

/** Section 5.1.4, "Flags", in the order of their labels. */
export const FLAGS = [
  "is_configured",
  "is_secure",
  "is_recovery",
  "is_debug",
  "is_replay_protected",
  "is_integrity_protected",
  "is_runtime_meas",
  "is_immutable",
  "is_tcb",
  "is_confidentiality_protected",
] as const;
export type FlagName = (typeof FLAGS)[number];

/** Digest algorithms by the ids of the named information registry (RFC 6920 section 9.4), with their lengths. */
export const DIGESTS = [
  { id: 1, name: "sha-256", bytes: 32 },
  { id: 7, name: "sha-384", bytes: 48 },
  { id: 8, name: "sha-512", bytes: 64 },
  { id: 10, name: "sha3-256", bytes: 32 },
  { id: 11, name: "sha3-384", bytes: 48 },
  { id: 12, name: "sha3-512", bytes: 64 },
] as const;
export type DigestAlgorithm = (typeof DIGESTS)[number]["name"];
