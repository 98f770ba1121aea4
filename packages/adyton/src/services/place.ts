// SPDX-License-Identifier: Apache-2.0
// Where the trust services are and where their state lies: options first, then the environment, then what
// `adyton up` noted in the state folder.

import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type Admin, createAdmin } from "@adyton/client";
import { CliError, misuse } from "../errors.ts";
import type { Invocation } from "../frame/command.ts";
import type { Io } from "../io.ts";

/** In the state folder: the URL at which services run, for the commands of the next terminal. */
export const URL_FILE = "url";
const TOKEN_FILE = "admin.token";
const DEFAULT_DIR = ".adyton";
const DEFAULT_URL = "http://127.0.0.1:8080";

/** The state folder, absolute. */
export function stateFolder(invocation: Invocation, io: Io): string {
  return resolve(io.cwd, invocation.value("dir") ?? envOf(io, "ADYTON_DIR") ?? DEFAULT_DIR);
}

/** `stateFolder`, where neither option nor environment name one and the configuration does: that. */
export function configuredFolder(configured: string | undefined, invocation: Invocation, io: Io): string {
  const named = invocation.value("dir") ?? envOf(io, "ADYTON_DIR");
  return named === undefined && configured !== undefined
    ? resolve(io.cwd, configured)
    : stateFolder(invocation, io);
}

/** The URL that was named, or noted by `adyton up`. Throws `INVALID_VALUE` for what is no http(s) URL. */
export async function servicesUrl(invocation: Invocation, io: Io): Promise<string> {
  const named = namedUrl(invocation, io);
  if (named !== undefined) return named;
  const url = (await textOf(join(stateFolder(invocation, io), URL_FILE))) ?? DEFAULT_URL;
  return url + tenantPath(io);
}

/** The URL that was named on the line or in the environment, or undefined. */
export function namedUrl(invocation: Invocation, io: Io): string | undefined {
  const text = invocation.value("url") ?? envOf(io, "ADYTON_URL");
  if (text === undefined) return undefined;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !["http:", "https:"].includes(url.protocol)) {
    throw misuse(
      "INVALID_VALUE",
      `Cannot use ${JSON.stringify(text)} as URL: expected http://… or https://…`,
    );
  }
  return text.replace(/\/+$/, "") + tenantPath(io);
}

/** Where the tenant of `$ADYTON_TENANT` is found, behind the services' URL. Throws `INVALID_VALUE`. */
function tenantPath(io: Io): string {
  const tenant = envOf(io, "ADYTON_TENANT");
  if (tenant === undefined) return "";
  if (!/^[a-z][a-z0-9-]*$/.test(tenant))
    throw misuse(
      "INVALID_VALUE",
      `Cannot use ${JSON.stringify(tenant)} as ADYTON_TENANT: expected a tenant's name`,
    );
  return `/tenants/${tenant}`;
}

/** An administrator of the services. Throws `ADMIN_TOKEN_MISSING`. */
export async function adminOf(invocation: Invocation, io: Io): Promise<Admin> {
  return createAdmin({ url: await servicesUrl(invocation, io), token: await adminToken(invocation, io) });
}

/** An administrator of the whole house, whatever tenant the others are about. Throws `ADMIN_TOKEN_MISSING`. */
export async function houseAdminOf(invocation: Invocation, io: Io): Promise<Admin> {
  const { ADYTON_TENANT: _, ...env } = io.env;
  return adminOf(invocation, { ...io, env });
}

/** The admin token. Throws `ADMIN_TOKEN_MISSING`, which says where it was looked for. */
export async function adminToken(invocation: Invocation, io: Io): Promise<string> {
  const named = invocation.value("token-file") ?? envOf(io, "ADYTON_TOKEN_FILE");
  const path = resolve(io.cwd, named ?? join(stateFolder(invocation, io), TOKEN_FILE));
  const token = await textOf(path);
  if (token === undefined || token === "") {
    throw new CliError("ADMIN_TOKEN_MISSING", "misuse", `Cannot read the admin token: no ${path}`, {
      detail: { path },
      hint: "Run `adyton up` first, or name the file with --token-file, or the state folder with --dir.",
    });
  }
  return token;
}

function envOf(io: Io, name: string): string | undefined {
  const value = io.env[name];
  return value === "" ? undefined : value;
}

async function textOf(path: string): Promise<string | undefined> {
  try {
    return (await readFile(path, "utf8")).trim();
  } catch {
    return undefined;
  }
}
