// SPDX-License-Identifier: Apache-2.0
// The SGX extension of PCK certificates, parsed and encoded (Intel SGX PCK Certificate and CRL Profile
// Specification, section 1.3.5).

import { type Bytes, equal } from "@adyton/core/bytes";
import { type DerValue, encodeDer, parseDer, TAG } from "@adyton/core/der";
import { AdytonError } from "@adyton/core/errors";
import type { Certificate } from "@adyton/core/x509";
import { EvidenceError } from "../errors.ts";

/** The extension's object identifier. */
export const SGX_EXTENSION_OID = "1.2.840.113741.1.13.1";

/** Values of sgxType. */
export type SgxType = "standard" | "scalable" | "scalable-with-integrity";

export interface PckConfiguration {
  /** The platform can be extended with further packages. */
  readonly dynamicPlatform?: boolean;
  /** The platform root keys are cached by Intel's registration service. */
  readonly cachedKeys?: boolean;
  /** Simultaneous multithreading is on. */
  readonly smtEnabled?: boolean;
}

/** What Intel certifies about a platform. */
export interface PckExtension {
  /** 16 bytes. */
  readonly ppid: Uint8Array;
  /** The SVNs of the 16 TCB components, 0 to 255. */
  readonly components: readonly number[];
  readonly pceSvn: number;
  /** 16 bytes. */
  readonly cpuSvn: Uint8Array;
  /** 2 bytes. */
  readonly pceId: Uint8Array;
  /** 6 bytes: family, model, stepping, platform type, custom SKU. */
  readonly fmspc: Uint8Array;
  readonly sgxType: SgxType;
  /** 16 bytes; of certificates by the Platform CA only. */
  readonly platformInstanceId?: Uint8Array;
  /** Of certificates by the Platform CA only. */
  readonly configuration?: PckConfiguration;
}

const SGX_TYPES: readonly SgxType[] = ["standard", "scalable", "scalable-with-integrity"];
const COMPONENTS = 16;
const CONFIGURATION = ["dynamicPlatform", "cachedKeys", "smtEnabled"] as const;

/** The SGX extension of a certificate. Throws `INVALID_PCK_CERT` when it is absent, incomplete or malformed. */
export function pckExtensionOf(certificate: Pick<Certificate, "extensions" | "subject">): PckExtension {
  const extension = certificate.extensions.get(SGX_EXTENSION_OID);
  if (extension === undefined) {
    throw invalid(`${certificate.subject.text} has no SGX extension`);
  }
  return parsePckExtension(extension.value);
}

/** Parses the extension's value. Throws `INVALID_PCK_CERT`. */
export function parsePckExtension(value: Uint8Array): PckExtension {
  try {
    return parseFields(value);
  } catch (cause) {
    if (!(cause instanceof AdytonError) || cause instanceof EvidenceError) throw cause;
    throw invalid(cause.message, cause);
  }
}

/** The extension's value: DER, ready for `IssuedExtension.value`. Throws `INVALID_PCK_CERT` on a wrong size. */
export function encodePckExtension(fields: PckExtension): Bytes {
  const { components } = fields;
  if (components.length !== COMPONENTS) throw invalid(`${components.length} TCB components, expected 16`);
  const tcb = [
    ...components.map((svn, i) => member(`2.${i + 1}`, encodeDer.integer(svn))),
    member("2.17", encodeDer.integer(fields.pceSvn)),
    member("2.18", octets(fields.cpuSvn, 16, "CPUSVN")),
  ];
  const { platformInstanceId, configuration } = fields;
  const flags = CONFIGURATION.flatMap((name, i) => {
    const value = configuration?.[name];
    return value === undefined ? [] : [member(`7.${i + 1}`, encodeDer.boolean(value))];
  });
  return encodeDer.sequence(
    member("1", octets(fields.ppid, 16, "PPID")),
    member("2", encodeDer.sequence(...tcb)),
    member("3", octets(fields.pceId, 2, "PCEID")),
    member("4", octets(fields.fmspc, 6, "FMSPC")),
    member("5", encodeDer.enumerated(SGX_TYPES.indexOf(fields.sgxType))),
    ...(platformInstanceId === undefined
      ? []
      : [member("6", octets(platformInstanceId, 16, "platform instance id"))]),
    ...(configuration === undefined ? [] : [member("7", encodeDer.sequence(...flags))]),
  );
}

