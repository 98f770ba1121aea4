// SPDX-License-Identifier: Apache-2.0
// Encryption as a service in the shapes of HashiCorp Vault's transit engine: keys stay here, versions stand in front of
// ciphertexts (`vault:v3:…`), contexts derive keys.

import { randomBytes } from "node:crypto";
import { fromBase64, toBase64 } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { z } from "zod";
import { BrokerError } from "../errors.ts";
import type { Pkcs11Token } from "../pkcs11/token.ts";
import { invalid } from "../protocol.ts";
import { bodyOf, jsonAnswer, noSuchCall } from "./answers.ts";
import { ciphertextRefused, type KeyFacts, KeyRing } from "./key-ring.ts";
import type {
  Plugin,
  PluginAccess,
  PluginCall,
  PluginContext,
  PluginRequest,
  PluginResponse,
} from "./types.ts";

export interface TransitOptions {
  /** Default `transit`. */
  readonly name?: string;
  /** Wraps the keys besides; closed by whoever opened it. */
  readonly token?: Pkcs11Token;
  /**
   * Answers at `/v1/<name>/…` too, as Vault's own clients ask. Plaintexts for attested senders are encrypted to the attested
   * key there as well, which those clients do not read, unless `plainAnswers`.
   */
  readonly vaultPaths?: boolean;
  /** Hands plaintexts to attested senders as they are. Only safe where TLS ends inside the attested workload. */
  readonly plainAnswers?: boolean;
}

const text = z.string().max(4 * 1024 * 1024);
const CONTEXT = { context: text.optional(), associated_data: text.optional() };
const item = {
  encrypt: z.object({ plaintext: text, ...CONTEXT }),
  crypt: z.object({ ciphertext: text, ...CONTEXT }),
};
const MAX_BATCH = 1000;
const encryptBody = z.union([item.encrypt, z.object({ batch_input: z.array(item.encrypt).max(MAX_BATCH) })]);
const cryptBody = z.union([item.crypt, z.object({ batch_input: z.array(item.crypt).max(MAX_BATCH) })]);
const createBody = z.object({
  type: z.literal("aes256-gcm96").optional(),
  derived: z.boolean().optional(),
});
const configBody = z.strictObject({
  min_decryption_version: z.int().optional(),
  deletion_allowed: z.boolean().optional(),
});
const datakeyBody = z.object({
  context: text.optional(),
  bits: z.union([z.literal(128), z.literal(256), z.literal(512)]).optional(),
});
const CIPHERTEXT = /^vault:v([1-9][0-9]{0,5}):([A-Za-z0-9+/]+={0,2})$/;
/** What workloads may ask for, where policy lets them; everything else is an administrator's. */
const USES: readonly string[] = ["encrypt", "decrypt", "rewrap", "datakey"];

type EncryptItem = z.infer<typeof item.encrypt>;
type CryptItem = z.infer<typeof item.crypt>;

export function transitPlugin(options: TransitOptions = {}): Plugin {
  return new Transit(options);
}

class Transit implements Plugin {
  readonly name: string;
  readonly vaultPath?: string;
  readonly #ring: KeyRing;
  readonly #plainAnswers: boolean;

  constructor({ name = "transit", token, vaultPaths = false, plainAnswers = false }: TransitOptions) {
    this.name = name;
    if (vaultPaths) this.vaultPath = `/v1/${name}`;
    this.#ring = new KeyRing({ plugin: name, ...(token === undefined ? {} : { token }) });
    this.#plainAnswers = plainAnswers;
  }

  access({ path: [what = ""] }: PluginCall): PluginAccess {
    return USES.includes(what) ? "attested-or-admin" : "admin";
  }

  encrypts({ path: [what, kind] }: PluginRequest): boolean {
    return !this.#plainAnswers && (what === "decrypt" || (what === "datakey" && kind === "plaintext"));
  }

  async handle(request: PluginRequest, context: PluginContext): Promise<PluginResponse> {
    const { method, path } = request;
    const [what = "", name = "", more] = path;
    const post = method === "POST" || method === "PUT";
    if (post && path.length === 2) {
      if (what === "encrypt") return this.#encrypt(name, request, context);
      if (what === "decrypt") return this.#decrypt(name, request, context);
      if (what === "rewrap") return this.#rewrap(name, request, context);
    }
    if (post && what === "datakey" && path.length === 3 && (name === "plaintext" || name === "wrapped"))
      return this.#datakey(more ?? "", name === "plaintext", request, context);
    if (what === "keys") return this.#keys(request, context);
    throw noSuchCall(this.name, request);
  }

