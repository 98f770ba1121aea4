// SPDX-License-Identifier: Apache-2.0
// `adyton certificate`: an X.509 certificate of the mesh for whoever attests here.

import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fromUtf8 } from "@adyton/core/bytes";
import { CliError, misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { writePrivateFile } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { attestedClient } from "./attested.ts";

const FILES = { key: "key.pem", certificate: "cert.pem", roots: "ca.pem" } as const;

/** JSON: `{spiffeId, notAfter, key, certificate, roots}`, the last three paths. */
export async function get(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [identity = ""] = invocation.arguments;
  const dir = invocation.value("out-dir");
  if (dir === undefined) throw misuse("MISSING_VALUE", "Cannot get a certificate: expected --out-dir DIR");
  // Made before anything is asked for: a certificate that cannot be kept is not issued.
  await folderAt(dir, io);
  const { client, tee } = await attestedClient(invocation, io);
  const dns = invocation.value("dns");
  const plugin = invocation.value("plugin");
  const issued = await client.requestCertificate({
    identity,
    ...(dns === undefined ? {} : { dns }),
    ...(plugin === undefined ? {} : { plugin }),
  });
  const { certificate, privateKey = "", roots, spiffeId, notAfter } = issued;
  const path = (name: string): string => join(dir, name);
  for (const [name, text] of [
    [FILES.key, privateKey],
    [FILES.certificate, certificate],
    [FILES.roots, roots],
  ] as const)
    await writePrivateFile(path(name), fromUtf8(text), io);
  const places = { key: path(FILES.key), certificate: path(FILES.certificate), roots: path(FILES.roots) };
  if (invocation.json) writeJson(io.stdout, { spiffeId, notAfter: notAfter.toISOString(), ...places });
  else
    io.stderr.write(
      `Got ${printable(spiffeId)} as ${tee}, until ${notAfter.toISOString()}: ${Object.values(FILES).join(", ")} in ${dir}\n`,
    );
  return EXIT.ok;
}

async function folderAt(dir: string, io: Io): Promise<void> {
  try {
    await mkdir(resolve(io.cwd, dir), { recursive: true, mode: 0o700 });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new CliError("FILE_NOT_WRITABLE", "unavailable", `Cannot make the folder ${dir}: ${code}`, {
      cause,
      detail: { path: dir },
    });
  }
}
