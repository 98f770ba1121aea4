// SPDX-License-Identifier: Apache-2.0
// `adyton admin`: who administers running trust services.

import { createHash } from "node:crypto";
import { type AdminCredential, type AdminGrant, newAdminToken } from "@adyton/client";
import { fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { parseCertificates } from "@adyton/core/x509";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import { readInput, writePrivateFile } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { timeOf } from "../values.ts";
import { adminOf } from "./place.ts";

/** JSON: the administrator, with `out` where a token was written. */
export async function add(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  const { credential, token } = await credentialOf(name, invocation, io);
  const out = invocation.value("out");
  const expires = invocation.value("expires");
  const tenants = invocation.value("in");
  const rights = {
    roles: invocation.values("role"),
    grants: invocation.values("grant").map(grantOf),
    ...(tenants === undefined ? {} : { tenants: tenants.split(",").map((each) => each.trim()) }),
    ...(expires === undefined ? {} : { expires: timeOf("expires", expires).toISOString() }),
  };
  const administrators = (await adminOf(invocation, io)).admins;
  // First, so that nobody is added whose token is nowhere.
  if (token !== undefined && out !== undefined) await writePrivateFile(out, fromUtf8(`${token}\n`), io);
  const facts = await administrators.create(name, credential, rights);
  if (invocation.json) writeJson(io.stdout, { ...facts, ...(token === undefined ? {} : { out }) });
  else
    io.stderr.write(
      `Added ${printable(name)}${token === undefined ? "" : `, token in ${printable(out ?? "")}`}\n`,
    );
  return EXIT.ok;
}

/** JSON: `{admins: [{name, credential, roles, grants, tenants?, created, expires?}]}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const admins = await (await adminOf(invocation, io)).admins.list();
  if (invocation.json) {
    writeJson(io.stdout, { admins });
    return EXIT.ok;
  }
  const rows = admins.map(({ name, credential, roles, grants, tenants, expires }) =>
    [
      name,
      credential,
      [...roles, ...grants.map(({ actions, targets }) => `${actions.join(",")}=${targets.join(",")}`)].join(
        " ",
      ),
      tenants === undefined ? "" : `in ${tenants.join(",")}`,
      expires === undefined ? "" : `until ${expires}`,
    ].map(printable),
  );
  if (rows.length > 0) io.stdout.write(`${table(rows, 0)}\n`);
  return EXIT.ok;
}

/** JSON: `{name, deleted}`. */
export async function remove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [name = ""] = invocation.arguments;
  await (await adminOf(invocation, io)).admins.delete(name);
  if (invocation.json) writeJson(io.stdout, { name, deleted: true });
  else io.stderr.write(`Deleted ${printable(name)}\n`);
  return EXIT.ok;
}

/** JSON: `{id, roles}`. */
export async function whoami(invocation: Invocation, io: Io): Promise<ExitCode> {
  const { id, roles } = await (await adminOf(invocation, io)).admins.whoami();
  if (invocation.json) writeJson(io.stdout, { id, roles });
  else io.stdout.write(`${printable(id)}${roles.length === 0 ? "" : ` (${printable(roles.join(", "))})`}\n`);
  return EXIT.ok;
}

async function credentialOf(
  name: string,
  invocation: Invocation,
  io: Io,
): Promise<{ readonly credential: AdminCredential; readonly token?: string }> {
  const [jwt, certificate, out] = ["jwt", "certificate", "out"].map((option) => invocation.value(option));
  if ([jwt, certificate, out].filter((option) => option !== undefined).length !== 1) {
    throw misuse(
      "MISSING_VALUE",
      "Cannot add an administrator: expected one of --out, --jwt and --certificate",
      "With --out FILE a token is made and written there.",
    );
  }
  if (jwt !== undefined) {
    const at = jwt.lastIndexOf("#");
    if (at < 1 || at === jwt.length - 1) throw invalid("jwt", jwt, "ISSUER#SUBJECT");
    return { credential: { kind: "jwt", issuer: jwt.slice(0, at), subject: jwt.slice(at + 1) } };
  }
  if (certificate !== undefined) {
    const [leaf] = parseCertificates(toUtf8(await readInput(certificate, io)));
    if (leaf === undefined) throw invalid("certificate", certificate, "a certificate in PEM");
    const spkiSha256 = createHash("sha256").update(leaf.spki).digest("hex");
    return { credential: { kind: "certificate", spkiSha256 } };
  }
  const { token, sha256 } = await newAdminToken(name);
  return { credential: { kind: "token", sha256 }, token };
}

function grantOf(text: string): AdminGrant {
  const [actions, targets, ...more] = text.split("=");
  if (!actions || !targets || more.length > 0) throw invalid("grant", text, "ACTIONS=TARGETS");
  return { actions: actions.split(","), targets: targets.split(",") };
}

function invalid(option: string, text: string, expected: string): Error {
  return misuse("INVALID_VALUE", `Cannot take ${JSON.stringify(text)} for --${option}: expected ${expected}`);
}
