// SPDX-License-Identifier: Apache-2.0
// What an event's data says, by its type, under Trustee's names. It is what the firmware wrote: text for people and
// policies, authentic only where a digest covers it.

import { equal, toBase64, toHex } from "@adyton/core/bytes";
import { Reader } from "@adyton/core/cursor";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { devicePathTexts, utf16 } from "./device-path.ts";
import type { LogEvent } from "./log.ts";
import { EVENT_TYPE } from "./types.ts";

/** UEFI_VARIABLE_DATA, TCG PC Client Platform Firmware Profile 1.06, section 10.2.6. */
export interface UefiVariable {
  /** 16 bytes as they stand. */
  readonly guid: Uint8Array;
  readonly name: string;
  readonly data: Uint8Array;
}

/** Tag of an attestation agent's events: "AAEL" as a little-endian number. */
const AAEL_TAG = 0x4141454c;
const STUB_PREFIX = Uint8Array.of(0x2e, 0);

/** The details of an event, empty when its data is not what its type has. Never throws. */
export function eventDetails(event: LogEvent): JsonObject {
  try {
    return detailsOf(event);
  } catch (error) {
    if (error instanceof AdytonError) return {};
    throw error;
  }
}

/** The UEFI variable in an event's data. Throws `OUT_OF_BOUNDS` or `TRAILING_BYTES`. */
export function parseUefiVariable(data: Uint8Array): UefiVariable {
  const reader = new Reader(data, "UEFI variable");
  const guid = reader.bytes(16, "VariableName");
  const characters = reader.u64le("UnicodeNameLength");
  const length = reader.u64le("VariableDataLength");
  const name = utf16(reader.bytes(sizeOf(2n * characters), "UnicodeName"));
  const value = reader.bytes(sizeOf(length), "VariableData");
  reader.end();
  return { guid, name, data: value };
}

/** The device path of an image's load event, section 10.2.3. Throws `OUT_OF_BOUNDS` or `TRAILING_BYTES`. */
export function imageDevicePath(data: Uint8Array): string[] {
  const reader = new Reader(data, "image load event");
  reader.bytes(24, "image location, length and link address");
  const path = reader.bytes(sizeOf(reader.u64le("LengthOfDevicePath")), "DevicePath");
  reader.end();
  return devicePathTexts(path);
}

/** A TCG_PCClientTaggedEvent, section 10.2.7; bytes after its data, which some write, are left out. */
export function parseTagged(data: Uint8Array): { readonly tag: number; readonly data: Uint8Array } {
  const reader = new Reader(data, "tagged event");
  const tag = reader.u32le("taggedEventID");
  return { tag, data: reader.bytes(reader.u32le("taggedEventDataSize"), "taggedEventData") };
}

/** The text of an EV_IPL event: up to the first NUL, or the section name that a systemd stub writes in UTF-16. */
export function iplText(data: Uint8Array): string {
  if (equal(data.subarray(0, 2), STUB_PREFIX) && data.length % 2 === 0)
    return utf16(data.subarray(2)).replace(/\0+$/, "");
  const end = data.indexOf(0);
  const text = data.subarray(0, end === -1 ? data.length : end);
  return utf8(text) ?? toHex(data);
}

function detailsOf({ type, data }: LogEvent): JsonObject {
  switch (type) {
    case EVENT_TYPE.postCode:
    case EVENT_TYPE.action:
    case EVENT_TYPE.compactHash:
    case EVENT_TYPE.omitBootDeviceEvents:
    case EVENT_TYPE.efiAction:
      return { string: utf8(data) ?? toHex(data) };
    case EVENT_TYPE.platformConfigFlags:
      return { string: printable(utf8(data) ?? "") };
    case EVENT_TYPE.ipl:
      return { string: iplText(data) };
    case EVENT_TYPE.eventTag:
      return taggedDetails(data);
    case EVENT_TYPE.efiVariableDriverConfig:
    case EVENT_TYPE.efiVariableBoot:
    case EVENT_TYPE.efiVariableBoot2:
    case EVENT_TYPE.efiVariableAuthority:
      return variableDetails(parseUefiVariable(data));
    case EVENT_TYPE.efiBootServicesApplication: {
      const paths = imageDevicePath(data);
      return paths.length === 0 ? {} : { device_paths: paths };
    }
    case EVENT_TYPE.efiHandoffTables2:
    case EVENT_TYPE.efiPlatformFirmwareBlob2:
      return describedDetails(data);
    default:
      return {};
  }
}

function variableDetails({ guid, name, data }: UefiVariable): JsonObject {
  const hex = toHex(guid);
  return {
    unicode_name: name,
    unicode_name_length: name.length,
    variable_data: toBase64(data),
    variable_data_length: data.length,
    // Trustee shows the GUID's bytes in the order they are stored.
    variable_name: [
      hex.slice(0, 8),
      hex.slice(8, 12),
      hex.slice(12, 16),
      hex.slice(16, 20),
      hex.slice(20),
    ].join("-"),
  };
}

/** Description size, description, and more. The size counts a NUL at times. */
function describedDetails(data: Uint8Array): JsonObject {
  const reader = new Reader(data, "described event");
  const text = utf8(reader.bytes(reader.u8("description size"), "description"));
  return text === undefined ? {} : { string: text.replace(/\0+$/, "") };
}

function taggedDetails(data: Uint8Array): JsonObject {
  const tagged = parseTagged(data);
  const text = (utf8(tagged.data) ?? toHex(tagged.data)).replaceAll("\0", "");
  if (tagged.tag !== AAEL_TAG) return { string: text };
  const parts = /^([^ ]+) ([^ ]+) ([\s\S]*)$/.exec(text);
  if (parts === null) return { string: text, unicode_name: "AAEL" };
  const [, domain = "", operation = "", content = ""] = parts;
  return { data: { content: contentOf(content), domain, operation }, string: text, unicode_name: "AAEL" };
}

/** A JSON object as such, anything else as text. */
function contentOf(text: string): JsonValue {
  if (!text.startsWith("{")) return text;
  try {
    const value = parseJson(text);
    return isJsonObject(value) ? value : text;
  } catch {
    return text;
  }
}

function utf8(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  return [...text].filter((c) => !/\p{Cc}/u.test(c)).join("");
}

/** A 64-bit length as a number; one beyond any log becomes a length beyond the end. */
function sizeOf(length: bigint): number {
  return length > 0xffffffffn ? 0xffffffff : Number(length);
}
