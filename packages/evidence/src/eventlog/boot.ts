// SPDX-License-Identifier: Apache-2.0
// How the machine came up, told from events whose digests are authentic. Digests are facts; text is one only where a
// digest covers it, and paths never are: nothing is concluded from a name alone.

import { equal, fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import type { JsonObject } from "@adyton/core/json";
import { digestSize, type TpmHash } from "../tpm/algorithms.ts";
import type { Coverage } from "./cover.ts";
import { imageDevicePath, iplText, parseTagged, parseUefiVariable, type UefiVariable } from "./details.ts";
import type { EventDigest, LogEvent } from "./log.ts";
import { EVENT_TYPE } from "./types.ts";

/** An event that a register vouches for. */
export interface CheckedEvent {
  readonly event: LogEvent;
  readonly kind: "pcr" | "rtmr";
  /** Only those of registers that the log replays to. */
  readonly digests: readonly EventDigest[];
  readonly coverage: Coverage;
}

/** Something that was measured by its digest. */
export interface Measured {
  readonly hash: TpmHash;
  /** Hex. */
  readonly digest: string;
  /** What the log calls it. Not authentic. */
  readonly label: string;
}

export interface BootFacts {
  /** Null: the log does not say, or says both. */
  readonly secureBoot: boolean | null;
  /** EFI applications in order, by Authenticode digest: boot loaders, and kernels that start as such. */
  readonly applications: readonly Measured[];
  /** Kernels that a boot loader loaded, by what it measured of them. */
  readonly kernels: readonly Measured[];
  readonly initrds: readonly Measured[];
  /** Kernel command lines as text, each covered by its digest; that it is one, the log says. */
  readonly commandLines: readonly string[];
  /** Command lines that Linux's EFI stub measured as UTF-16 with a NUL, by digest. */
  readonly commandLineDigests: readonly Measured[];
  /** Sections of a unified kernel image, by digest; the names are authentic. */
  readonly sections: readonly Measured[];
  /** The operating system took over, as the firmware says. */
  readonly exitBootServices: boolean;
}

/** EFI_GLOBAL_VARIABLE 8be4df61-93ca-11d2-aa0d-00e098032b8c as it is stored. */
const GLOBAL_VARIABLE = fromHex("61dfe48bca93d211aa0d00e098032b8c");
/** Where the firmware's secure-boot policy is measured. */
const POLICY_INDEX = { pcr: 7, rtmr: 1 } as const;
/** Tags of Linux's EFI stub (include/linux/efi.h). */
const LINUX_TAG = { loadOptions: 0x8f3b22ed, initrd: 0x8f3b22ec } as const;
const EXIT_SUCCESS = fromUtf8("Exit Boot Services Returned with Success");

/** The facts in a log's checked events, in their order. */
export function bootFacts(events: readonly CheckedEvent[]): BootFacts {
  const labelled = events.map((checked) => ({ checked, label: labelOf(checked.event) }));
  const ipl = labelled.filter(
    ({ checked: { event } }) => event.type === EVENT_TYPE.ipl && !isStubSection(event),
  );
  const measured = (list: typeof labelled): Measured[] =>
    list.map(({ checked, label }) => measuredOf(checked, label));
  const tagged = (tag: number): Measured[] =>
    measured(labelled.filter(({ checked }) => tagOf(checked.event) === tag));
  return {
    secureBoot: secureBootOf(events),
    applications: measured(
      labelled.filter(({ checked }) => checked.event.type === EVENT_TYPE.efiBootServicesApplication),
    ),
    kernels: measured(ipl.filter(({ label }) => /^(grub_linuxefi Kernel|(\S*\/)?vmlinuz\S*)$/.test(label))),
    initrds: [
      ...measured(
        ipl.filter(({ label }) => /^(grub_linuxefi Initrd|(\S*\/)?init(rd|ramfs)\S*)$/.test(label)),
      ),
      ...tagged(LINUX_TAG.initrd),
    ],
    commandLines: ipl.flatMap(({ checked: { coverage }, label }) =>
      coverage.part === "text" && /^(grub_)?kernel_cmdline:? /.test(label) ? [coverage.text] : [],
    ),
    commandLineDigests: tagged(LINUX_TAG.loadOptions),
    sections: sectionsOf(events),
    exitBootServices: events.some(
      ({ event, coverage }) => coverage.part === "all" && equal(event.data, EXIT_SUCCESS),
    ),
  };
}

/** The facts as claims. */
export function bootClaims(facts: BootFacts): JsonObject {
  const measured = (list: readonly Measured[]): JsonObject[] =>
    list.map(({ hash, digest, label }) => ({ alg: hash, digest, label }));
  return {
    secure_boot: facts.secureBoot,
    efi_applications: measured(facts.applications),
    kernels: measured(facts.kernels),
    initrds: measured(facts.initrds),
    kernel_command_lines: facts.commandLines,
    kernel_command_line_digests: measured(facts.commandLineDigests),
    uki_sections: measured(facts.sections),
    exit_boot_services: facts.exitBootServices,
  };
}

/** The SecureBoot variable that the firmware measured before its separator; afterwards anybody could add events. */
function secureBootOf(events: readonly CheckedEvent[]): boolean | null {
  const values = new Set<boolean>();
  for (const { event, kind, coverage } of events) {
    if (event.index !== POLICY_INDEX[kind]) continue;
    if (isSeparator(event, coverage)) break;
    if (event.type !== EVENT_TYPE.efiVariableDriverConfig || coverage.part !== "all") continue;
    const variable = variableOf(event.data);
    if (variable?.name !== "SecureBoot" || !equal(variable.guid, GLOBAL_VARIABLE)) continue;
    values.add(variable.data.length === 1 && variable.data[0] === 1);
  }
  return values.size === 1 ? values.has(true) : null;
}

/** By its digest, not its type, which nothing covers: four bytes of 0 or FFh, or the error number 1. */
function isSeparator({ data }: LogEvent, coverage: Coverage): boolean {
  return (
    coverage.part === "all" && data.length === 4 && ["00000000", "ffffffff", "01000000"].includes(toHex(data))
  );
}

/** A systemd stub measures a section's name, then its content, with the same text beside both. */
function sectionsOf(events: readonly CheckedEvent[]): Measured[] {
  const sections: Measured[] = [];
  for (const [i, named] of events.entries()) {
    if (named.coverage.part !== "name" || !isStubSection(named.event)) continue;
    const content = events.slice(i + 1).find(({ event }) => event.index === named.event.index);
    if (content !== undefined) sections.push(measuredOf(content, `.${named.coverage.text}`));
  }
  return sections;
}

/** The stub writes ".linux" and the like in UTF-16; boot loaders' texts are bytes. */
function isStubSection({ type, data }: LogEvent): boolean {
  return type === EVENT_TYPE.ipl && data[0] === 0x2e && data[1] === 0;
}

function measuredOf({ digests }: CheckedEvent, label: string): Measured {
  const best = digests.reduce((a, b) => (digestSize(b.hash) > digestSize(a.hash) ? b : a));
  return { hash: best.hash, digest: toHex(best.digest), label };
}

function labelOf({ type, data }: LogEvent): string {
  try {
    if (type === EVENT_TYPE.ipl) return iplText(data);
    if (type === EVENT_TYPE.efiBootServicesApplication) return imageDevicePath(data).join("/");
    if (type === EVENT_TYPE.eventTag) {
      return new TextDecoder().decode(parseTagged(data).data).replaceAll("\0", "");
    }
  } catch (error) {
    if (!(error instanceof AdytonError)) throw error;
  }
  return "";
}

function tagOf({ type, data }: LogEvent): number | undefined {
  if (type !== EVENT_TYPE.eventTag || data.length < 4) return undefined;
  return new DataView(data.buffer, data.byteOffset).getUint32(0, true);
}

function variableOf(data: Uint8Array): UefiVariable | undefined {
  try {
    return parseUefiVariable(data);
  } catch (error) {
    if (error instanceof AdytonError) return undefined;
    throw error;
  }
}
