// SPDX-License-Identifier: Apache-2.0
// Alibaba Cloud's form of TPM evidence, as the OpenAnolis fork of Trustee reads it: JSON with the attestation key in
// PEM, one quote per PCR bank, the endorsement key's certificate, and the event logs of firmware and agent.

import { type Bytes, concat, toBase64, toHex, toUtf8 } from "@adyton/core/bytes";
import { ecdsaFromDer, ecdsaToDer, fieldSize, keyAlgorithmOf } from "@adyton/core/crypto";
import {
  canonicalJsonBytes,
  isJsonObject,
  type JsonObject,
  type JsonValue,
  parseJson,
} from "@adyton/core/json";
import { parsePem, toPem } from "@adyton/core/pem";
import { parseCertificates } from "@adyton/core/x509";
import type { TpmHash } from "../tpm/algorithms.ts";
import type { TpmSignature } from "../tpm/attest.ts";
import {
  bankOfList,
  base64Member,
  hexMember,
  invalid,
  jsonMembers,
  listMember,
  membersOf,
  PCR_COUNT,
  type TpmEvidence,
  type TpmForm,
} from "../tpm/evidence.ts";
import type { TpmQuote } from "../tpm/quote.ts";

/** SHA-256 of Alibaba Cloud's TPM root certificate ("Aliyun TPM Root CA", valid until 2030). */
export const ALIBABA_ROOTS: readonly string[] = [
  "870d6e888c3531b69983f0aebb7b9802aa097065ae01a825913ad398ce96252f",
];

/** The form's names of PCR banks. */
const BANKS: Readonly<Record<string, TpmHash>> = {
  SHA1: "SHA-1",
  SHA256: "SHA-256",
  SHA384: "SHA-384",
  SHA512: "SHA-512",
  SM3: "SM3",
};
/** The agent cuts report data to this. */
const REPORT_DATA_SIZE = 32;

export const alibabaForm: TpmForm = {
  title: "Alibaba Cloud",
  detect: (bytes) => {
    const members = jsonMembers(bytes);
    return members !== undefined && typeof members.ak_pubkey === "string" && isJsonObject(members.quote);
  },
  parse: (bytes) => parseMembers(membersOf(parseJson(toUtf8(bytes)), "evidence")),
};

/** Evidence in this form; each quote's bank must be its own. */
export function encodeAlibabaEvidence(evidence: Omit<TpmEvidence, "reportDataSize" | "akPublic">): Bytes {
  const [log, agentLog] = evidence.eventLogs;
  const [certificate] = evidence.certificates;
  return canonicalJsonBytes({
    ak_pubkey: toPem("PUBLIC KEY", evidence.akSpki),
    quote: Object.fromEntries(evidence.quotes.map(quoteToJson)),
    ...(certificate === undefined ? {} : { ek_cert: toPem("CERTIFICATE", certificate.der) }),
    ...(log === undefined ? {} : { eventlog: toBase64(log) }),
    ...(agentLog === undefined ? {} : { aa_eventlog: toBase64(agentLog) }),
  });
}

function quoteToJson({ message, signature, pcrs: [bank] }: TpmQuote): [string, JsonObject] {
  const name = Object.keys(BANKS).find((each) => BANKS[each] === bank?.hash) ?? "SHA256";
  const [first = new Uint8Array(), second] = signature.values;
  const value = second === undefined ? first : ecdsaToDer(concat(first, second));
  const pcrs = [...(bank?.values.values() ?? [])].map(toHex);
  return [name, { attest_body: toBase64(message), attest_sig: toBase64(value), pcrs }];
}

function parseMembers(members: JsonObject): TpmEvidence {
  const { ak_pubkey: ak, ek_cert: ek = null, eventlog = null, aa_eventlog: agentLog = null } = members;
  if (typeof ak !== "string") throw invalid("ak_pubkey is no string, expected PEM", { field: "ak_pubkey" });
  const block = parsePem(ak).find(({ label }) => label === "PUBLIC KEY");
  if (block === undefined) throw invalid("ak_pubkey holds no PUBLIC KEY", { field: "ak_pubkey" });
  if (ek !== null && typeof ek !== "string")
    throw invalid("ek_cert is no string, expected PEM", { field: "ek_cert" });
  const quotes = Object.entries(membersOf(members.quote, "quote"));
  if (quotes.length === 0) throw invalid("it has no quote", { field: "quote" });
  return {
    akSpki: block.der,
    quotes: quotes.map(([bank, quote]) => parseQuote(bank, quote, block.der)),
    certificates: ek === null ? [] : parseCertificates(ek),
    eventLogs: [
      ...(eventlog === null ? [] : [base64Member(eventlog, "eventlog")]),
      ...(agentLog === null ? [] : [base64Member(agentLog, "aa_eventlog")]),
    ],
    reportDataSize: REPORT_DATA_SIZE,
  };
}

function parseQuote(name: string, value: JsonValue, akSpki: Uint8Array): TpmQuote {
  const hash = BANKS[name];
  if (hash === undefined)
    throw invalid(`quote has the unknown bank ${JSON.stringify(name)}`, { field: "quote" });
  const quote = membersOf(value, `quote.${name}`);
  const message = base64Member(quote.attest_body, `quote.${name}.attest_body`);
  const pcrs = listMember(quote.pcrs, `quote.${name}.pcrs`, PCR_COUNT).map((pcr, i) =>
    hexMember(pcr, `quote.${name}.pcrs[${i}]`),
  );
  return {
    message,
    signature: signatureOf(base64Member(quote.attest_sig, `quote.${name}.attest_sig`), akSpki),
    pcrs: [bankOfList(pcrs, message, hash)],
  };
}

/** The bare signature: PKCS #1 v1.5, or ECDSA in DER, always over SHA-256. */
function signatureOf(bytes: Uint8Array, akSpki: Uint8Array): TpmSignature {
  const key = keyAlgorithmOf(akSpki);
  if (key.name !== "EC") return { scheme: "RSASSA", hash: "SHA-256", values: [bytes] };
  const joined = ecdsaFromDer(key.curve, bytes);
  const size = fieldSize(key.curve);
  return { scheme: "ECDSA", hash: "SHA-256", values: [joined.subarray(0, size), joined.subarray(size)] };
}
