// SPDX-License-Identifier: Apache-2.0
// The seam between commands and what carries them to a TPM, and the one address that names it.

import { invalidArgument } from "./error.ts";

/** Carries whole commands to a TPM and whole responses back. */
export interface TpmTransport {
  /**
   * Sends one command and resolves to its response; commands that are sent at once go one after the other.
   * Throws `DEVICE_FAILED`, `DEVICE_BUSY` or `INVALID_TPM_RESPONSE`; after that the transport may be of no more use.
   */
  send(command: Uint8Array): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** Where a TPM is. */
export type TpmAddress =
  | { readonly kind: "device"; readonly path: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number }
  | { readonly kind: "unix"; readonly path: string };

/** Environment variable with the address of the TPM. */
export const TPM_VARIABLE = "ADYTON_TPM";

const DEFAULT_HOST = "127.0.0.1";
const DEFAULT_PORT = 2321;
const FORMS = "device:/dev/tpmrm0, swtpm:host=127.0.0.1,port=2321 or swtpm:path=/run/swtpm.sock";

/**
 * An address in the words of tpm2-tools: `device:PATH`; `swtpm:host=HOST,port=PORT`, of which either may be left out;
 * and `swtpm:path=PATH` for a UNIX socket. Throws `INVALID_TPM_ARGUMENT`.
 */
export function parseTpmAddress(text: string): TpmAddress {
  const invalid = (why: string): Error =>
    invalidArgument(`Cannot read TPM address ${JSON.stringify(text)}: ${why}`, `Write it like ${FORMS}.`);
  const colon = text.indexOf(":");
  const [kind, rest] = colon < 0 ? [text, ""] : [text.slice(0, colon), text.slice(colon + 1)];
  if (kind === "device") {
    if (!rest.startsWith("/")) throw invalid("expected an absolute path");
    return { kind, path: rest };
  }
  if (kind !== "swtpm") throw invalid("expected device: or swtpm:");
  const settings = new Map<string, string>();
  for (const setting of rest === "" ? [] : rest.split(",")) {
    const [, name = "", value = ""] = /^(host|port|path)=(.+)$/.exec(setting) ?? [];
    if (name === "" || settings.has(name)) throw invalid("expected host, port or path, each at most once");
    settings.set(name, value);
  }
  const path = settings.get("path");
  if (path !== undefined) {
    if (settings.size > 1 || !path.startsWith("/"))
      throw invalid("expected an absolute path, and that alone");
    return { kind: "unix", path };
  }
  const port = settings.get("port") ?? `${DEFAULT_PORT}`;
  if (!/^[1-9]\d{0,4}$/.test(port) || Number(port) > 0xffff) throw invalid("expected a port of 1 to 65535");
  return { kind: "tcp", host: settings.get("host") ?? DEFAULT_HOST, port: Number(port) };
}

/** One exchange at a time: a TPM has one place for a command. */
export function oneAtATime(
  exchange: (command: Uint8Array) => Promise<Uint8Array>,
): (command: Uint8Array) => Promise<Uint8Array> {
  let last: Promise<unknown> = Promise.resolve();
  return (command) => {
    const next = last.then(() => exchange(command));
    last = next.catch(() => undefined);
    return next;
  };
}
