// SPDX-License-Identifier: Apache-2.0
// The extensions of a certificate (RFC 5280 section 4.2): for checking chains, and as OPA shows them.

import { type DerValue, parseDer, TAG } from "@adyton/core/der";
import { failure } from "../builtins/define.ts";
import type { Value } from "../value.ts";
import { addressText, bytesValue, ia5, listValue, oidValue } from "./asn1.ts";
import { type ParsedUrl, parseUrl } from "./url.ts";

export interface Extension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array;
}

/** Subject alternative names. */
export interface Names {
  readonly dns: readonly string[];
  readonly emails: readonly string[];
  readonly addresses: readonly Uint8Array[];
  readonly uris: readonly ParsedUrl[];
}

/** One side of name constraints (RFC 5280 section 4.2.1.10). */
export interface Subtrees {
  readonly dns: readonly string[];
  readonly emails: readonly string[];
  readonly uris: readonly string[];
  readonly ranges: readonly { readonly address: Uint8Array; readonly mask: Uint8Array }[];
}

export interface Constraints {
  readonly permitted: Subtrees;
  readonly excluded: Subtrees;
}

export interface Extensions {
  /** In the order they stand. */
  readonly list: readonly Extension[];
  /** Undefined without the extension. `maxPathLength` is -1 where none is named. */
  readonly basic: { readonly isCa: boolean; readonly maxPathLength: number } | undefined;
  /** Bits as Go numbers them; 0 without the extension. */
  readonly keyUsage: number;
  /** OIDs of purposes; empty without the extension. */
  readonly purposes: readonly string[];
  readonly names: Names;
  readonly constraints: Constraints | undefined;
  /** Critical extensions that nobody here understands. */
  readonly unhandled: readonly string[];
  /** Members of `x509.Certificate` in JSON. */
  readonly value: { readonly [key: string]: Value };
}

export const OID_SUBJECT_ALTERNATIVE_NAME = "2.5.29.17";
const OID_AUTHORITY_INFO = "1.3.6.1.5.5.7.1.1";
const OID_OCSP = "1.3.6.1.5.5.7.48.1";
const OID_ISSUERS = "1.3.6.1.5.5.7.48.2";
/** OIDs of extended key usages at the positions of Go's numbers. */
export const PURPOSES: readonly string[] = [
  "2.5.29.37.0",
  ...Array.from({ length: 9 }, (_, i) => `1.3.6.1.5.5.7.3.${i + 1}`),
  "1.3.6.1.4.1.311.10.3.3",
  "2.16.840.1.113730.4.1",
  "1.3.6.1.4.1.311.2.1.22",
  "1.3.6.1.4.1.311.61.1.1",
];
const MAX_EXTENSIONS = 64;
const NO_NAMES: Names = { dns: [], emails: [], addresses: [], uris: [] };

