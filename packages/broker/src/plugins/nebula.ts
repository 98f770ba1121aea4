// SPDX-License-Identifier: Apache-2.0
// Certificates of the Nebula overlay network for attested workloads, as Trustee's plugin `nebula-ca` answers.

import { concat, fromUtf8 } from "@adyton/core/bytes";
import { BrokerError } from "../errors.ts";
import { invalid } from "../protocol.ts";
import { jsonAnswer, noSuchCall } from "./answers.ts";
import {
  contains,
  type Ipv4Network,
  nebulaFingerprint,
  nebulaPem,
  newNebulaKey,
  parseIpv4Network,
  signNebulaCertificate,
} from "./nebula-certificate.ts";
import { sealedOnce } from "./sealed-once.ts";
import type { Plugin, PluginContext, PluginRequest, PluginResponse } from "./types.ts";

export interface NebulaOptions {
  /** Of the authority. Default `Adyton Nebula CA`. */
  readonly caName?: string;
  /** Of the authority, from its first use. Default ten years. */
  readonly caSeconds?: number;
  /** Of a node's certificate, unless it asks for less with `duration`. Default one day. */
  readonly maxSeconds?: number;
  /** Addresses lie in one of them. Default any. */
  readonly networks?: readonly string[];
  /** Groups that may be asked for. Default any. */
  readonly groups?: readonly string[];
}

interface Authority {
  readonly seed: Uint8Array;
  readonly certificate: Uint8Array;
  readonly notAfter: Date;
}

const NAME = "nebula-ca";
const YEARS_10 = 10 * 365 * 86_400;
const DAY = 86_400;
const SEED_BYTES = 32;
const TIME_BYTES = 8;
const MAX_ITEMS = 32;
const LABEL = /^[A-Za-z0-9_][A-Za-z0-9_.:@-]{0,127}$/;
const QUERY: readonly string[] = ["name", "ip", "duration", "groups", "subnets"];
/** Go's durations, in the units that a certificate's life is told in. */
const DURATION = /^(?:(\d{1,7})h)?(?:(\d{1,7})m)?(?:(\d{1,9})s)?$/;

/**
 * `GET credential?name=&ip=[&duration=][&groups=][&subnets=]` (attested) answers `{node_crt, node_key, ca_crt}`, each the
 * bytes of a PEM file, encrypted to the attested key; `GET ca` (public) the authority's certificate. Which name and
 * address a workload may have is the resource policy's decision. Throws `INVALID_REQUEST` for options that cannot be.
 */
export function nebulaPlugin(options: NebulaOptions = {}): Plugin {
  const networks = (options.networks ?? []).map((text) => networkOf("networks", text));
  return {
    name: NAME,
    access: ({ path }) => (path.length === 1 && path[0] === "ca" ? "public" : "attested"),
    encrypts: () => true,
    handle: async (request, context) => {
      const { method, path } = request;
      const [what] = path;
      if (method !== "GET" || path.length !== 1) throw noSuchCall(NAME, request);
      if (what === "ca") {
        const { certificate, seed } = await authorityOf(options, context);
        seed.fill(0);
        return {
          body: fromUtf8(nebulaPem("CERTIFICATE", certificate)),
          contentType: "application/x-pem-file",
        };
      }
      if (what === "credential") return credential(request, options, networks, context);
      throw noSuchCall(NAME, request);
    },
  };
}

