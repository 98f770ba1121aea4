// SPDX-License-Identifier: Apache-2.0
// SQLite as this Node offers it: the built-in module from Node 22.13 on, the prebuilt libsql before.

export type SqlValue = string | number | Uint8Array;
export type SqlRow = Readonly<Record<string, unknown>>;

/** Synchronous SQLite; statements are prepared once and kept. */
export interface SqlDriver {
  readonly name: "node:sqlite" | "libsql";
  exec(sql: string): void;
  /** Rows changed. */
  run(sql: string, ...values: readonly SqlValue[]): number;
  all(sql: string, ...values: readonly SqlValue[]): readonly SqlRow[];
  close(): void;
}

interface Statement {
  run(...values: SqlValue[]): { readonly changes: number | bigint };
  all(...values: SqlValue[]): unknown[];
}

interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): unknown;
}

type DatabaseClass = new (file: string) => Database;

/** Opens (or creates) a database file with whichever SQLite is there. */
export async function openDriver(file: string): Promise<SqlDriver> {
  const builtin = builtinSqlite();
  if (builtin !== undefined) return wrap("node:sqlite", new builtin(file));
  const { default: Libsql } = await import("libsql");
  return wrap("libsql", new Libsql(file));
}

/** `getBuiltinModule` answers undefined where an `import` would throw. */
function builtinSqlite(): DatabaseClass | undefined {
  const module = process.getBuiltinModule("node:sqlite") as { DatabaseSync?: DatabaseClass } | undefined;
  return module?.DatabaseSync;
}

function wrap(name: SqlDriver["name"], database: Database): SqlDriver {
  const statements = new Map<string, Statement>();
  const prepare = (sql: string): Statement => {
    const known = statements.get(sql);
    if (known !== undefined) return known;
    const statement = database.prepare(sql);
    statements.set(sql, statement);
    return statement;
  };
  return {
    name,
    exec: (sql) => {
      database.exec(sql);
    },
    run: (sql, ...values) => Number(prepare(sql).run(...values).changes),
    all: (sql, ...values) => prepare(sql).all(...values) as SqlRow[],
    close: () => {
      statements.clear();
      database.close();
    },
  };
}

/** A BLOB column, which the two drivers give as Uint8Array, Buffer or ArrayBuffer. */
export function blobOf(value: unknown): Uint8Array {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value.slice(0));
  throw new TypeError("a BLOB column holds no bytes");
}
