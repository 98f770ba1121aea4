// SPDX-License-Identifier: Apache-2.0
// Hygon's certificates as csv-rs serialises its structs: every field by name, reserved ones included, so that the bytes
// come back whole. The fields stand in the order of the bytes.

import { type Bytes, concat } from "@adyton/core/bytes";
import { Reader, Writer } from "@adyton/core/cursor";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import { CSV_CA_SIZE, CSV_CERTIFICATE_SIZE } from "./certificates.ts";
import { bytesOf, integerOf, listOf, objectOf } from "./members.ts";

const U16 = 0xffff;
const U32 = 0xffffffff;

/** The 832 bytes of an HRK or HSK struct. Throws `INVALID_ENVELOPE`. */
export function csvCaFromStruct(value: JsonValue | undefined, name: string): Bytes {
  const certificate = objectOf(value, name);
  const body = objectOf(certificate.body, `${name}.body`);
  const preamble = objectOf(body.preamble, `${name}.body.preamble`);
  const data = objectOf(preamble.data, `${name}.body.preamble.data`);
  return new Writer(CSV_CA_SIZE)
    .u32le(integerOf(preamble.ver, U32, `${name} ver`))
    .bytes(bytesOf(data.kid, 16, `${name} kid`), 16, "kid")
    .bytes(bytesOf(data.sid, 16, `${name} sid`), 16, "sid")
    .u32le(integerOf(data.usage, U32, `${name} usage`))
    .bytes(bytesOf(data.reserved, 24, `${name} reserved`), 24, "reserved")
    .bytes(pointFrom(body.pubkey, `${name} pubkey`), 148, "pubkey")
    .bytes(userIdFrom(body, name), 256, "user id")
    .bytes(bytesOf(body.reserved, 108, `${name} reserved`), 108, "reserved")
    .bytes(signatureFrom(certificate.signature, `${name} signature`), 144, "signature")
    .bytes(bytesOf(certificate._reserved, 112, `${name} _reserved`), 112, "reserved")
    .finish();
}

export function csvCaToStruct(bytes: Uint8Array): JsonObject {
  const reader = new Reader(bytes, "Hygon CA certificate");
  const ver = reader.u32le("ver");
  const data = {
    kid: [...reader.bytes(16, "kid")],
    sid: [...reader.bytes(16, "sid")],
    usage: reader.u32le("usage"),
    reserved: [...reader.bytes(24, "reserved")],
  };
  const body = {
    preamble: { ver, data },
    pubkey: pointTo(reader),
    ...userIdTo(reader),
    reserved: [...reader.bytes(108, "reserved")],
  };
  return { body, signature: signatureTo(reader), _reserved: [...reader.bytes(112, "reserved")] };
}

/** The 2084 bytes of a platform certificate's struct. Throws `INVALID_ENVELOPE`. */
export function csvCertificateFromStruct(value: JsonValue | undefined, name: string): Bytes {
  const certificate = objectOf(value, name);
  const body = objectOf(certificate.body, `${name}.body`);
  const data = objectOf(body.data, `${name}.body.data`);
  const firmware = objectOf(data.firmware, `${name}.body.data.firmware`);
  const pubkey = objectOf(data.pubkey, `${name}.body.data.pubkey`);
  const writer = new Writer(CSV_CERTIFICATE_SIZE)
    .u32le(integerOf(body.ver, U32, `${name} ver`))
    .u8(integerOf(firmware.major, 0xff, `${name} major`))
    .u8(integerOf(firmware.minor, 0xff, `${name} minor`))
    .u16le(integerOf(data.reserved1, U16, `${name} reserved1`))
    .u32le(integerOf(pubkey.usage, U32, `${name} usage`))
    .u32le(integerOf(pubkey.algo, U32, `${name} algo`))
    .bytes(pointFrom(pubkey.key, `${name} key`), 148, "key")
    .bytes(userIdFrom(data, name), 256, "user id")
    .bytes(bytesOf(data.sid, 16, `${name} sid`), 16, "sid")
    .bytes(bytesOf(data.reserved2, 608, `${name} reserved2`), 608, "reserved2");
  for (const [index, item] of listOf(certificate.sigs, 2, `${name} sigs`).entries()) {
    const at = `${name} sigs[${index}]`;
    const slot = objectOf(item, at);
    writer
      .u32le(integerOf(slot.usage, U32, `${at}.usage`))
      .u32le(integerOf(slot.algo, U32, `${at}.algo`))
      .bytes(signatureFrom(slot.signature, `${at}.signature`), 144, "signature")
      .bytes(bytesOf(slot._reserved, 368, `${at}._reserved`), 368, "reserved");
  }
  return writer.finish();
}

export function csvCertificateToStruct(bytes: Uint8Array): JsonObject {
  const reader = new Reader(bytes, "Hygon platform certificate");
  const ver = reader.u32le("ver");
  const data = {
    firmware: { major: reader.u8("major"), minor: reader.u8("minor") },
    reserved1: reader.u16le("reserved1"),
    pubkey: { usage: reader.u32le("usage"), algo: reader.u32le("algo"), key: pointTo(reader) },
    ...userIdTo(reader),
    sid: [...reader.bytes(16, "sid")],
    reserved2: [...reader.bytes(608, "reserved2")],
  };
  const slot = (): JsonObject => ({
    usage: reader.u32le("usage"),
    algo: reader.u32le("algo"),
    signature: signatureTo(reader),
    _reserved: [...reader.bytes(368, "reserved")],
  });
  return { body: { ver, data }, sigs: [slot(), slot()] };
}

function pointFrom(value: JsonValue | undefined, name: string): Bytes {
  const key = objectOf(value, name);
  return new Writer(148)
    .u32le(integerOf(key.g, U32, `${name}.g`))
    .bytes(bytesOf(key.x, 72, `${name}.x`), 72, "x")
    .bytes(bytesOf(key.y, 72, `${name}.y`), 72, "y")
    .finish();
}

function pointTo(reader: Reader): JsonObject {
  return { g: reader.u32le("g"), x: [...reader.bytes(72, "x")], y: [...reader.bytes(72, "y")] };
}

function userIdFrom(object: JsonObject, name: string): Bytes {
  return new Writer(256)
    .u16le(integerOf(object.uid_size, U16, `${name} uid_size`))
    .bytes(bytesOf(object.user_id, 254, `${name} user_id`), 254, "user_id")
    .finish();
}

function userIdTo(reader: Reader): JsonObject {
  return { uid_size: reader.u16le("uid_size"), user_id: [...reader.bytes(254, "user_id")] };
}

function signatureFrom(value: JsonValue | undefined, name: string): Bytes {
  const signature = objectOf(value, name);
  return concat(bytesOf(signature.r, 72, `${name}.r`), bytesOf(signature.s, 72, `${name}.s`));
}

function signatureTo(reader: Reader): JsonObject {
  return { r: [...reader.bytes(72, "r")], s: [...reader.bytes(72, "s")] };
}
