// SPDX-License-Identifier: Apache-2.0
// Intel's signed documents (TCB info, enclave identities, TCB evaluation data numbers), out of whatever JSON carries them.
// Intel signs the text of an inner object, so the text is kept as received (PCS API v4, "Get TCB Info").

import { fromHex } from "@adyton/core/bytes";
import { type JsonObject, parseJsonDocument } from "@adyton/core/json";
import { readArmoured } from "../armour.ts";
import { type Endorsements, mergeEndorsements, NO_ENDORSEMENTS, type SignedDocument } from "../bag.ts";
import { EvidenceError } from "../errors.ts";

type DocumentKind = SignedDocument["kind"];

/** Members of an Intel API response, each beside a "signature" member. */
const RESPONSE_MEMBERS: readonly (readonly [member: string, kind: DocumentKind])[] = [
  ["tcbInfo", "intel.tcbInfo"],
  ["enclaveIdentity", "intel.enclaveIdentity"],
  ["tcbEvaluationDataNumbers", "intel.tcbEvaluationDataNumbers"],
];

/** Members of PCCS-style collateral: a string with the signed text, and where its signature stands. */
const COLLATERAL_DOCUMENTS: readonly (readonly [member: string, signature: string, kind: DocumentKind])[] = [
  ["tcb_info", "tcb_info_signature", "intel.tcbInfo"],
  ["qe_identity", "qe_identity_signature", "intel.enclaveIdentity"],
];

/** Members of PCCS-style collateral that hold PEM or hex. */
const COLLATERAL_CERTIFICATES = [
  "pck_certificate_chain",
  "pck_crl_issuer_chain",
  "root_ca_crl",
  "pck_crl",
  "tcb_info_issuer_chain",
  "qe_identity_issuer_chain",
] as const;

/** Reads an Intel API response or a PCCS-style collateral object. Throws `UNKNOWN_ENDORSEMENT` when it is neither. */
export function readIntelJson(text: string, name: string): Endorsements {
  const document = parseJsonDocument(text);
  const { value } = document;
  for (const [member, kind] of RESPONSE_MEMBERS) {
    const body = document.text(member);
    if (body !== undefined)
      return ofDocument({ kind, body, signature: signatureOf(value, "signature", name) });
  }
  const documents = COLLATERAL_DOCUMENTS.filter(([member]) => typeof value[member] === "string").map(
    ([member, signature, kind]) =>
      ofDocument({ kind, body: value[member] as string, signature: signatureOf(value, signature, name) }),
  );
  const certificates = COLLATERAL_CERTIFICATES.flatMap((member) => {
    const content = value[member];
    return typeof content === "string" && content.trim() !== ""
      ? [readMember(content.trim(), `${name}, ${member}`)]
      : [];
  });
  if (documents.length + certificates.length === 0) {
    throw new EvidenceError(
      "UNKNOWN_ENDORSEMENT",
      "malformed",
      `Cannot read endorsement ${name}: its JSON is no Intel response and no collateral`,
      {
        detail: { name, members: Object.keys(value).slice(0, 20) },
      },
    );
  }
  return mergeEndorsements(...documents, ...certificates);
}

function readMember(text: string, name: string): Endorsements {
  const read = readArmoured(text, name);
  if (read !== undefined) return read;
  throw new EvidenceError(
    "UNKNOWN_ENDORSEMENT",
    "malformed",
    `Cannot read endorsement ${name}: it is no PEM, hex or base64 of certificates or CRLs`,
    { detail: { name } },
  );
}

function ofDocument(document: SignedDocument): Endorsements {
  return { ...NO_ENDORSEMENTS, documents: [document] };
}

function signatureOf(value: JsonObject, member: string, name: string): Uint8Array {
  const hex = value[member];
  if (typeof hex !== "string") {
    throw new EvidenceError(
      "UNKNOWN_ENDORSEMENT",
      "malformed",
      `Cannot read endorsement ${name}: ${member} is missing`,
      {
        detail: { name, member },
      },
    );
  }
  return fromHex(hex);
}
