// SPDX-License-Identifier: Apache-2.0
// Debian's PostgreSQL in a temporary folder, for tests that want the real one. Node only.

import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

const VERSIONS = "/usr/lib/postgresql";
/** In tests only. */
const PASSWORD = "in-tests-only";

/** Where the programs stand; undefined where PostgreSQL is not installed. */
const programs: string | undefined = existsSync(VERSIONS)
  ? readdirSync(VERSIONS)
      .sort((a, b) => Number(b) - Number(a))
      .map((version) => join(VERSIONS, version, "bin"))
      .find((folder) => existsSync(join(folder, "initdb")))
  : undefined;

/** Whether a server can be started here. */
export const hasPostgres: boolean = programs !== undefined;

export interface TestPostgres {
  /** Of the database, with its password. */
  readonly url: string;
  readonly port: number;
  /** The folder of its Unix socket. */
  readonly folder: string;
  /** Starts it again after `stop`, and waits until it takes connections. */
  start(): Promise<void>;
  /** `fast` ends sessions and writes all out; `crash` is the end without a word (SIGKILL). */
  stop(how: "fast" | "crash"): Promise<void>;
  /** Stops it and removes its folder. */
  remove(): Promise<void>;
}

export interface TestPostgresOptions {
  /** Lines of postgresql.conf besides ours. */
  readonly settings?: readonly string[];
  /** PEM of a certificate and its key: TLS is offered. */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Makes a cluster and starts it on a free loopback port, synced to disk as in earnest. Root runs it as another user. */
export async function startPostgres(options: TestPostgresOptions = {}): Promise<TestPostgres> {
  if (programs === undefined) throw new Error("PostgreSQL is not installed");
  const folder = mkdtempSync(join(tmpdir(), "adyton-pg-"));
  const data = join(folder, "data");
  const user = unprivileged();
  const keep = (name: string, content: string): string => {
    const file = join(folder, name);
    writeFileSync(file, content, { mode: 0o600 });
    if (user !== undefined) chownSync(file, user.uid, user.gid);
    return file;
  };
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  execFileSync(
    join(programs, "initdb"),
    [
      `--pgdata=${data}`,
      "--username=tester",
      `--pwfile=${keep("password", PASSWORD)}`,
      "--auth=scram-sha-256",
      "--encoding=UTF8",
      "--no-locale",
      "--no-sync",
    ],
    { ...user, stdio: "ignore", cwd: folder },
  );
  const port = await freePort();
  const tls =
    options.tls === undefined
      ? []
      : [
          "ssl = on",
          `ssl_cert_file = '${keep("server.crt", options.tls.cert)}'`,
          `ssl_key_file = '${keep("server.key", options.tls.key)}'`,
        ];
  const settings = [
    "listen_addresses = '127.0.0.1'",
    `port = ${port}`,
    `unix_socket_directories = '${folder}'`,
    "shared_buffers = 16MB",
    ...tls,
    ...(options.settings ?? []),
  ];
  keep("data/postgresql.auto.conf", `${settings.join("\n")}\n`);
  let server: ChildProcess | undefined;
  const kill = (): void => void server?.kill("SIGQUIT");
  const started: TestPostgres = {
    url: `postgres://tester:${PASSWORD}@127.0.0.1:${port}/postgres`,
    port,
    folder,
    start: async () => {
      server = spawn(join(programs, "postgres"), ["-D", data], {
        ...user,
        stdio: ["ignore", "ignore", "pipe"],
        cwd: folder,
      });
      await readiness(server);
    },
    stop: async (how) => {
      if (server === undefined) return;
      const over = once(server, "exit");
      if (how === "crash") crash(data, server);
      else server.kill("SIGINT");
      await over;
      server = undefined;
    },
    remove: async () => {
      await started.stop("fast");
      process.off("exit", kill);
      rmSync(folder, { recursive: true, force: true });
    },
  };
  process.on("exit", kill);
  await started.start();
  return started;
}

/** The server, and the processes that it made: they would go on for a moment, and hold its shared memory. */
function crash(data: string, server: ChildProcess): void {
  const children = readFileSync(`/proc/${server.pid}/task/${server.pid}/children`, "utf8");
  server.kill("SIGKILL");
  for (const pid of children.split(" ").filter((text) => text !== "")) {
    try {
      process.kill(Number(pid), "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
  rmSync(join(data, "postmaster.pid"), { force: true });
}

/** Resolves once it takes connections; rejects with what it wrote when it ends instead. */
function readiness(server: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let written = "";
    server.stderr?.on("data", (chunk: Buffer) => {
      written = (written + chunk.toString()).slice(-10_000);
      if (written.includes("database system is ready to accept connections")) resolve();
    });
    server.once("error", reject);
    server.once("exit", () => reject(new Error(`PostgreSQL did not start: ${written}`)));
  });
}

/** PostgreSQL refuses to run as root: the user of its package, or nobody. */
function unprivileged(): { readonly uid: number; readonly gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8").split("\n");
  const line =
    users.find((text) => text.startsWith("postgres:")) ?? users.find((text) => text.startsWith("nobody:"));
  const [, , uid, gid] = line?.split(":") ?? [];
  if (uid === undefined || gid === undefined) throw new Error("there is no user to run PostgreSQL as");
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("there is no free port");
  return address.port;
}
