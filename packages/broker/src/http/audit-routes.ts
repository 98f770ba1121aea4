// SPDX-License-Identifier: Apache-2.0
// The audit log for auditors, witnesses, and whoever wants to see that his own release stands in it. Checkpoints and
// proofs are for everybody: they hold hashes of salted entries, and nothing of what the entries say.

import { fromUtf8, toBase64, toBase64Url, toHex } from "@adyton/core/bytes";
import { encodeLogProof } from "@adyton/core/log-proof";
import { leafHash } from "@adyton/core/merkle";
import { encodeNoteKey } from "@adyton/core/note";
import { newestCheckpoint, type Proved, proveConsistency, proveInclusion } from "../audit/proofs.ts";
import { Witnesses } from "../audit/witnesses.ts";
import type { LogEntry } from "../audit/writer.ts";
import { auditEntryOf } from "../audit.ts";
import { invalid } from "../protocol.ts";
import { readText } from "./body.ts";
import { type App, type AppParts, pathBelow } from "./parts.ts";

const BASE = "/v1/audit";
const WITNESSES = `${BASE}/witnesses`;
const TEXT = { "content-type": "text/plain; charset=utf-8" };
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 1000;
const WANTED = "adyton-log-proof";

export function addAuditRoutes(app: App, parts: AppParts): void {
  const { authorize, logKey, store, tenant } = parts;
  app.get(`${BASE}/entries`, async (c) => {
    await authorize(c.req.raw, "audit.read");
    const { after = 0, limit = DEFAULT_LIMIT } = numbersIn(c.req.url, ["after", "limit"]);
    if (limit < 1 || limit > MAX_LIMIT) throw invalid(`limit is not 1 to ${MAX_LIMIT}`);
    const entries = await store.log(after, limit);
    return c.json({ entries: entries.map((entry) => shownTo(tenant, entry)) });
  });
  app.get(`${BASE}/key`, (c) => c.body(`${encodeNoteKey(logKey)}\n`, 200, TEXT));
  app.get(`${BASE}/checkpoint`, async (c) => c.body((await newestCheckpoint(store, logKey)).note, 200, TEXT));
  app.get(`${BASE}/proof/inclusion`, async (c) => {
    const { seq, size } = numbersIn(c.req.url, ["seq", "size"]);
    if (seq === undefined) throw invalid("expected seq");
    return c.json({ seq, ...shownProof(await proveInclusion(store, logKey, seq, size)) });
  });
  app.get(`${BASE}/proof/consistency`, async (c) => {
    const { from, to } = numbersIn(c.req.url, ["from", "to"]);
    if (from === undefined) throw invalid("expected from");
    return c.json({ from, ...shownProof(await proveConsistency(store, logKey, from, to)) });
  });
  // There is one log: its witnesses are not a tenant's affair.
  if (tenant === undefined) addWitnessRoutes(app, parts);
}

/**
 * The headers of an answer whose decision is entry `seq` of the log: `adyton-log-entry`, its number, and for a request with
 * `adyton-log-proof` in the header of that name the proof that it stands there, base64url.
 */
export async function logHeaders(
  request: Request,
  { logKey, store }: AppParts,
  seq: number,
): Promise<Record<string, string>> {
  const number = { "adyton-log-entry": String(seq) };
  if (!request.headers.has(WANTED)) return number;
  const [{ hashes, checkpoint }, [entry]] = await Promise.all([
    proveInclusion(store, logKey, seq),
    store.log(seq - 1, 1),
  ]);
  const proof = encodeLogProof({
    entry: fromUtf8(entry?.leaf ?? ""),
    index: seq - 1,
    hashes,
    checkpoint: checkpoint?.note ?? "",
  });
  return { ...number, [WANTED]: toBase64Url(fromUtf8(proof)) };
}

function addWitnessRoutes(app: App, parts: AppParts): void {
  const { authorize, clock, logKey, maxBodyBytes, store, vault } = parts;
  const witnesses = new Witnesses({ store, vault, logKey });
  app.get(WITNESSES, async (c) => {
    const list = await witnesses.list();
    return c.json({
      witnesses: list.map(({ key, note }) => ({ key: encodeNoteKey(key), checkpoint: note ?? null })),
    });
  });
  app.post(WITNESSES, async (c) => {
    const { id: by } = await authorize(c.req.raw, "audit.witness");
    const { name } = await witnesses.add(await readText(c.req.raw, maxBodyBytes), clock.now(), by);
    return c.json({ name });
  });
  app.delete(`${WITNESSES}/*`, async (c) => {
    const { id: by } = await authorize(c.req.raw, "audit.witness");
    await witnesses.remove(nameIn(pathBelow(`${WITNESSES}/`, c.req.url)), clock.now(), by);
    return c.json({ removed: true });
  });
  // The cosignature itself says who sends it.
  app.post(`${BASE}/witness`, async (c) => {
    await witnesses.take(await readText(c.req.raw, maxBodyBytes));
    return c.json({ taken: true });
  });
}

/** Witnesses' names are URLs without a scheme: their slashes may be escaped. */
function nameIn(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw invalid("the witness's name is not escaped as a URL wants it");
  }
}

/** A tenant reads its own entries; of others it gets what the tree needs. */
function shownTo(tenant: string | undefined, entry: LogEntry): Record<string, string | number> {
  const { seq, leaf } = entry;
  const own = tenant === undefined || auditEntryOf(entry).event.tenant === tenant;
  return own ? { seq, leaf } : { seq, hash: toHex(leafHash(fromUtf8(leaf))) };
}

function shownProof({ size, hashes, checkpoint }: Proved): Record<string, unknown> {
  return { size, hashes: hashes.map(toBase64), checkpoint: checkpoint?.note ?? null };
}

function numbersIn<Name extends string>(url: string, names: readonly Name[]): Partial<Record<Name, number>> {
  const numbers: Partial<Record<Name, number>> = {};
  for (const [given, text] of new URL(url).searchParams) {
    const name = names.find((known) => known === given);
    if (name === undefined || numbers[name] !== undefined)
      throw invalid(`${JSON.stringify(given.slice(0, 80))} is no parameter here, or is there twice`);
    if (!/^(0|[1-9]\d{0,14})$/.test(text)) throw invalid(`${name} is no number`);
    numbers[name] = Number(text);
  }
  return numbers;
}
