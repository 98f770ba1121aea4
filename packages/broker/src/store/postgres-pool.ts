// SPDX-License-Identifier: Apache-2.0
// Connections to PostgreSQL that come back: each call has a deadline, what certainly did not happen is tried again, and a
// server that does not answer any more loses its connections instead of keeping us waiting.

import { AdytonError } from "@adyton/core/errors";
import pg from "pg";
import { BrokerError } from "../errors.ts";
import { closed } from "./group.ts";
import { type PostgresAddress, type PostgresTls, parsePostgresUrl } from "./postgres-url.ts";

export interface PostgresOptions {
  /** What the tables stand in. Default `adyton`. */
  readonly schema?: string;
  /** Connections of this process at the same time. Default 8. */
  readonly connections?: number;
  /** How long a call may take before it counts as failed, ms. Default 10,000. */
  readonly timeoutMs?: number;
  readonly tls?: PostgresTls;
}

type SqlParameter = string | number | Uint8Array;

/** Rows, and how many were touched. */
export type SqlRows<T> = readonly T[] & { readonly count: number };

/** A statement with its values as parameters, on one connection; one after the other. */
export interface Sql {
  <T extends object = Record<string, unknown>>(
    text: TemplateStringsArray,
    ...values: readonly SqlParameter[]
  ): Promise<SqlRows<T>>;
  /** Statements of our own making, without values. */
  script(text: string): Promise<void>;
}

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const DEFAULT_CONNECTIONS = 8;
const DEFAULT_TIMEOUT_MS = 10_000;
const ATTEMPTS = 3;
/** After these the server has rolled back: PostgreSQL documentation, appendix A, class 40. */
const TRANSIENT: readonly string[] = ["40001", "40P01"];

export class PostgresPool {
  readonly schema: string;
  readonly #timeoutMs: number;
  readonly #pool: pg.Pool;
  #closed = false;

  /** Throws `STATE_INVALID`. Connects when it is first used. */
  constructor(url: string, options: PostgresOptions) {
    const { schema = "adyton", timeoutMs = DEFAULT_TIMEOUT_MS } = options;
    if (!SCHEMA_NAME.test(schema)) {
      throw new BrokerError(
        "STATE_INVALID",
        "misuse",
        `Cannot use schema ${JSON.stringify(schema.slice(0, 80))}: expected a lower-case word of at most 63 letters, digits and _`,
      );
    }
    this.schema = schema;
    this.#timeoutMs = timeoutMs;
    this.#pool = new pg.Pool(poolConfig(parsePostgresUrl(url), schema, timeoutMs, options));
    // A connection that is lost while nobody uses it: the pool has dropped it.
    this.#pool.on("error", () => undefined);
    // One that is lost between two statements of ours: the next statement fails.
    this.#pool.on("connect", (client) => void client.on("error", () => undefined));
  }

  /** Runs one statement or several that may be repeated. Rejects with `STORE_FAILED` or `STORE_CLOSED`. */
  run<T>(what: string, act: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#attempt(what, act, () => false);
  }

  /**
   * Runs a transaction. `STORE_FAILED` with `uncertain` in its detail: the connection was lost while the server had all of
   * it and had not said yes.
   */
  transact<T>(what: string, act: (sql: Sql) => Promise<T>): Promise<T> {
    let committing = false;
    const whole = (sql: Sql): Promise<T> => {
      committing = false;
      return inTransaction(sql, "READ COMMITTED", act, () => {
        committing = true;
      });
    };
    return this.#attempt(what, whole, () => committing);
  }

  /** Rows that `read` gives out of a transaction that sees one moment, for as long as it takes. */
  async *reading<T>(what: string, read: (sql: Sql) => AsyncIterable<T>): AsyncGenerator<T> {
    const client = await this.#connect(what);
    let lost = true;
    try {
      const sql = sqlOn(client);
      await sql.script("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
      yield* read(sql);
      await sql.script("COMMIT");
      lost = false;
    } catch (cause) {
      throw cause instanceof AdytonError ? cause : failed(what, cause, false);
    } finally {
      // Where it was not read to its end, the server rolls back when the connection goes.
      client.release(lost);
    }
  }

  /** A transaction that is not repeated and takes as long as it takes: what it writes comes from a stream. */
  async transactOnce(what: string, act: (sql: Sql) => Promise<void>): Promise<void> {
    const client = await this.#connect(what);
    let lost = true;
    try {
      await inTransaction(sqlOn(client), "SERIALIZABLE", act, () => undefined);
      lost = false;
    } catch (cause) {
      throw cause instanceof AdytonError ? cause : failed(what, cause, false);
    } finally {
      client.release(lost);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#pool.end();
  }

  async #connect(what: string): Promise<pg.PoolClient> {
    if (this.#closed) throw closed();
    try {
      return await this.#pool.connect();
    } catch (cause) {
      throw failed(what, cause, false);
    }
  }

  async #attempt<T>(what: string, act: (sql: Sql) => Promise<T>, uncertain: () => boolean): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      const client = await this.#connect(what);
      const late = new Deadline(client, this.#timeoutMs);
      try {
        const result = await late.race(act(sqlOn(client)));
        client.release();
        return result;
      } catch (cause) {
        // A connection in an unknown state is not used again; the server rolls back what was open on it.
        late.release(true);
        if (cause instanceof AdytonError) throw cause;
        // An answer to COMMIT that names an error means it was rolled back, unless the server was going down.
        const unknown = uncertain() && !isAnswer(cause);
        const again = !late.over && (!isAnswer(cause) || TRANSIENT.includes(codeOf(cause)));
        if (unknown || !again || attempt === ATTEMPTS) throw failed(what, cause, unknown);
      } finally {
        late.stop();
      }
    }
  }
}

/** Takes a connection away from whoever waits too long for it. */
class Deadline {
  readonly #client: pg.PoolClient;
  readonly #ms: number;
  #timer: NodeJS.Timeout | undefined;
  #released = false;
  /** Whether it came. */
  over = false;

