// SPDX-License-Identifier: Apache-2.0
// `adyton reference`: what a good workload looks like, said, shown and taken back by the administrator.

import type {
  ReferenceDocumentType,
  ReferenceFacts,
  ReferenceSubject,
  ReferenceValueFacts,
} from "@adyton/client";
import { toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { readInput } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { timeOf } from "../values.ts";
import { adminOf } from "./place.ts";

type Scalar = string | number | boolean;

const BUNDLE = "application/vnd.dev.sigstore.bundle";
const SUBJECT = /^(.+):([a-z0-9_]+)=([^=]+)$/;

/** JSON: `{id, values}`. */
export async function set(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = "", text = ""] = invocation.arguments;
  const values = valuesIn(text);
  await (await adminOf(invocation, io)).setReferenceValues({ [id]: values });
  if (invocation.json) writeJson(io.stdout, { id, values });
  else io.stderr.write(`Set ${printable(id)}: ${shown(values)}\n`);
  return EXIT.ok;
}

/** JSON: `{type, ids, revoked: [{id, value}]}`. */
export async function add(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [path = "-"] = invocation.arguments;
  const group = invocation.value("group");
  const expires = invocation.value("expires");
  const subjects = invocation.values("subject").map(subjectOf);
  const bytes = await readInput(path, io);
  const type = typeOf(bytes);
  const { references } = await adminOf(invocation, io);
  const { ids, revoked } = await references.add(bytes, type, {
    replace: invocation.flag("replace"),
    ...(group === undefined ? {} : { group }),
    ...(expires === undefined ? {} : { expires: timeOf("expires", expires) }),
    ...(subjects.length === 0 ? {} : { subjects }),
  });
  if (invocation.json) {
    writeJson(io.stdout, { type, ids, revoked });
    return EXIT.ok;
  }
  io.stderr.write(`Added ${printable(ids.join(", "))}\n`);
  for (const { id, value } of revoked)
    io.stderr.write(`Stays revoked: ${printable(`${id} ${JSON.stringify(value)}`)}\n`);
  return EXIT.ok;
}

/** JSON: `{referenceValues: {id: values}, references: [{id, values: [{value, status, voucher…}], revoked}]}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const group = invocation.value("group");
  const status = invocation.value("status");
  const references = await (await adminOf(invocation, io)).references.list({
    ...(group === undefined ? {} : { group }),
    ...(status === undefined ? {} : { status }),
  });
  const chosen = references.flatMap(({ id, values }): (readonly [string, readonly JsonValue[]])[] => {
    const wanted = values.filter((each) => group !== undefined || each.status === (status ?? "live"));
    return wanted.length === 0 ? [] : [[id, [...new Set(wanted.map(({ value }) => value))]]];
  });
  if (invocation.json) {
    writeJson(io.stdout, { referenceValues: Object.fromEntries(chosen), references });
    return EXIT.ok;
  }
  const rows = chosen.map(([id, values]) => [printable(id), printable(shown(values))]);
  if (rows.length > 0) io.stdout.write(`${table(rows, 0)}\n`);
  return EXIT.ok;
}

/** JSON: `{id, values: [{value, status, voucher, by, registered, expires, group?}], revoked}`. */
export async function show(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = ""] = invocation.arguments;
  const facts = await (await adminOf(invocation, io)).references.show(id);
  if (invocation.json) writeJson(io.stdout, facts);
  else io.stdout.write(`${table(rowsOf(facts), 0)}\n`);
  return EXIT.ok;
}

/** JSON: `{id, values?, revoked}`, or `{voucher, revoked}` with their number. */
export async function revoke(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id, text] = invocation.arguments;
  const undo = invocation.flag("undo");
  const keyId = invocation.value("voucher");
  if (keyId !== undefined && (id !== undefined || undo))
    throw misuse(
      "INVALID_VALUE",
      "Cannot revoke what a key vouched for: expected no ID and no --undo beside it",
    );
  if (keyId !== undefined) return revokeVoucher(keyId, invocation, io);
  if (id === undefined) throw misuse("MISSING_VALUE", "Cannot revoke: expected ID, or --voucher KEYID");
  const { references } = await adminOf(invocation, io);
  if (undo && text === undefined)
    throw misuse("INVALID_VALUE", "Cannot take a revocation back: no VALUE was given");
  // A number is revoked as text, too: some TEEs spell it so.
  const values = text === undefined ? undefined : undo ? await knownOf(text, id, references) : valuesIn(text);
  for (const value of values ?? [undefined]) {
    if (!undo) await references.revoke(id, value, invocation.value("reason"));
    else if (value !== undefined) await references.unrevoke(id, value);
  }
  const done = { id, ...(values === undefined ? {} : { values }), revoked: !undo };
  if (invocation.json) writeJson(io.stdout, done);
  else io.stderr.write(`${undo ? "Un-revoked" : "Revoked"} ${named(id, values)}\n`);
  return EXIT.ok;
}