function parseFields(value: Uint8Array): PckExtension {
  const fields = membersOf(parseDer(value, "SGX extension"), SGX_EXTENSION_OID);
  const tcbField = required(fields, "2");
  const tcb = membersOf(tcbField, `${SGX_EXTENSION_OID}.2`);
  const components = Array.from({ length: COMPONENTS }, (_, i) => {
    const svn = required(tcb, `${i + 1}`).smallInteger();
    if (svn > 255) throw invalid(`TCB component ${i + 1} is ${svn}, expected 0 to 255`);
    return svn;
  });
  const pceSvn = required(tcb, "17").smallInteger();
  if (pceSvn > 0xffff) throw invalid(`PCESVN is ${pceSvn}, expected 0 to 65535`);
  const sgxTypeNumber = required(fields, "5").smallInteger(TAG.ENUMERATED);
  const sgxType = SGX_TYPES[sgxTypeNumber];
  if (sgxType === undefined) throw invalid(`SGX type is ${sgxTypeNumber}, expected 0, 1 or 2`);
  const extension: PckExtension = {
    ppid: octetsOf(fields, "1", 16, "PPID"),
    components,
    pceSvn,
    cpuSvn: octetsOf(tcb, "18", 16, "CPUSVN"),
    pceId: octetsOf(fields, "3", 2, "PCEID"),
    fmspc: octetsOf(fields, "4", 6, "FMSPC"),
    sgxType,
  };
  onlyKnown(fields, 7, SGX_EXTENSION_OID);
  onlyKnown(tcb, 18, `${SGX_EXTENSION_OID}.2`);
  const configuration = fields.get("7");
  return {
    ...extension,
    ...(fields.has("6")
      ? { platformInstanceId: octetsOf(fields, "6", 16, "platform instance id") }
      : undefined),
    ...(configuration === undefined ? undefined : { configuration: parseConfiguration(configuration) }),
  };
}

function parseConfiguration(field: DerValue): PckConfiguration {
  const flags = membersOf(field, `${SGX_EXTENSION_OID}.7`);
  onlyKnown(flags, CONFIGURATION.length, `${SGX_EXTENSION_OID}.7`);
  return Object.fromEntries(
    CONFIGURATION.flatMap((name, i) => {
      const value = flags.get(`${i + 1}`);
      return value === undefined ? [] : [[name, value.boolean()]];
    }),
  );
}

/** SEQUENCE OF SEQUENCE {OID, value}, by the OID's last arc. */
function membersOf(list: DerValue, prefix: string): Map<string, DerValue> {
  const members = new Map<string, DerValue>();
  for (const item of list.sequence()) {
    const [oid, value] = item.sequence(2) as [DerValue, DerValue];
    const name = oid.oid();
    if (!name.startsWith(`${prefix}.`)) throw invalid(`member ${name} does not belong to ${prefix}`);
    const arc = name.slice(prefix.length + 1);
    if (members.has(arc)) throw invalid(`member ${name} occurs twice`);
    members.set(arc, value);
  }
  return members;
}

/** Unknown members are refused: what Intel might add could change what the known ones mean. */
function onlyKnown(members: ReadonlyMap<string, DerValue>, last: number, prefix: string): void {
  for (const arc of members.keys()) {
    const number = Number(arc);
    if (!(number >= 1 && number <= last)) throw invalid(`member ${prefix}.${arc} is unknown`);
  }
}

function required(members: ReadonlyMap<string, DerValue>, arc: string): DerValue {
  const value = members.get(arc);
  if (value === undefined) throw invalid(`member ${arc} is missing`);
  return value;
}

function octetsOf(
  members: ReadonlyMap<string, DerValue>,
  arc: string,
  length: number,
  name: string,
): Uint8Array {
  const bytes = required(members, arc).octetString();
  if (bytes.length !== length) throw invalid(`${name} has ${bytes.length} bytes, expected ${length}`);
  return bytes;
}

function octets(bytes: Uint8Array, length: number, name: string): Bytes {
  if (bytes.length !== length) throw invalid(`${name} has ${bytes.length} bytes, expected ${length}`);
  return encodeDer.octetString(bytes);
}

function member(arc: string, value: Uint8Array): Bytes {
  return encodeDer.sequence(encodeDer.oid(`${SGX_EXTENSION_OID}.${arc}`), value);
}

function invalid(found: string, cause?: unknown): EvidenceError {
  return new EvidenceError(
    "INVALID_PCK_CERT",
    "malformed",
    `Cannot use PCK certificate: ${found}`,
    cause === undefined ? {} : { cause },
  );
}

/** Whether CPUSVN repeats the components, as it does in every certificate seen. */
export function cpuSvnAgrees(extension: PckExtension): boolean {
  return equal(extension.cpuSvn, Uint8Array.from(extension.components));
}