/** What `sequence`, the list of extensions, says; undefined stands for no extensions. */
export function parseExtensions(sequence: DerValue | undefined): Extensions {
  const list = sequence === undefined ? [] : extensionList(sequence);
  const of = (oid: string): DerValue | undefined => {
    const found = list.find((extension) => extension.oid === oid);
    return found === undefined ? undefined : parseDer(found.value, `extension ${oid}`);
  };
  for (const oid of ["2.5.29.14", "2.5.29.35", OID_AUTHORITY_INFO]) {
    if (list.some((extension) => extension.oid === oid && extension.critical))
      throw failure(`x509: extension ${oid} incorrectly marked critical`);
  }
  const basic = basicConstraintsOf(of("2.5.29.19"));
  const keyUsage = [...(of("2.5.29.15")?.namedBits() ?? [])].reduce(
    (bits, bit) => (bit < 9 ? bits | (1 << bit) : bits),
    0,
  );
  const purposes =
    of("2.5.29.37")
      ?.sequence()
      .map((purpose) => purpose.oid()) ?? [];
  const names = alternativeNames(of(OID_SUBJECT_ALTERNATIVE_NAME));
  const { constraints, unknown } = constraintsOf(of("2.5.29.30"));
  const policies = of("2.5.29.32")
    ?.sequence()
    .map((policy) => policy.sequence()[0]?.oid() ?? "");
  if (new Set(policies).size !== (policies?.length ?? 0)) throw failure("x509: invalid certificate policies");
  const access = (method: string): Value =>
    listValue(
      (of(OID_AUTHORITY_INFO)?.sequence() ?? [])
        .map((description) => description.sequence(2) as [DerValue, DerValue])
        .filter(([id, location]) => id.oid() === method && location.is(0x86))
        .map(([, location]) => ia5(location.contents)),
    );
  const policyNumbers = policyConstraints(of("2.5.29.36"));
  const inhibitAny = of("2.5.29.54")?.smallInteger();
  const understood: Readonly<Record<string, boolean>> = {
    "2.5.29.15": true,
    "2.5.29.19": true,
    [OID_SUBJECT_ALTERNATIVE_NAME]: Object.values(names).some((kind) => kind.length > 0),
    "2.5.29.30": !unknown,
    "2.5.29.31": true,
    "2.5.29.32": true,
    "2.5.29.33": true,
    "2.5.29.36": true,
    "2.5.29.37": true,
    "2.5.29.54": true,
  };
  const unhandled = list
    .filter(({ oid, critical }) => critical && understood[oid] !== true)
    .map(({ oid }) => oid);
  const subtrees = (side: Subtrees | undefined, prefix: string): { [key: string]: Value } => ({
    [`${prefix}DNSDomains`]: listValue(side?.dns ?? []),
    [`${prefix}IPRanges`]: listValue(
      (side?.ranges ?? []).map(({ address, mask }) => ({ IP: addressText(address), Mask: bytesValue(mask) })),
    ),
    [`${prefix}EmailAddresses`]: listValue(side?.emails ?? []),
    [`${prefix}URIDomains`]: listValue(side?.uris ?? []),
  });
  return {
    list,
    basic,
    keyUsage,
    purposes,
    names,
    constraints,
    unhandled,
    value: {
      KeyUsage: keyUsage,
      Extensions: extensionsValue(list),
      ExtraExtensions: null,
      UnhandledCriticalExtensions: listValue(unhandled.map(oidValue)),
      ExtKeyUsage: listValue(
        purposes.filter((oid) => PURPOSES.includes(oid)).map((oid) => PURPOSES.indexOf(oid)),
      ),
      UnknownExtKeyUsage: listValue(purposes.filter((oid) => !PURPOSES.includes(oid)).map(oidValue)),
      BasicConstraintsValid: basic !== undefined,
      IsCA: basic?.isCa ?? false,
      MaxPathLen: basic?.maxPathLength ?? 0,
      MaxPathLenZero: basic?.maxPathLength === 0,
      SubjectKeyId: bytesValue(of("2.5.29.14")?.octetString()),
      AuthorityKeyId: bytesValue(authorityKeyId(of("2.5.29.35"))),
      OCSPServer: access(OID_OCSP),
      IssuingCertificateURL: access(OID_ISSUERS),
      ...namesValue(names),
      ...subtrees(constraints?.permitted, "Permitted"),
      ...subtrees(constraints?.excluded, "Excluded"),
      PermittedDNSDomainsCritical: list.some(({ oid, critical }) => oid === "2.5.29.30" && critical),
      CRLDistributionPoints: listValue(distributionPoints(of("2.5.29.31"))),
      PolicyIdentifiers: policies === undefined ? null : policies.map(oidValue),
      Policies: policies === undefined ? null : listValue(policies),
      PolicyMappings: listValue(
        (of("2.5.29.33")?.sequence() ?? []).map((mapping) => {
          const [issuer, subject] = mapping.sequence(2) as [DerValue, DerValue];
          return { IssuerDomainPolicy: issuer.oid(), SubjectDomainPolicy: subject.oid() };
        }),
      ),
      RequireExplicitPolicy: policyNumbers[0] ?? 0,
      RequireExplicitPolicyZero: policyNumbers[0] === 0,
      InhibitPolicyMapping: policyNumbers[1] ?? 0,
      InhibitPolicyMappingZero: policyNumbers[1] === 0,
      InhibitAnyPolicy: inhibitAny ?? 0,
      InhibitAnyPolicyZero: inhibitAny === 0,
    },
  };
}

/** As `pkix.Extension` shows them. */
export function extensionsValue(list: readonly Extension[]): Value {
  return listValue(
    list.map(({ oid, critical, value }) => ({
      Id: oidValue(oid),
      Critical: critical,
      Value: bytesValue(value),
    })),
  );
}

/** Extensions in order, none twice. Unlike DER, `critical` may be written out as false. */
export function extensionList(sequence: DerValue): readonly Extension[] {
  const list: Extension[] = [];
  for (const item of sequence.sequence()) {
    const parts = item.sequence();
    const [id, flag] = parts;
    const content = parts.at(-1);
    if (id === undefined || flag === undefined || content === undefined || parts.length > 3)
      throw failure("x509: malformed extension");
    const oid = id.oid();
    if (list.some((other) => other.oid === oid))
      throw failure(`x509: certificate contains duplicate extension ${oid}`);
    if (list.length === MAX_EXTENSIONS) throw failure(`x509: more than ${MAX_EXTENSIONS} extensions`);
    list.push({ oid, critical: parts.length === 3 && flag.boolean(), value: content.octetString() });
  }
  return list;
}

function basicConstraintsOf(value: DerValue | undefined): Extensions["basic"] {
  if (value === undefined) return undefined;
  const parts = value.sequence();
  const isCa = parts[0]?.is(TAG.BOOLEAN) ? (parts.shift()?.boolean() ?? false) : false;
  const maxPathLength = parts.shift()?.smallInteger() ?? -1;
  if (parts.length > 0) throw failure("x509: invalid basic constraints");
  return { isCa, maxPathLength };
}

