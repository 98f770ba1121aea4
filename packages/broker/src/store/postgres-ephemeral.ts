// SPDX-License-Identifier: Apache-2.0
// Values that expire, in PostgreSQL: every replica sees them. The tables are not written ahead, so they cost no sync to
// disk, outlive our processes and an orderly restart of the server, and are empty after its crash.

import type { Ephemeral } from "./ephemeral.ts";
import type { PostgresPool } from "./postgres-pool.ts";

const SWEEP_MS = 10_000;
const COUNT_MS = 1000;
/** What has expired stays so long, because another replica's clock may be behind. */
const GRACE_MS = 300_000;

interface Counted {
  readonly at: number;
  number: number;
}

export function postgresEphemeral(pool: PostgresPool): Ephemeral {
  const counts = new Map<string, Counted>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  const noteChange = (space: string, difference: number): void => {
    const counted = counts.get(space);
    if (counted !== undefined) counted.number = Math.max(0, counted.number + difference);
  };
  /** In passing: those who ask do not wait for it, and a failure is only an attempt that comes again. */
  const sweep = (now: Date): void => {
    const time = now.getTime();
    if (Math.abs(time - sweptAt) < SWEEP_MS) return;
    sweptAt = time;
    pool
      .run("sweep the store", async (sql) => {
        await sql`DELETE FROM ephemeral WHERE expires <= ${time - GRACE_MS}`;
        await sql`DELETE FROM counter WHERE expires <= ${time - GRACE_MS}`;
      })
      .catch(() => undefined);
  };
  return {
    shared: true,
    put: async (space, key, value, expires, now) => {
      sweep(now);
      await pool.run(
        "write to the store",
        (sql) => sql`INSERT INTO ephemeral (space, key, value, expires)
          VALUES (${space}, ${key}, ${Buffer.from(value)}, ${expires.getTime()})
          ON CONFLICT (space, key) DO UPDATE SET value = excluded.value, expires = excluded.expires`,
      );
      noteChange(space, 1);
    },
    get: async (space, key, now) => {
      const [row] = await pool.run(
        "read from the store",
        (sql) => sql<{ value: Uint8Array }>`SELECT value FROM ephemeral
          WHERE space = ${space} AND key = ${key} AND expires > ${now.getTime()}`,
      );
      return row === undefined ? undefined : new Uint8Array(row.value);
    },
    replace: async (space, key, from, to, now) => {
      const { count } = await pool.run(
        "write to the store",
        (sql) => sql`UPDATE ephemeral SET value = ${Buffer.from(to)}
          WHERE space = ${space} AND key = ${key} AND value = ${Buffer.from(from)} AND expires > ${now.getTime()}`,
      );
      return count === 1;
    },
    delete: async (space, key, now) => {
      const { count } = await pool.run(
        "write to the store",
        (sql) => sql`DELETE FROM ephemeral
          WHERE space = ${space} AND key = ${key} AND expires > ${now.getTime()}`,
      );
      if (count === 1) noteChange(space, -1);
      return count === 1;
    },
    count: async (space, now) => {
      const known = counts.get(space);
      if (known !== undefined && Math.abs(now.getTime() - known.at) < COUNT_MS) return known.number;
      const [row] = await pool.run(
        "read from the store",
        (sql) => sql<{ number: number }>`SELECT count(*)::int AS number FROM ephemeral
          WHERE space = ${space} AND expires > ${now.getTime()}`,
      );
      const number = row?.number ?? 0;
      counts.set(space, { at: now.getTime(), number });
      return number;
    },
    add: async (space, amounts, expires, now) => {
      if (amounts.size === 0) return new Map();
      sweep(now);
      const wanted = JSON.stringify([...amounts].map(([key, amount]) => ({ key, amount })));
      // All take their rows in the same order, so that no two wait for each other.
      const rows = await pool.run(
        "write to the store",
        (sql) => sql<{ key: string; amount: string }>`INSERT INTO counter (space, key, amount, expires)
          SELECT ${space}, key, amount, ${expires.getTime()}::bigint
          FROM json_to_recordset(${wanted}::text::json) AS given(key text, amount bigint) ORDER BY key COLLATE "C"
          ON CONFLICT (space, key) DO UPDATE SET
            amount = excluded.amount + CASE WHEN counter.expires > ${now.getTime()} THEN counter.amount ELSE 0 END,
            expires = excluded.expires
          RETURNING key, amount`,
      );
      return new Map(rows.map(({ key, amount }) => [key, Number(amount)]));
    },
  };
}
