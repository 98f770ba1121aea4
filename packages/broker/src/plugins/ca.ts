// SPDX-License-Identifier: Apache-2.0
// The mesh CA: a certificate request signed by an attested key in, a short-lived X.509 certificate with the workload's
// identity out (SPIFFE X.509-SVID). Which identity a workload may have is the resource policy's decision: it stands in
// the path.

import { randomBytes } from "node:crypto";
import { concat, fromUtf8, toHex } from "@adyton/core/bytes";
import { defaultCrypto, type PrivateKey } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import { type IssuedExtension, issueCertificate } from "@adyton/core/issue";
import { toPem } from "@adyton/core/pem";
import { KEY_USAGE, parseCertificate } from "@adyton/core/x509";
import { BrokerError } from "../errors.ts";
import { spkiOfTeeKey } from "../jwe.ts";
import { invalid } from "../protocol.ts";
import { teeKeyOf } from "../release-gate.ts";
import { noSuchCall } from "./answers.ts";
import { checkSameKey, csrRefused, keyOfRequest } from "./csr.ts";
import { sealedOnce } from "./sealed-once.ts";
import type { Plugin, PluginContext, PluginRequest, PluginResponse } from "./types.ts";

export interface CaOptions {
  /** Default `ca`. */
  readonly name?: string;
  /** The trust domain of the SPIFFE ids: `spiffe://<trustDomain>/<path>`. */
  readonly trustDomain: string;
  /** Of a certificate. Default 3600. */
  readonly lifetimeSeconds?: number;
  /** DNS names (`name`, or `*.suffix` for all that end so) that may be asked for with `?dns=`. Default none. */
  readonly dnsNames?: readonly string[];
  /**
   * `attested`: the request's key is the attested one. `any`: any key that the attested sender brings; who steals a token
   * could then get a certificate, too. Default `attested`.
   */
  readonly keys?: "attested" | "any";
}

interface Authority {
  readonly key: PrivateKey;
  /** DER. */
  readonly root: Uint8Array;
}

const DEFAULT_LIFETIME = 3600;
const ROOT_YEARS = 10;
/** Clocks of peers may be behind. */
const BACKDATED_SECONDS = 60;
const SERIAL_BYTES = 16;
/** SPIFFE ID section 2.3. */
const MAX_ID = 2048;
const TRUST_DOMAIN = /^[a-z0-9._-]{1,255}$/;
const SEGMENT = /^[A-Za-z0-9._-]{1,128}$/;
const DNS_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
const OID = {
  subjectAltName: "2.5.29.17",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
} as const;
const GENERAL_NAME = { dns: 0x82, uri: 0x86 } as const;

/**
 * `POST issue/<identity…>[?dns=name]` (attested) takes a PKCS #10 request and answers the certificate as PEM; `GET chain` (public)
 * answers the root that issued it, which is made on first use, sealed in the store, for ten years. Throws `INVALID_REQUEST` for options that cannot be.
 */
export function caPlugin(options: CaOptions): Plugin {
  if (!TRUST_DOMAIN.test(options.trustDomain)) throw invalid("the trust domain is no SPIFFE trust domain");
  return new MeshCa(options);
}

class MeshCa implements Plugin {
  readonly name: string;
  readonly #options: CaOptions;

  constructor(options: CaOptions) {
    this.name = options.name ?? "ca";
    this.#options = options;
  }

  access({ method, path }: PluginRequest): "attested" | "public" {
    return method === "GET" && path.length === 1 && path[0] === "chain" ? "public" : "attested";
  }

  encrypts(): boolean {
    return false;
  }

