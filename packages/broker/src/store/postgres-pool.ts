// SPDX-License-Identifier: Apache-2.0
// Connections to PostgreSQL that come back: each call has a deadline, what certainly did not happen is tried again, and a
// server that does not answer any more loses its connections instead of keeping us waiting.

import { connect as connectSocket, type Socket } from "node:net";
import { AdytonError } from "@adyton/core/errors";
import postgres from "postgres";
import { BrokerError } from "../errors.ts";
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

export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;

const SCHEMA_NAME = /^[a-z_][a-z0-9_]{0,62}$/;
const DEFAULT_CONNECTIONS = 8;
const DEFAULT_TIMEOUT_MS = 10_000;
const ATTEMPTS = 3;
// Short and the same each time: whoever waits is told soon, and a server that is back is found soon.
const BACKOFF_SECONDS = 0.05;
/** After these the server has rolled back: PostgreSQL documentation, appendix A, classes 40 and 57. */
const TRANSIENT: readonly string[] = ["40001", "40P01", "57P01", "57P02"];
const LOST: readonly string[] = ["CONNECTION_CLOSED", "CONNECTION_DESTROYED", "ECONNRESET", "EPIPE"];

export class PostgresPool {
  readonly schema: string;
  readonly #address: PostgresAddress;
  readonly #options: PostgresOptions;
  readonly #timeoutMs: number;
  readonly #sockets: Set<Socket> = new Set();
  #sql: Sql;
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
    this.#address = parsePostgresUrl(url);
    this.#options = options;
    this.#timeoutMs = timeoutMs;
    this.#sql = this.#open();
  }

  /** Runs one statement or several that may be repeated. Rejects with `STORE_FAILED` or `STORE_CLOSED`. */
  run<T>(what: string, act: (sql: Sql) => Promise<T>): Promise<T> {
    return this.#attempt(what, act, () => false);
  }

  /**
   * Runs a transaction. `STORE_FAILED` with `uncertain` in its detail: the connection was lost while the server had all of
   * it and had not said yes.
   */
  async transact<T>(what: string, act: (sql: Transaction) => Promise<T>): Promise<T> {
    let committing = false;
    const transaction = async (sql: Sql): Promise<{ readonly result: T }> => {
      committing = false;
      return (await sql.begin("isolation level read committed", async (inner) => {
        const result = await act(inner);
        committing = true;
        return { result };
      })) as { readonly result: T };
    };
    return (await this.#attempt(what, transaction, () => committing)).result;
  }

  /** Rows that `read` gives, for as long as it takes; each of its statements keeps the server's own deadline. */
  async *reading<T>(what: string, read: (sql: Sql) => AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* read(this.#sql);
    } catch (cause) {
      throw cause instanceof BrokerError ? cause : failed(what, cause, false);
    }
  }

  /** A transaction that is not repeated and takes as long as it takes: what it writes comes from a stream. */
  async transactOnce(what: string, act: (sql: Transaction) => Promise<void>): Promise<void> {
    try {
      await this.#sql.begin("isolation level serializable", act);
    } catch (cause) {
      throw cause instanceof AdytonError ? cause : failed(what, cause, false);
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#sql.end({ timeout: this.#timeoutMs / 1000 });
    this.#cut();
  }

  async #attempt<T>(what: string, act: (sql: Sql) => Promise<T>, uncertain: () => boolean): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      if (this.#closed)
        throw new BrokerError("STORE_CLOSED", "unavailable", "Cannot use the store: it is closed");
      try {
        return await this.#timed(act);
      } catch (cause) {
        if (cause instanceof BrokerError) throw cause;
        const code = codeOf(cause);
        // An answer to COMMIT that names an error means it was rolled back, unless the server was going down.
        const unknown = uncertain() && !isAnswer(cause);
        if (unknown || attempt === ATTEMPTS || !(TRANSIENT.includes(code) || LOST.includes(code)))
          throw failed(what, cause, unknown);
      }
    }
  }

  async #timed<T>(act: (sql: Sql) => Promise<T>): Promise<T> {
    const sql = this.#sql;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        this.#renew(sql);
        reject(new Error(`no answer within ${this.#timeoutMs} ms`));
      }, this.#timeoutMs);
    });
    const done = act(sql);
    // Whoever loses the race fails when the connections go; nobody listens any more.
    done.catch(() => undefined);
    try {
      return await Promise.race([done, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Leaves connections that do not answer behind. Calls on them fail, each by itself. */
  #renew(silent: Sql): void {
    if (silent !== this.#sql || this.#closed) return;
    this.#cut();
    this.#sql = this.#open();
    silent.end({ timeout: 0 }).catch(() => undefined);
  }

  #cut(): void {
    for (const socket of this.#sockets) socket.destroy();
    this.#sockets.clear();
  }

  #open(): Sql {
    const { host, port, database, user, password, tls } = this.#address;
    const { ca, cert, key } = this.#options.tls ?? {};
    const given = Object.fromEntries(
      Object.entries({ ca, cert, key }).filter(([, pem]) => pem !== undefined),
    );
    const options = {
      host,
      port,
      database,
      user,
      pass: password,
      max: this.#options.connections ?? DEFAULT_CONNECTIONS,
      // `host` is what the certificate has to name, also where it is an address.
      ssl: tls ? { rejectUnauthorized: true, minVersion: "TLSv1.2", host, ...given } : false,
      backoff: () => BACKOFF_SECONDS,
      connect_timeout: this.#timeoutMs / 1000,
      fetch_types: false,
      onnotice: () => undefined,
      // Connections of our own making can be cut when the other side is silent.
      socket: () => this.#socket(),
      connection: {
        application_name: "adyton",
        search_path: this.schema,
        synchronous_commit: "on",
        statement_timeout: this.#timeoutMs,
        idle_in_transaction_session_timeout: this.#timeoutMs,
      },
    };
    return postgres(options);
  }

  #socket(): Socket {
    const { host, port } = this.#address;
    for (const socket of this.#sockets) if (socket.destroyed) this.#sockets.delete(socket);
    const socket = host.startsWith("/")
      ? connectSocket(`${host}/.s.PGSQL.${port}`)
      : connectSocket({ host, port, noDelay: true });
    this.#sockets.add(socket);
    return Object.assign(socket, { host, port });
  }
}

/** Whether the server answered: anything else happened on the way. */
export function isAnswer(cause: unknown): boolean {
  return cause instanceof postgres.PostgresError && !cause.code.startsWith("57P");
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
