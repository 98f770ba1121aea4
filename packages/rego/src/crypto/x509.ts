// SPDX-License-Identifier: Apache-2.0
// Certificates, requests and keys in policies: crypto.x509.*, crypto.parse_private_keys.

import { equal, toBase64 } from "@adyton/core/bytes";
import { parsePem } from "@adyton/core/pem";
import { type Builtin, type BuiltinContext, BuiltinFailure } from "../builtin.ts";
import { define, failure, objectAt, stringAt } from "../builtins/define.ts";
import { toBigInt } from "../number.ts";
import { ANY, arrayOf, BOOLEAN, dictionaryOf, STRING, type Type, tupleOf } from "../types.ts";
import { entriesOf, kindOf, type PlainObject, type RegoNumber, RegoSet, type Value } from "../value.ts";
import { type ParsedCertificate, parseCertificates } from "./certificate.ts";
import { type ChainOptions, verifyChain } from "./chain.ts";
import { PURPOSES } from "./extensions.ts";
import { guarded, stepsFor } from "./guard.ts";
import { decodeBase64, pemOrDer } from "./input.ts";
import { goValueOf, jwkOf, type PrivateKeyParts, privateKeyOf, spkiOf } from "./private-key.ts";
import { parseRequest } from "./request.ts";

const RECORD: Type = dictionaryOf(STRING, ANY);
const VERDICT: Type = tupleOf(BOOLEAN, arrayOf(RECORD));
const REFUSED: Value = [false, []];
/** Names of purposes at the positions of Go's numbers. */
const USAGES: readonly string[] = [
  "Any",
  "ServerAuth",
  "ClientAuth",
  "CodeSigning",
  "EmailProtection",
  "IPSECEndSystem",
  "IPSECTunnel",
  "IPSECUser",
  "TimeStamping",
  "OCSPSigning",
  "MicrosoftServerGatedCrypto",
  "NetscapeServerGatedCrypto",
  "MicrosoftCommercialCodeSigning",
  "MicrosoftKernelCodeSigning",
].map((name) => `KeyUsage${name}`);

export const x509Builtins: readonly Builtin[] = [
  define(
    "crypto.x509.parse_certificates",
    [STRING],
    arrayOf(RECORD),
    (text: Value, context: BuiltinContext) => parseCertificates(paid(text, 1, context)).map(withUris),
  ),
  // The time of day decides: one call may not stand for another's.
  {
    ...define(
      "crypto.x509.parse_and_verify_certificates",
      [STRING],
      VERDICT,
      (text: Value, context: BuiltinContext) => {
        const certificates = parsedOrRefused(paid(text, 1, context));
        if (certificates === undefined || certificates.length < 2) return REFUSED;
        const chain = verifyChain(
          certificates,
          { at: millisecondsOf(context.now()), dnsName: "", purposes: [] },
          context,
        );
        return chain === undefined ? REFUSED : [true, chain.map(withUris)];
      },
    ),
    nondeterministic: true,
  },
  {
    ...define(
      "crypto.x509.parse_and_verify_certificates_with_options",
      [STRING, RECORD],
      VERDICT,
      (text: Value, options: Value, context: BuiltinContext) => {
        const certificates = parsedOrRefused(paid(text, 1, context));
        const named = objectAt(options, 2);
        if (certificates === undefined) return REFUSED;
        const chosen = chainOptions(named, context);
        if (certificates.length < 2) return REFUSED;
        const chain = verifyChain(certificates, chosen, context);
        return chain === undefined ? REFUSED : [true, chain.map(({ value }) => value)];
      },
    ),
    nondeterministic: true,
  },
  define(
    "crypto.x509.parse_certificate_request",
    [STRING],
    RECORD,
    (text: Value, context: BuiltinContext) => {
      const request = paid(text, 1, context);
      return guarded(() => parseRequest(request));
    },
  ),
  define(
    "crypto.x509.parse_keypair",
    [STRING, STRING],
    RECORD,
    (certificates: Value, key: Value, context: BuiltinContext) => {
      const [chain, secret] = [paid(certificates, 1, context), paid(key, 2, context)];
      return guarded(() => keyPair(parseCertificates(chain), keyIn(secret)));
    },
  ),
  define("crypto.x509.parse_rsa_private_key", [STRING], RECORD, (text: Value, context: BuiltinContext) => {
    const pem = paid(text, 1, context);
    if (pem === "") throw failure("input PEM data was empty");
    return guarded(() => {
      const [first] = keysIn(pem.startsWith("-----BEGIN") ? pem : latin1(decodeBase64(pem)));
      return first === undefined ? null : jwkOf(first);
    });
  }),
  define("crypto.parse_private_keys", [STRING], arrayOf(RECORD), (text: Value, context: BuiltinContext) => {
    const pem = paid(text, 1, context);
    if (pem === "") return null;
    return guarded(() => keysIn(decodedOr(pem)).map(goValueOf));
  }),
];