  async handle(request: PluginRequest, context: PluginContext): Promise<PluginResponse> {
    const { method, path } = request;
    const [what, ...identity] = path;
    if (method === "GET" && what === "chain" && path.length === 1)
      return pemAnswer([(await this.#authority(context)).root]);
    if (method === "POST" && what === "issue" && identity.length > 0)
      return this.#issue(identity, request, context);
    throw noSuchCall(this.name, request);
  }

  async #issue(
    identity: readonly string[],
    { body, query, claims }: PluginRequest,
    context: PluginContext,
  ): Promise<PluginResponse> {
    const { trustDomain, lifetimeSeconds = DEFAULT_LIFETIME, keys = "attested" } = this.#options;
    if (!identity.every((part) => SEGMENT.test(part)))
      throw invalid("a part of the identity holds something else than letters, digits, dots, _ and -");
    const id = `spiffe://${trustDomain}/${identity.join("/")}`;
    if (id.length > MAX_ID) throw invalid(`the identity has more than ${MAX_ID} characters`);
    const dns = this.#dnsName(query);
    const spki = await keyOfRequest(body);
    if (claims === undefined) throw csrRefused("its sender is not attested");
    if (keys === "attested") {
      checkSameKey(spki, spkiOfTeeKey(teeKeyOf(claims)));
    }
    const { key, root } = await this.#authority(context);
    const issuer = parseCertificate(root);
    const from = context.now.getTime();
    const notAfter = new Date(Math.min(from + lifetimeSeconds * 1000, issuer.notAfter.getTime()));
    if (notAfter.getTime() <= from) {
      throw new BrokerError(
        "PLUGIN_FAILED",
        "unavailable",
        "Cannot issue a certificate: the issuer's has expired",
      );
    }
    const serial = serialNumber();
    const certificate = await issueCertificate(
      {
        subject: [],
        spki,
        serial,
        notBefore: new Date(from - BACKDATED_SECONDS * 1000),
        notAfter,
        keyUsage: [KEY_USAGE.digitalSignature],
        extensions: [namesExtension(id, dns), USAGE_EXTENSION],
      },
      {
        key,
        name: [
          ["O", trustDomain],
          ["CN", `${this.name} ${trustDomain}`],
        ],
      },
    );
    return pemAnswer([certificate], {
      spiffeId: id,
      serial,
      notAfter: notAfter.toISOString(),
      ...(dns === undefined ? {} : { dns }),
    });
  }

  #dnsName(query: ReadonlyMap<string, string>): string | undefined {
    for (const name of query.keys())
      if (name !== "dns") throw invalid(`the query names ${name}, expected dns`);
    const dns = query.get("dns");
    if (dns === undefined) return undefined;
    const { dnsNames = [] } = this.#options;
    const allowed = dnsNames.some((known) =>
      known.startsWith("*.") ? dns.endsWith(known.slice(1)) : known === dns,
    );
    if (!DNS_NAME.test(dns) || !allowed) throw csrRefused("its DNS name is not among those that are issued");
    return dns;
  }

  async #authority(context: PluginContext): Promise<Authority> {
    const event = { type: "plugin.authority", plugin: this.name };
    const value = await sealedOnce(`${this.name}/authority`, context, event, () =>
      this.#newAuthority(context.now),
    );
    const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
    const end = 4 + view.getUint32(0);
    try {
      const key = await defaultCrypto.importPrivateKey(value.subarray(4, end));
      return { key, root: value.slice(end) };
    } finally {
      value.fill(0);
    }
  }

  /** Length and bytes of the key, then the certificate. */
  async #newAuthority(now: Date): Promise<Uint8Array> {
    const { trustDomain } = this.#options;
    const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-384" });
    const name = [
      ["O", trustDomain],
      ["CN", `${this.name} ${trustDomain}`],
    ] as const;
    const notAfter = new Date(now);
    notAfter.setUTCFullYear(now.getUTCFullYear() + ROOT_YEARS);
    const certificate = await issueCertificate(
      {
        subject: name,
        spki: key.publicKey.spki,
        serial: serialNumber(),
        notBefore: new Date(now.getTime() - BACKDATED_SECONDS * 1000),
        notAfter,
        ca: { pathLength: 0 },
        keyUsage: [KEY_USAGE.keyCertSign, KEY_USAGE.cRLSign],
        // SPIFFE X.509-SVID section 3.1: a signing certificate carries the id of its trust domain.
        extensions: [{ oid: OID.subjectAltName, value: encodeDer.sequence(uri(`spiffe://${trustDomain}`)) }],
      },
      { key, name },
    );
    const pkcs8 = await key.export();
    const length = new Uint8Array(4);
    new DataView(length.buffer).setUint32(0, pkcs8.length);
    const value = concat(length, pkcs8, certificate);
    pkcs8.fill(0);
    return value;
  }
}

const USAGE_EXTENSION: IssuedExtension = {
  oid: OID.extendedKeyUsage,
  value: encodeDer.sequence(encodeDer.oid(OID.serverAuth), encodeDer.oid(OID.clientAuth)),
};

/** Critical, since the subject is empty (RFC 5280 section 4.2.1.6). */
function namesExtension(id: string, dns: string | undefined): IssuedExtension {
  const names = [uri(id), ...(dns === undefined ? [] : [encodeDer.value(GENERAL_NAME.dns, fromUtf8(dns))])];
  return { oid: OID.subjectAltName, critical: true, value: encodeDer.sequence(...names) };
}

function uri(text: string): Uint8Array {
  return encodeDer.value(GENERAL_NAME.uri, fromUtf8(text));
}

/** Positive, and with a first byte that is not zero. */
function serialNumber(): string {
  const bytes = new Uint8Array(randomBytes(SERIAL_BYTES));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return toHex(bytes);
}

function pemAnswer(certificates: readonly Uint8Array[], audit?: Record<string, string>): PluginResponse {
  return {
    body: fromUtf8(certificates.map((der) => toPem("CERTIFICATE", der)).join("")),
    contentType: "application/pem-certificate-chain",
    ...(audit === undefined ? {} : { audit }),
  };
}
