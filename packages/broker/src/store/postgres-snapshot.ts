// SPDX-License-Identifier: Apache-2.0
// Everything in a PostgreSQL database as of one moment, and into an empty one.

import { toBase64 } from "@adyton/core/bytes";
import type { Sql } from "./postgres-pool.ts";
import { notEmpty } from "./sqlite-snapshot.ts";
import type { SnapshotRow } from "./types.ts";

const PAGE = 256;

/** To be read in one transaction that sees the database as it was at its first statement. */
export async function* snapshotOf(sql: Sql): AsyncGenerator<SnapshotRow> {
  for (let space = "", key = ""; ; ) {
    const page = await sql<{ space: string; key: string; value: Uint8Array }>`
      SELECT space, key, value FROM entry WHERE (space, key) > (${space}, ${key}) ORDER BY space, key LIMIT ${PAGE}`;
    for (const row of page) yield { kind: "value", ...row, value: new Uint8Array(row.value) };
    const last = page.at(-1);
    if (last === undefined) break;
    ({ space, key } = last);
  }
  for (let seq = 0; ; ) {
    const page = await sql<{ seq: string; leaf: string }>`
      SELECT seq, leaf FROM log WHERE seq > ${seq} ORDER BY seq LIMIT ${PAGE}`;
    for (const row of page) yield { kind: "entry", seq: Number(row.seq), leaf: row.leaf };
    const last = page.at(-1);
    if (last === undefined) break;
    seq = Number(last.seq);
  }
  for (let level = 0, place = -1; ; ) {
    const page = await sql<{ level: number; place: string; hash: Uint8Array }>`
      SELECT level, place, hash FROM log_node WHERE (level, place) > (${level}, ${place}) ORDER BY level, place LIMIT ${PAGE}`;
    for (const row of page)
      yield { kind: "node", level: row.level, index: Number(row.place), hash: new Uint8Array(row.hash) };
    const last = page.at(-1);
    if (last === undefined) break;
    level = last.level;
    place = Number(last.place);
  }
  const [head] = await sql<{ head: string | null }>`SELECT head FROM log_head WHERE id = 1`;
  if (typeof head?.head === "string") yield { kind: "head", head: head.head };
}

/** Puts rows into empty tables. Throws `STATE_NOT_EMPTY`. */
export async function loadInto(sql: Sql, rows: AsyncIterable<SnapshotRow>): Promise<void> {
  const [full] = await sql`SELECT 1 FROM entry UNION ALL SELECT 1 FROM log
    UNION ALL SELECT 1 FROM log_head WHERE head IS NOT NULL LIMIT 1`;
  if (full !== undefined) throw notEmpty();
  let page: SnapshotRow[] = [];
  for await (const row of rows) {
    page.push(row);
    if (page.length < PAGE) continue;
    await insert(sql, page);
    page = [];
  }
  await insert(sql, page);
}

async function insert(sql: Sql, page: readonly SnapshotRow[]): Promise<void> {
  const values: { space: string; key: string; value: string }[] = [];
  const entries: { seq: number; leaf: string }[] = [];
  const nodes: { level: number; place: number; hash: string }[] = [];
  for (const row of page) {
    if (row.kind === "value") values.push({ space: row.space, key: row.key, value: toBase64(row.value) });
    else if (row.kind === "entry") entries.push({ seq: row.seq, leaf: row.leaf });
    else if (row.kind === "node")
      nodes.push({ level: row.level, place: row.index, hash: toBase64(row.hash) });
    else await sql`UPDATE log_head SET head = ${row.head} WHERE id = 1`;
  }
  await sql`INSERT INTO entry (space, key, value) SELECT space, key, decode(value, 'base64')
    FROM json_to_recordset(${JSON.stringify(values)}::text::json) AS given(space text, key text, value text)`;
  await sql`INSERT INTO log (seq, leaf) SELECT seq, leaf
    FROM json_to_recordset(${JSON.stringify(entries)}::text::json) AS entry(seq bigint, leaf text)`;
  await sql`INSERT INTO log_node (level, place, hash) SELECT level, place, decode(hash, 'base64')
    FROM json_to_recordset(${JSON.stringify(nodes)}::text::json) AS node(level integer, place bigint, hash text)`;
}