  async #keys(request: PluginRequest, context: PluginContext): Promise<PluginResponse> {
    const { method, path, principal } = request;
    const [, name, more] = path;
    const by = principal?.id ?? "";
    const post = method === "POST" || method === "PUT";
    if (method === "GET" && path.length === 1) return answer({ keys: await this.#ring.list(context) });
    if (name !== undefined && path.length === 2) {
      if (method === "GET") return answer(shown(await this.#ring.facts(name, context)));
      if (method === "DELETE") {
        await this.#ring.delete(name, context, by);
        return EMPTY;
      }
      if (post) {
        const { derived } = bodyOf(createBody, request);
        return { ...answer(shown(await this.#ring.create(name, context, by, derived))), recorded: true };
      }
    }
    if (name !== undefined && post && path.length === 3) {
      if (more === "rotate") {
        await this.#ring.rotate(name, context, by);
        return EMPTY;
      }
      if (more === "config") {
        const { min_decryption_version: minDecryption, deletion_allowed } = bodyOf(configBody, request);
        await this.#ring.configure(name, { minDecryption, deletionAllowed: deletion_allowed }, context, by);
        return EMPTY;
      }
    }
    throw noSuchCall(this.name, request);
  }

  async #encrypt(name: string, request: PluginRequest, context: PluginContext): Promise<PluginResponse> {
    const body = bodyOf(encryptBody, request);
    const version: number[] = [];
    const one = async (entry: EncryptItem): Promise<JsonObject> => {
      const plaintext = bytesOf("plaintext", entry.plaintext);
      const sealed = await this.#ring.encrypt(name, plaintext, aadOf(entry), contextOf(entry), context);
      plaintext.fill(0);
      version.push(sealed.version);
      return { ciphertext: written(sealed), key_version: sealed.version };
    };
    const data = "batch_input" in body ? await batch(body.batch_input, one) : await one(body);
    return answer(data, { keyName: name, items: version.length });
  }

  async #decrypt(name: string, request: PluginRequest, context: PluginContext): Promise<PluginResponse> {
    const body = bodyOf(cryptBody, request);
    let items = 0;
    const one = async (entry: CryptItem): Promise<JsonObject> => {
      const plaintext = await this.#opened(name, entry, context);
      items++;
      const encoded = toBase64(plaintext);
      plaintext.fill(0);
      return { plaintext: encoded };
    };
    const data = "batch_input" in body ? await batch(body.batch_input, one) : await one(body);
    return answer(data, { keyName: name, items });
  }

  async #rewrap(name: string, request: PluginRequest, context: PluginContext): Promise<PluginResponse> {
    const body = bodyOf(cryptBody, request);
    let items = 0;
    const one = async (entry: CryptItem): Promise<JsonObject> => {
      const plaintext = await this.#opened(name, entry, context);
      const sealed = await this.#ring.encrypt(name, plaintext, aadOf(entry), contextOf(entry), context);
      plaintext.fill(0);
      items++;
      return { ciphertext: written(sealed), key_version: sealed.version };
    };
    const data = "batch_input" in body ? await batch(body.batch_input, one) : await one(body);
    return answer(data, { keyName: name, items });
  }

  /** A fresh key under the named one; in plain too where it was asked for. */
  async #datakey(
    name: string,
    plain: boolean,
    request: PluginRequest,
    context: PluginContext,
  ): Promise<PluginResponse> {
    const { bits = 256, ...entry } = bodyOf(datakeyBody, request);
    const key = new Uint8Array(randomBytes(bits / 8));
    const sealed = await this.#ring.encrypt(name, key, new Uint8Array(0), contextOf(entry), context);
    const plaintext = plain ? { plaintext: toBase64(key) } : {};
    key.fill(0);
    const data = { ...plaintext, ciphertext: written(sealed), key_version: sealed.version };
    return answer(data, { keyName: name, items: 1 });
  }

  #opened(name: string, entry: CryptItem, context: PluginContext): Promise<Uint8Array> {
    const [, version, body] = CIPHERTEXT.exec(entry.ciphertext) ?? [];
    if (version === undefined || body === undefined)
      throw ciphertextRefused("it does not begin with vault:v and a version");
    const bytes = bytesOf("ciphertext", body);
    return this.#ring.decrypt(name, Number(version), bytes, aadOf(entry), contextOf(entry), context);
  }
}

const EMPTY: PluginResponse = { status: 204, body: new Uint8Array(0), recorded: true };

/** Each item has a result or an error of its own. */
async function batch<T>(items: readonly T[], one: (item: T) => Promise<JsonObject>): Promise<JsonObject> {
  const results: JsonObject[] = [];
  for (const entry of items) {
    try {
      results.push(await one(entry));
    } catch (error) {
      if (!(error instanceof BrokerError) || error.category === "unavailable") throw error;
      results.push({ error: error.message });
    }
  }
  return { batch_results: results };
}

function answer(data: JsonObject, audit?: JsonObject): PluginResponse {
  return jsonAnswer({ data }, audit === undefined ? {} : { audit });
}

function written({ version, body }: { readonly version: number; readonly body: Uint8Array }): string {
  return `vault:v${version}:${toBase64(body)}`;
}

function contextOf({ context }: { readonly context?: string | undefined }): Uint8Array | undefined {
  return context === undefined || context === "" ? undefined : bytesOf("context", context);
}

function aadOf({ associated_data }: { readonly associated_data?: string | undefined }): Uint8Array {
  return associated_data === undefined ? new Uint8Array(0) : bytesOf("associated_data", associated_data);
}

function bytesOf(what: string, encoded: string): Uint8Array {
  try {
    return fromBase64(encoded);
  } catch {
    throw invalid(`${what} is no base64`);
  }
}

function shown({ name, latest, minDecryption, derived, deletionAllowed, created }: KeyFacts): JsonObject {
  const keys = created.map((time, index) => [String(index + 1), Math.floor(Date.parse(time) / 1000)]);
  return {
    name,
    type: "aes256-gcm96",
    derived,
    deletion_allowed: deletionAllowed,
    exportable: false,
    latest_version: latest,
    min_decryption_version: minDecryption,
    supports_encryption: true,
    supports_decryption: true,
    supports_derivation: true,
    keys: Object.fromEntries(keys),
  };
}