async function credential(
  { query }: PluginRequest,
  options: NebulaOptions,
  networks: readonly Ipv4Network[],
  context: PluginContext,
): Promise<PluginResponse> {
  for (const key of query.keys()) if (!QUERY.includes(key)) throw invalid(`the query names ${key}`);
  const name = query.get("name") ?? "";
  if (!LABEL.test(name))
    throw invalid("name is missing, or holds something else than letters, digits and ._:@-");
  const text = query.get("ip") ?? "";
  const ip = networkOf("ip", text);
  if (networks.length > 0 && !networks.some((network) => contains(network, ip)))
    throw invalid("ip lies in none of the networks that are given out");
  const groups = listOf("groups", query.get("groups"));
  const { maxSeconds = DAY } = options;
  for (const group of groups) {
    if (!LABEL.test(group) || options.groups?.includes(group) === false)
      throw invalid("groups names one that is not given out");
  }
  const subnets = listOf("subnets", query.get("subnets")).map((subnet) => networkOf("subnets", subnet));
  if (networks.length > 0 && subnets.some((subnet) => !networks.some((network) => contains(network, subnet))))
    throw invalid("subnets names one that is not given out");
  const seconds = Math.min(maxSeconds, secondsOf(query.get("duration")) ?? maxSeconds);
  const authority = await authorityOf(options, context);
  const from = context.now.getTime();
  // A certificate that outlives its authority's is refused.
  const notAfter = new Date(Math.min(from + seconds * 1000, authority.notAfter.getTime() - 1000));
  if (notAfter.getTime() < from) {
    authority.seed.fill(0);
    throw new BrokerError(
      "PLUGIN_FAILED",
      "unavailable",
      "Cannot issue a certificate: the authority's has expired",
    );
  }
  const key = newNebulaKey("x25519");
  const certificate = signNebulaCertificate(
    {
      name,
      ips: [ip],
      subnets,
      groups,
      notBefore: context.now,
      notAfter,
      publicKey: key.publicKey,
      isCa: false,
      issuer: nebulaFingerprint(authority.certificate),
    },
    authority.seed,
  );
  authority.seed.fill(0);
  const answer = jsonAnswer(
    {
      node_crt: [...fromUtf8(nebulaPem("CERTIFICATE", certificate))],
      node_key: [...fromUtf8(nebulaPem("X25519 PRIVATE KEY", key.privateKey))],
      ca_crt: [...fromUtf8(nebulaPem("CERTIFICATE", authority.certificate))],
    },
    { audit: { name, ip: text, notAfter: notAfter.toISOString() } },
  );
  key.privateKey.fill(0);
  return answer;
}

/** Made on first use: seed, end of life, certificate. */
async function authorityOf(options: NebulaOptions, context: PluginContext): Promise<Authority> {
  const { caName = "Adyton Nebula CA", caSeconds = YEARS_10 } = options;
  const event = { type: "plugin.authority", plugin: NAME };
  const value = await sealedOnce(`${NAME}/authority`, context, event, () => {
    const { privateKey: seed, publicKey } = newNebulaKey("ed25519");
    const notAfter = new Date(context.now.getTime() + caSeconds * 1000);
    const certificate = signNebulaCertificate(
      {
        name: caName,
        ips: [],
        subnets: [],
        groups: [],
        notBefore: context.now,
        notAfter,
        publicKey,
        isCa: true,
        issuer: new Uint8Array(0),
      },
      seed,
    );
    const time = new Uint8Array(TIME_BYTES);
    new DataView(time.buffer).setFloat64(0, notAfter.getTime());
    const made = concat(seed, time, certificate);
    seed.fill(0);
    return made;
  });
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const authority = {
    seed: value.slice(0, SEED_BYTES),
    notAfter: new Date(view.getFloat64(SEED_BYTES)),
    certificate: value.slice(SEED_BYTES + TIME_BYTES),
  };
  value.fill(0);
  return authority;
}

function networkOf(what: string, text: string): Ipv4Network {
  const network = parseIpv4Network(text);
  if (network === undefined)
    throw invalid(`${what} is no IPv4 address with its prefix length, like 10.1.2.3/24`);
  return network;
}

function listOf(what: string, text: string | undefined): readonly string[] {
  if (text === undefined || text === "") return [];
  const list = text.split(",");
  if (list.length > MAX_ITEMS) throw invalid(`${what} names more than ${MAX_ITEMS}`);
  return list;
}

function secondsOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const match = text === "" ? null : DURATION.exec(text);
  if (match === null) throw invalid("duration is none, like 24h or 1h30m");
  const [hours = 0, minutes = 0, seconds = 0] = match.slice(1).map((part) => Number(part ?? 0));
  return hours * 3600 + minutes * 60 + seconds;
}
