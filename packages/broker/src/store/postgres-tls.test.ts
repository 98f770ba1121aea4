// SPDX-License-Identifier: Apache-2.0
// The way to a PostgreSQL server that is not of this machine: TLS, with a certificate that names the server.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { codeOfAsync } from "@adyton/testing";
import { startPostgres, type TestPostgres } from "@adyton/testing/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasPostgres } from "../../test/postgres.ts";
import { countingWriter, put, textAt } from "../../test/store-suite.ts";
import { openPostgresStore } from "./postgres.ts";
import type { PostgresTls } from "./postgres-url.ts";

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

interface Issued {
  readonly cert: string;
  readonly key: string;
}

/** A self-signed certificate for a name or address. */
function issue(folder: string, name: string, alternative: string): Issued {
  const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
  execFileSync(
    "openssl",
    [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"],
      ...["-subj", `/CN=${name}`, "-addext", `subjectAltName=${alternative}`, "-keyout", key, "-out", cert],
    ],
    { stdio: "ignore" },
  );
  return { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
}

describe.skipIf(!hasPostgres || !hasOpenssl)("a PostgreSQL server with TLS", () => {
  let folder: string;
  let named: Issued;
  let other: Issued;
  let server: TestPostgres;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "adyton-tls-"));
    named = issue(folder, "named", "IP:127.0.0.1");
    other = issue(folder, "other", "DNS:other.example");
    server = await startPostgres({ tls: named });
  }, 60_000);

  afterAll(async () => {
    await server.remove();
    rmSync(folder, { recursive: true });
  });

  const codeWith = (tls: PostgresTls): Promise<string> =>
    codeOfAsync(async () => {
      const store = await openPostgresStore(`${server.url}?sslmode=verify-full`, countingWriter, { tls });
      await store.close();
    });

  it("is used when its certificate is trusted and names it", async () => {
    const store = await openPostgresStore(`${server.url}?sslmode=verify-full`, countingWriter, {
      tls: { ca: named.cert },
    });
    await store.write([put("k", "1")]);
    expect(await textAt(store, "k")).toBe("1");
    await store.close();
  });

  it("is not used when nobody trusted vouches for it", async () => {
    expect(await codeWith({})).toBe("STORE_FAILED");
    expect(await codeWith({ ca: other.cert })).toBe("STORE_FAILED");
  });

  it("is not used when its certificate names another", async () => {
    writeFileSync(join(server.folder, "server.crt"), other.cert);
    writeFileSync(join(server.folder, "server.key"), other.key);
    await server.stop("fast");
    await server.start();
    expect(await codeWith({ ca: other.cert })).toBe("STORE_FAILED");
  });

  it("is not used without TLS where that was asked for; a Unix socket needs none", async () => {
    const plain = await startPostgres();
    const url = `${plain.url}?sslmode=verify-full`;
    expect(await codeOfAsync(() => openPostgresStore(url, countingWriter))).toBe("STORE_FAILED");
    const socket = `${plain.url}?host=${plain.folder}`;
    const store = await openPostgresStore(socket, countingWriter);
    await store.write([put("k", "1")]);
    expect(await textAt(store, "k")).toBe("1");
    await store.close();
    await plain.remove();
  });
});