/** The names in the extension; kinds that Go does not know are passed over. */
export function alternativeNames(value: DerValue | undefined): Names {
  if (value === undefined) return NO_NAMES;
  const [dns, emails, addresses, uris]: [string[], string[], Uint8Array[], ParsedUrl[]] = [[], [], [], []];
  for (const { tag, contents } of value.sequence()) {
    if (tag === 0x81) emails.push(ia5(contents));
    else if (tag === 0x82) dns.push(ia5(contents));
    else if (tag === 0x86) {
      const url = parseUrl(ia5(contents));
      if (!isDomain(url.host)) throw failure("x509: cannot parse URI: invalid domain");
      uris.push(url);
    } else if (tag === 0x87) {
      if (contents.length !== 4 && contents.length !== 16) throw failure("x509: cannot parse IP address");
      addresses.push(contents);
    }
  }
  return { dns, emails, addresses, uris };
}

export function namesValue({ dns, emails, addresses, uris }: Names): { readonly [key: string]: Value } {
  return {
    DNSNames: listValue(dns),
    EmailAddresses: listValue(emails),
    IPAddresses: listValue(addresses.map(addressText)),
    URIs: listValue(uris.map((uri) => uri.value)),
  };
}

function constraintsOf(value: DerValue | undefined): {
  constraints: Constraints | undefined;
  unknown: boolean;
} {
  if (value === undefined) return { constraints: undefined, unknown: false };
  const parts = value.sequence();
  let unknown = false;
  const side = (tag: number): Subtrees => {
    const part = parts[0]?.is(tag) ? parts.shift() : undefined;
    const trees = part === undefined ? [] : part.elements(tag).map((tree) => tree.sequence()[0]);
    const texts = (kind: number): string[] =>
      trees
        .filter((base) => base?.is(kind))
        .map((base) => checkedDomain(ia5(base?.contents ?? new Uint8Array(0)), kind));
    unknown ||= trees.some((base) => base === undefined || ![0x81, 0x82, 0x86, 0x87].includes(base.tag));
    const ranges = trees
      .filter((base) => base?.is(0x87))
      .map((base) => rangeOf(base?.contents ?? new Uint8Array(0)));
    return { dns: texts(0x82), emails: texts(0x81), uris: texts(0x86), ranges };
  };
  const [permitted, excluded] = [side(0xa0), side(0xa1)];
  const isEmpty = [permitted, excluded].every((trees) =>
    Object.values(trees).every((list) => list.length === 0),
  );
  if (parts.length > 0 || (isEmpty && !unknown)) throw failure("x509: invalid NameConstraints extension");
  return { constraints: { permitted, excluded }, unknown };
}

function checkedDomain(text: string, kind: number): string {
  const domain = kind === 0x81 && text.includes("@") ? text.slice(text.lastIndexOf("@") + 1) : text;
  if (!isDomain(domain.replace(/^\./, "")) || (kind === 0x86 && /^[0-9.]+$|:/.test(domain)))
    throw failure("x509: failed to parse name constraint");
  return text;
}

function rangeOf(bytes: Uint8Array): Subtrees["ranges"][number] {
  const half = bytes.length / 2;
  const mask = bytes.subarray(half);
  const bits = Array.from(mask, (byte) => byte.toString(2).padStart(8, "0")).join("");
  if ((half !== 4 && half !== 16) || !/^1*0*$/.test(bits)) throw failure("x509: invalid IP constraint");
  return { address: bytes.subarray(0, half), mask };
}

/** Labels of visible ASCII, none empty; nothing at all is let through, too. */
export function isDomain(text: string): boolean {
  return text === "" || text.split(".").every((label) => /^[!-~]+$/.test(label));
}

function authorityKeyId(value: DerValue | undefined): Uint8Array | undefined {
  const first = value?.sequence()[0];
  return first?.is(0x80) ? first.contents : undefined;
}

function distributionPoints(value: DerValue | undefined): string[] {
  return (value?.sequence() ?? []).flatMap((point) => {
    const name = point.sequence()[0];
    if (!name?.is(0xa0)) return [];
    const full = name.elements(0xa0)[0];
    if (!full?.is(0xa0)) throw failure("x509: invalid CRL distribution point");
    return full
      .elements(0xa0)
      .filter((uri) => uri.is(0x86))
      .map((uri) => ia5(uri.contents));
  });
}

function policyConstraints(value: DerValue | undefined): readonly [number | undefined, number | undefined] {
  const parts = value?.sequence() ?? [];
  const at = (tag: number): number | undefined => parts.find((part) => part.is(tag))?.smallInteger(tag);
  return [at(0x80), at(0x81)];
}
