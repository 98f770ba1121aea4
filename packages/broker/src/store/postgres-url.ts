// SPDX-License-Identifier: Apache-2.0
// Where a PostgreSQL database is, as its own clients write it, and how far the way to it is trusted.

import { BrokerError } from "../errors.ts";

export interface PostgresTls {
  /** PEM of the authorities that may vouch for the server; the system's when absent. */
  readonly ca?: string;
  /** PEM of our own certificate and key, where the server asks for them. */
  readonly cert?: string;
  readonly key?: string;
}

/** Who and where; `password` is a secret. */
export interface PostgresAddress {
  /** The folder of a Unix socket when it begins with a slash. */
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  readonly tls: boolean;
}

const PARAMETERS: readonly string[] = ["host", "sslmode"];
const DEFAULT_PORT = 5432;

/**
 * Reads `postgres://user:password@host:port/database`, where `?host=/folder` names a Unix socket instead. TLS that checks the server's
 * name is used unless the address is of this machine or says `sslmode=disable`. Throws `STATE_INVALID`, never with the password.
 */
export function parsePostgresUrl(text: string): PostgresAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["postgres:", "postgresql:"].includes(url.protocol))
    throw invalid("it is no URL that begins with postgres://");
  const unknown = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined)
    throw invalid(`parameter ${JSON.stringify(unknown.slice(0, 40))} is not known, expected host or sslmode`);
  const host = url.searchParams.get("host") ?? url.hostname.replace(/^\[(.*)\]$/, "$1");
  const mode = url.searchParams.get("sslmode") ?? undefined;
  if (mode !== undefined && mode !== "verify-full" && mode !== "disable") {
    throw invalid(
      `sslmode ${JSON.stringify(mode.slice(0, 40))} does not check whose server it is, expected verify-full or disable`,
    );
  }
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded);
  if (host === "" || !user || !database) throw invalid("expected a user, a host and a database in it");
  return {
    host,
    port: url.port === "" ? DEFAULT_PORT : Number(url.port),
    database,
    user,
    password: password ?? "",
    tls: mode === undefined ? !isLocal(host) : mode === "verify-full",
  };
}

function isLocal(host: string): boolean {
  return host.startsWith("/") || host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw invalid("an escape in it stands for no character");
  }
}

function invalid(why: string): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", `Cannot use the PostgreSQL address: ${why}`, {
    hint: "Write postgres://user:password@host:5432/database?sslmode=verify-full",
  });
}