function paid(value: Value, position: number, context: BuiltinContext): string {
  const text = stringAt(value, position);
  // Parsing costs more than reading.
  context.spend(8 * stepsFor(text.length));
  return text;
}

/** Undefined for what is no certificates: then nothing is verified, and that is the answer. */
function parsedOrRefused(text: string): ParsedCertificate[] | undefined {
  try {
    return parseCertificates(text);
  } catch (error) {
    if (error instanceof BuiltinFailure) return undefined;
    throw error;
  }
}

function withUris({ value, extensions }: ParsedCertificate): Value {
  const { uris } = extensions.names;
  return { ...value, URIStrings: uris.length === 0 ? null : uris.map(({ text }) => text) };
}

function millisecondsOf(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000n);
}

function chainOptions(options: ReturnType<typeof objectAt>, context: BuiltinContext): ChainOptions {
  let dnsName = "";
  let at: number | undefined;
  let purposes: readonly string[] = [];
  for (const [name, value] of entriesOf(options)) {
    switch (name) {
      case "DNSName":
        if (typeof value !== "string") throw failure("'DNSName' should be a string");
        dnsName = value.replace(/^"+|"+$/g, "");
        break;
      case "CurrentTime":
        at = millisecondsOf(nanosecondsOf(value));
        break;
      // Bounds what Go's older checks of name constraints did; here the evaluation's own limit does.
      case "MaxConstraintComparisons":
        if (typeof value !== "number" || !Number.isSafeInteger(value))
          throw failure("'MaxConstraintComparisons' should be a number");
        break;
      case "KeyUsages":
        purposes = purposesOf(value);
        break;
      default:
        if (typeof name === "string") throw failure("invalid key option");
    }
  }
  return { at: at ?? millisecondsOf(context.now()), dnsName, purposes };
}

function nanosecondsOf(value: Value): bigint {
  const whole = kindOf(value) === "number" ? toBigInt(value as RegoNumber) : undefined;
  if (whole === undefined || BigInt.asIntN(64, whole) !== whole)
    throw failure("'CurrentTime' should be a valid int64 number");
  return whole;
}

function purposesOf(value: Value): readonly string[] {
  if (!Array.isArray(value) && !(value instanceof RegoSet))
    throw failure("'KeyUsages' should be an Array or Set");
  const names = (value instanceof RegoSet ? value.sorted() : value).filter(
    (name) => typeof name === "string",
  );
  return names.map((name) => {
    const oid = PURPOSES[USAGES.indexOf(name.replace(/^"+|"+$/g, ""))];
    if (oid === undefined) throw failure("invalid entries for 'KeyUsages' found");
    return oid;
  });
}

/** Base64 of PEM, or PEM. */
function decodedOr(text: string): string {
  return /^[A-Za-z0-9+/=\r\n]*$/.test(text) && text.replace(/[\r\n]/g, "").length % 4 === 0
    ? latin1(decodeBase64(text))
    : text;
}

function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

function keysIn(pem: string): PrivateKeyParts[] {
  return parsePem(pem).flatMap(({ label, der }) => privateKeyOf(label, der) ?? []);
}

/** One key: PEM, base64 of PEM, or base64 of PKCS #8. */
function keyIn(text: string): PrivateKeyParts {
  const found = pemOrDer(text);
  const keys =
    "der" in found
      ? [privateKeyOf("PRIVATE KEY", found.der)]
      : found.blocks.map(({ label, der }) => privateKeyOf(label, der));
  const key = keys.find((candidate) => candidate !== undefined);
  if (key === undefined) throw failure("tls: failed to find any PEM data in key input");
  return key;
}

/** Go's `tls.Certificate`: the chain, and the key that belongs to its first certificate. */
function keyPair(certificates: readonly ParsedCertificate[], key: PrivateKeyParts): PlainObject {
  const [leaf] = certificates;
  if (leaf === undefined) throw failure("tls: failed to find any PEM data in certificate input");
  if (!equal(leaf.spki, spkiOf(key))) throw failure("tls: private key does not match public key");
  return {
    Certificate: certificates.map(({ der }) => toBase64(der)),
    PrivateKey: goValueOf(key),
    Leaf: leaf.value,
    OCSPStaple: null,
    SignedCertificateTimestamps: null,
    SupportedSignatureAlgorithms: null,
  };
}