  constructor(client: pg.PoolClient, ms: number) {
    this.#client = client;
    this.#ms = ms;
  }

  race<T>(work: Promise<T>): Promise<T> {
    // Whoever loses the race fails when the connection goes; nobody listens any more.
    work.catch(() => undefined);
    const late = new Promise<never>((_, reject) => {
      this.#timer = setTimeout(() => {
        this.over = true;
        this.release(true);
        reject(new Error(`no answer within ${this.#ms} ms`));
      }, this.#ms);
    });
    return Promise.race([work, late]);
  }

  release(lost: boolean): void {
    if (this.#released) return;
    this.#released = true;
    this.#client.release(lost);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}

function poolConfig(
  { host, port, database, user, password, tls }: PostgresAddress,
  schema: string,
  timeoutMs: number,
  { connections = DEFAULT_CONNECTIONS, tls: given = {} }: PostgresOptions,
): pg.PoolConfig {
  return {
    host,
    port,
    database,
    user,
    password,
    max: connections,
    // `host` is what the certificate has to name, also where it is an address.
    ssl: tls ? { rejectUnauthorized: true, minVersion: "TLSv1.2", host, ...given } : false,
    connectionTimeoutMillis: timeoutMs,
    statement_timeout: timeoutMs,
    idle_in_transaction_session_timeout: timeoutMs,
    application_name: "adyton",
    options: `-c search_path=${schema} -c synchronous_commit=on`,
    keepAlive: true,
    idleTimeoutMillis: 0,
  };
}

async function inTransaction<T>(
  sql: Sql,
  level: string,
  act: (sql: Sql) => Promise<T>,
  committing: () => void,
): Promise<T> {
  await sql.script(`BEGIN ISOLATION LEVEL ${level}`);
  const result = await act(sql);
  committing();
  await sql.script("COMMIT");
  return result;
}

/** Statements are prepared once on each connection: their texts are ours, and few. */
function sqlOn(client: pg.PoolClient): Sql {
  const query = async <T extends object>(
    strings: TemplateStringsArray,
    ...values: readonly SqlParameter[]
  ): Promise<SqlRows<T>> => {
    const text = strings.reduce((before, after, index) => `${before}$${index}${after}`);
    const { rows, rowCount } = await client.query<T>({
      name: nameOf(strings, text),
      text,
      values: values.map((value) => (value instanceof Uint8Array ? Buffer.from(value) : value)),
    });
    return Object.assign(rows, { count: rowCount ?? 0 });
  };
  return Object.assign(query, {
    script: async (text: string) => {
      await client.query(text);
    },
  });
}

const names = new WeakMap<TemplateStringsArray, string>();
let named = 0;

function nameOf(strings: TemplateStringsArray, text: string): string {
  let name = names.get(strings);
  if (name === undefined) {
    named += 1;
    name = `adyton_${named}_${text.length}`;
    names.set(strings, name);
  }
  return name;
}

/** Whether the server answered: anything else happened on the way. */
export function isAnswer(cause: unknown): boolean {
  return cause instanceof pg.DatabaseError && cause.code?.startsWith("57P") !== true;
}

function codeOf(cause: unknown): string {
  const code = (cause as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : "";
}

function failed(what: string, cause: unknown, uncertain: boolean): BrokerError {
  const why = cause instanceof Error && cause.message !== "" ? cause.message : codeOf(cause) || "it failed";
  const reason = codeOf(cause);
  return new BrokerError("STORE_FAILED", "unavailable", `Cannot ${what}: ${why}`, {
    cause,
    detail: { ...(reason === "" ? {} : { reason }), ...(uncertain ? { uncertain } : {}) },
    hint: uncertain
      ? "The database was lost while it was committing: look whether it was written before you try again."
      : "Check that PostgreSQL runs and can be reached. Nothing was written.",
  });
}