async function revokeVoucher(keyId: string, invocation: Invocation, io: Io): Promise<ExitCode> {
  const { references } = await adminOf(invocation, io);
  const revoked = await references.revokeVoucher(keyId, invocation.value("reason"));
  if (invocation.json) writeJson(io.stdout, { voucher: keyId, revoked });
  else io.stderr.write(`Revoked ${revoked} values that ${keyId} vouched for\n`);
  return EXIT.ok;
}

/** JSON: `{id, values?, expires}`. */
export async function expire(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = "", text] = invocation.arguments;
  const at = invocation.value("at");
  const expires = at === undefined ? io.now() : timeOf("at", at);
  const { references } = await adminOf(invocation, io);
  const values = text === undefined ? undefined : await knownOf(text, id, references);
  for (const value of values ?? [undefined]) await references.expire(id, expires, value);
  const ends = expires.toISOString();
  const done = { id, ...(values === undefined ? {} : { values }), expires: ends };
  if (invocation.json) writeJson(io.stdout, done);
  else io.stderr.write(`${named(id, values)} ends at ${ends}\n`);
  return EXIT.ok;
}

/** JSON: `{id, deleted}`. */
export async function remove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = ""] = invocation.arguments;
  await (await adminOf(invocation, io)).deleteReferenceValue(id);
  if (invocation.json) writeJson(io.stdout, { id, deleted: true });
  else io.stderr.write(`Deleted ${printable(id)}\n`);
  return EXIT.ok;
}

/** What a document is, by how it begins. The services find out whether it is. */
function typeOf(bytes: Uint8Array): ReferenceDocumentType {
  const first = bytes.find((byte) => ![0x20, 0x09, 0x0a, 0x0d, 0xef, 0xbb, 0xbf].includes(byte));
  if (first === 0x3c) return "swid";
  if (first !== 0x7b && first !== 0x5b) return "corim";
  const json = parseJson(toUtf8(bytes));
  const type = isJsonObject(json) ? json.mediaType : undefined;
  return typeof type === "string" && type.startsWith(BUNDLE) ? "provenance" : "sample";
}

function subjectOf(text: string): ReferenceSubject {
  const [, subject, algorithm, id] = SUBJECT.exec(text) ?? [];
  if (subject === undefined || algorithm === undefined || id === undefined) {
    throw misuse(
      "INVALID_VALUE",
      `Cannot take ${JSON.stringify(text)} for --subject: expected FILE:ALGORITHM=ID, for example workload.mjs:sha384=launch_digest`,
    );
  }
  return { subject, algorithm, id };
}

/** Those of the values that text on a line may mean which the services hold, or else what it says. */
async function knownOf(
  text: string,
  id: string,
  references: { show(id: string): Promise<ReferenceFacts> },
): Promise<readonly Scalar[]> {
  const candidates = valuesIn(text);
  const { values, revoked } = await references.show(id);
  const held = [...values, ...revoked].map(({ value }) => value);
  const known = candidates.filter((each) => held.includes(each));
  return known.length === 0 ? candidates.slice(0, 1) : known;
}

function rowsOf({ values, revoked }: ReferenceFacts): string[][] {
  return [
    ...values.map((each) => [
      printable(JSON.stringify(each.value)),
      each.status,
      printable(voucherText(each)),
      `from ${each.registered} by ${printable(each.by)}`,
      `until ${each.expires}`,
      each.group === undefined ? "" : printable(`group ${each.group}`),
    ]),
    ...revoked.map(({ value, at, by, reason }) => [
      printable(JSON.stringify(value)),
      "revoked",
      printable(reason ?? "no reason given"),
      `at ${at} by ${printable(by)}`,
      "",
      "",
    ]),
  ];
}

function voucherText({ voucher: { kind, name, source, verified } }: ReferenceValueFacts): string {
  const who = typeof name === "string" ? name : "nobody by name";
  const from = typeof source === "string" ? ` of ${source}` : "";
  return `${String(kind)}: ${who}${from}${verified === true ? ", signed" : ", unsigned"}`;
}

function named(id: string, values: readonly JsonValue[] | undefined): string {
  return printable(values === undefined ? id : `${id} ${shown(values)}`);
}

function shown(values: readonly JsonValue[]): string {
  return values.map((value) => JSON.stringify(value)).join(", ");
}

/**
 * Values between commas. TEEs spell versions as numbers or as text (`svn` of the software TEE is text), so a whole
 * number stands for both; true and false are booleans; anything else is text.
 */
function valuesIn(text: string): Scalar[] {
  const words = text.split(",").map((word) => word.trim());
  if (words.includes("")) {
    throw misuse("INVALID_VALUE", `Cannot take ${JSON.stringify(text)} as values: one of them is empty`);
  }
  return words.flatMap((word): Scalar[] => {
    if (word === "true" || word === "false") return [word === "true"];
    return /^(0|[1-9]\d{0,14})$/.test(word) ? [Number(word), word] : [word];
  });
}
