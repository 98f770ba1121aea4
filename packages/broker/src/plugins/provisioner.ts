// SPDX-License-Identifier: Apache-2.0
// Disk-encryption keys for virtual machines, each bound to the init-data of the machine it is for: Trustee's plugin
// `provisioner`.

import { createHash, randomInt } from "node:crypto";
import { concat, fromHex, fromUtf8, toHex } from "@adyton/core/bytes";
import { isJsonObject } from "@adyton/core/json";
import { z } from "zod";
import { BrokerError } from "../errors.ts";
import type { AttestedClaims } from "../policy.ts";
import { bodyOf, jsonAnswer, noSuchCall } from "./answers.ts";
import { removeSealed, sealedOnce, sealedValue } from "./sealed-once.ts";
import type { Plugin, PluginContext, PluginRequest, PluginResponse } from "./types.ts";

export interface ProvisionerOptions {
  /** Letters and digits in a key. Default 32, about 190 bits. */
  readonly keyLength?: number;
}

const NAME = "provisioner";
/** RFC 9562 version 5 under the namespace for URLs, of `provisioner_plugin`. */
const NAMESPACE = fromHex("feab5599685452bc95f00241c03e620a");
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const DEFAULT_LENGTH = 32;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const CLAIM = "trustee.kbs.resource";
const provisionBody = z.object({
  vm_name: z.string().min(1).max(253),
  namespace: z.string().min(1).max(253).default("default"),
});

/**
 * `POST provision {vm_name, namespace?}` (admin) makes a key and answers `{uuid, resource_path}`; the machine's init-data
 * names it as `trustee.kbs.resource = "kbs+provisioner:///<resource_path>"`, and only a machine with that init-data gets
 * it with `GET <resource_path>`. `DELETE provision/<uuid>` (admin) removes it.
 */
export function provisionerPlugin({ keyLength = DEFAULT_LENGTH }: ProvisionerOptions = {}): Plugin {
  return {
    name: NAME,
    access: ({ method }) => (method === "GET" ? "attested" : "admin"),
    encrypts: ({ method }) => method === "GET",
    handle: (request, context) => {
      const { method, path } = request;
      const [first, second = ""] = path;
      if (method === "POST" && path.length === 1 && first === "provision")
        return provision(request, context, keyLength);
      if (method === "DELETE" && path.length === 2 && first === "provision" && UUID.test(second))
        return deprovision(second, request, context);
      if (method === "GET") return release(request, context);
      throw noSuchCall(NAME, request);
    },
  };
}

async function provision(
  request: PluginRequest,
  context: PluginContext,
  length: number,
): Promise<PluginResponse> {
  const { vm_name, namespace } = bodyOf(provisionBody, request);
  const uuid = uuidV5(`${namespace}/${vm_name}`);
  const path = resourcePathOf(uuid);
  const by = request.principal?.id ?? "";
  const event = { type: "plugin.provision", plugin: NAME, vm: `${namespace}/${vm_name}`, resource: path, by };
  (await sealedOnce(`${NAME}/${path}`, context, event, () => fromUtf8(document(newKey(length))))).fill(0);
  return jsonAnswer({ uuid, resource_path: path });
}

async function deprovision(
  uuid: string,
  request: PluginRequest,
  context: PluginContext,
): Promise<PluginResponse> {
  const path = resourcePathOf(uuid);
  const by = request.principal?.id ?? "";
  await removeSealed(`${NAME}/${path}`, context, {
    type: "plugin.deprovision",
    plugin: NAME,
    resource: path,
    by,
  });
  return jsonAnswer({ status: "deleted" });
}

async function release({ path, claims }: PluginRequest, context: PluginContext): Promise<PluginResponse> {
  const name = path.join("/");
  // Whether there is such a key shows only to the machine that it is bound to.
  if (boundResourceOf(claims) !== `kbs+provisioner:///${name}`) {
    throw new BrokerError(
      "POLICY_REFUSED",
      "policy",
      `Cannot release ${NAME}/${name}: the machine's init-data does not name it`,
      { hint: `Set ${CLAIM} in the init-data of the machine to the path that provisioning answered.` },
    );
  }
  const body = await sealedValue(`${NAME}/${name}`, context);
  if (body === undefined) {
    throw new BrokerError("RESOURCE_NOT_FOUND", "misuse", `Cannot find ${NAME}/${name}`);
  }
  return { body, contentType: "application/toml" };
}

/** From the claims that the evidence binds, of the first CPU. */
function boundResourceOf(claims: AttestedClaims | undefined): string | undefined {
  const evidence = claims?.submods.cpu0?.["ear.veraison.annotated-evidence"];
  const initData = evidence?.init_data_claims;
  const bound = isJsonObject(initData) ? initData[CLAIM] : undefined;
  return typeof bound === "string" ? bound : undefined;
}

function resourcePathOf(uuid: string): string {
  return `default/${uuid}/root`;
}

/** What the guest's confidential data hub takes for a disk. */
function document(key: string): string {
  return `version = "0.1.0"\n\n[data]\n"io.cryptsetup.key.text.root" = "${key}"\n`;
}

function newKey(length: number): string {
  return Array.from({ length }, () => ALPHABET[randomInt(ALPHABET.length)] ?? "").join("");
}

/** RFC 9562 section 5.5. */
function uuidV5(name: string): string {
  const hash = new Uint8Array(
    createHash("sha1")
      .update(concat(NAMESPACE, fromUtf8(name)))
      .digest(),
  );
  hash[6] = ((hash[6] ?? 0) & 0x0f) | 0x50;
  hash[8] = ((hash[8] ?? 0) & 0x3f) | 0x80;
  const hex = toHex(hash.subarray(0, 16));
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}
