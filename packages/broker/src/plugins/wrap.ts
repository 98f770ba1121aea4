// SPDX-License-Identifier: Apache-2.0
// Wrapping keys with a key that never leaves: administrators wrap, attested workloads unwrap.

import { concat, fromUtf8 } from "@adyton/core/bytes";
import type { Pkcs11Token } from "../pkcs11/token.ts";
import { noSuchCall } from "./answers.ts";
import { ciphertextRefused, KeyRing } from "./key-ring.ts";
import type { Plugin, PluginRequest } from "./types.ts";

export interface WrapOptions {
  /** Default `wrap`. */
  readonly name?: string;
  /** Wraps the wrapping keys besides; closed by whoever opened it. */
  readonly token?: Pkcs11Token;
}

const MAGIC: Uint8Array = fromUtf8("AW1\0");
const VERSION_BYTES = 4;
const NONE: Uint8Array = new Uint8Array(0);

/**
 * `POST <key>/wrap` (admin) takes bytes and answers them wrapped, `POST <key>/unwrap` (attested) the other way, encrypted
 * to the attested key. `PUT <key>` makes a key, `POST <key>/rotate` a new version of it, `GET keys` lists them (admin).
 */
export function wrapPlugin({ name = "wrap", token }: WrapOptions = {}): Plugin {
  const ring = new KeyRing({ plugin: name, ...(token === undefined ? {} : { token }) });
  return {
    name,
    access: ({ path, method }) => (method === "POST" && path[1] === "unwrap" ? "attested" : "admin"),
    encrypts: () => true,
    handle: async (request, context) => {
      const { body, principal } = request;
      const [key = ""] = request.path;
      const by = principal?.id ?? "";
      const aad = fromUtf8(`wrapped key\0${key}`);
      switch (operationOf(request)) {
        case "list": {
          const names = fromUtf8(JSON.stringify({ keys: await ring.list(context) }));
          return { body: names, contentType: "application/json" };
        }
        case "make":
          await ring.create(key, context, by);
          return { body: NONE, recorded: true };
        case "rotate":
          await ring.rotate(key, context, by);
          return { body: NONE, recorded: true };
        case "wrap": {
          const sealed = await ring.encrypt(key, body, aad, undefined, context);
          const version = new Uint8Array(VERSION_BYTES);
          new DataView(version.buffer).setUint32(0, sealed.version);
          const wrapped = concat(MAGIC, version, sealed.body);
          return { body: wrapped, audit: { keyName: key, version: sealed.version } };
        }
        case "unwrap": {
          const version = versionIn(body);
          const sealed = body.subarray(MAGIC.length + VERSION_BYTES);
          const opened = await ring.decrypt(key, version, sealed, aad, undefined, context);
          return { body: opened, audit: { keyName: key, version } };
        }
        default:
          throw noSuchCall(name, request);
      }
    },
  };
}

function operationOf({ method, path }: PluginRequest): string | undefined {
  const [key, operation] = path;
  if (path.length === 1)
    return method === "PUT" ? "make" : method === "GET" && key === "keys" ? "list" : undefined;
  const known = operation === "wrap" || operation === "unwrap" || operation === "rotate";
  return method === "POST" && path.length === 2 && known ? operation : undefined;
}

function versionIn(body: Uint8Array): number {
  const header = MAGIC.length + VERSION_BYTES;
  if (body.length < header || MAGIC.some((byte, at) => body[at] !== byte))
    throw ciphertextRefused("it is no wrapped key");
  return new DataView(body.buffer, body.byteOffset).getUint32(MAGIC.length);
}
