// SPDX-License-Identifier: Apache-2.0
// Certificate signing requests (PKCS #10, RFC 2986), as OPA shows them.

import { type DerValue, parseDer, TAG } from "@adyton/core/der";
import { failure } from "../builtins/define.ts";
import type { PlainObject, Value } from "../value.ts";
import { bytesValue, listValue, nameValue, oidValue, stringOf } from "./asn1.ts";
import {
  alternativeNames,
  type Extension,
  extensionList,
  extensionsValue,
  namesValue,
  OID_SUBJECT_ALTERNATIVE_NAME,
} from "./extensions.ts";
import { decodeBase64, pemOrDer } from "./input.ts";
import { shownKeyOf, signatureAlgorithmOf } from "./public-key.ts";

const LABEL = "CERTIFICATE REQUEST";
const OID_EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/** PEM, base64 of PEM, or base64 of DER. The request's own signature is shown, not checked. */
export function parseRequest(text: string): PlainObject {
  // Other armour is no base64, and refused as such.
  if (!text.startsWith(`-----BEGIN ${LABEL}-----`)) decodeBase64(text);
  const found = pemOrDer(text);
  if ("der" in found) return requestOf(found.der);
  const [block] = found.blocks;
  if (block?.label !== LABEL) throw failure("invalid PEM-encoded certificate signing request");
  return requestOf(block.der);
}

function requestOf(der: Uint8Array): PlainObject {
  const [info, algorithm, signature] = parseDer(der, "certificate request").sequence(3) as [
    DerValue,
    DerValue,
    DerValue,
  ];
  const [version, subject, spki, attributes] = info.sequence(4) as [DerValue, DerValue, DerValue, DerValue];
  const list = attributes.elements(0xa0);
  const extensions = requestedExtensions(list);
  const names = extensions.find(({ oid }) => oid === OID_SUBJECT_ALTERNATIVE_NAME);
  const key = shownKeyOf(spki.encoded);
  return {
    Raw: bytesValue(der),
    RawTBSCertificateRequest: bytesValue(info.encoded),
    RawSubjectPublicKeyInfo: bytesValue(spki.encoded),
    RawSubject: bytesValue(subject.encoded),
    Version: version.smallInteger(),
    Signature: bytesValue(signature.bitString()),
    SignatureAlgorithm: signatureAlgorithmOf(algorithm).number,
    PublicKeyAlgorithm: key.kind,
    PublicKey: key.value,
    Subject: nameValue(subject),
    Attributes: listValue(list.flatMap(attributeValue)),
    Extensions: extensionsValue(extensions),
    ExtraExtensions: null,
    ...namesValue(
      alternativeNames(names === undefined ? undefined : parseDer(names.value, "alternative names")),
    ),
  };
}

/** RFC 2985 section 5.4.2. */
function requestedExtensions(attributes: readonly DerValue[]): readonly Extension[] {
  const all = attributes.flatMap((attribute) => {
    const [type, values] = attribute.sequence(2) as [DerValue, DerValue];
    const first = type.oid() === OID_EXTENSION_REQUEST ? values.elements(TAG.SET)[0] : undefined;
    return first === undefined ? [] : extensionList(first);
  });
  if (new Set(all.map(({ oid }) => oid)).size !== all.length)
    throw failure("x509: certificate request contains duplicate requested extensions");
  return all;
}

/** Go shows an attribute as lists of pairs, and passes over those that are something else. */
function attributeValue(attribute: DerValue): readonly Value[] {
  const [type, values] = attribute.sequence(2) as [DerValue, DerValue];
  const sets = values.elements(TAG.SET);
  if (!sets.every((set) => set.is(TAG.SEQUENCE) && set.sequence().every(isPair))) return [];
  return [
    {
      Type: oidValue(type.oid()),
      Value: sets.map((set) =>
        set.sequence().map((pair) => {
          // Of an extension that is marked critical, Go takes the mark for the value.
          const [id, content] = pair.sequence() as [DerValue, DerValue];
          return { Type: oidValue(id.oid()), Value: plainValue(content) };
        }),
      ),
    },
  ];
}

function isPair(value: DerValue): boolean {
  if (!value.is(TAG.SEQUENCE)) return false;
  const parts = value.sequence();
  return parts.length >= 2 && parts[0]?.is(TAG.OID) === true;
}

function plainValue(value: DerValue): Value {
  switch (value.tag) {
    case TAG.BOOLEAN:
      return value.boolean();
    case TAG.OCTET_STRING:
      return bytesValue(value.contents);
    case TAG.UTF8_STRING:
    case TAG.PRINTABLE_STRING:
    case TAG.IA5_STRING:
    case TAG.T61_STRING:
      return stringOf(value);
    default:
      return null;
  }
}
