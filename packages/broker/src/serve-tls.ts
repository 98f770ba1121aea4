// SPDX-License-Identifier: Apache-2.0
// TLS of the broker's own: certificate and key from files, taken anew when they change; what a client certificate says.

import { constants, createHash } from "node:crypto";
import { promises as fs } from "node:fs";
import { createSecureContext, type SecureContextOptions } from "node:tls";
import type { PeerCertificate } from "./admin/certificate.ts";
import { BrokerError } from "./errors.ts";
import type { Logger } from "./log.ts";

export interface TlsOptions {
  /** PEM file: the certificate, then those between it and its root. */
  readonly certificate: string;
  /** PEM file. */
  readonly key: string;
  /** `modern` (default): TLS 1.3 alone. `intermediate`: TLS 1.2 too. */
  readonly profile?: "modern" | "intermediate";
  /**
   * `optional` asks for a certificate and takes any: rules that ask for a checked one see whether it was. `required` refuses
   * connections without a checked one. Default `none`.
   */
  readonly clientCertificates?: "none" | "optional" | "required";
  /** PEM file: the authorities that client certificates are checked against. Without it none counts as checked. */
  readonly clientCa?: string;
  /** How often the files are looked at; 0: only when `reload` is called. Default 10. */
  readonly reloadSeconds?: number;
}

/** What the listener takes, once the files were read. */
export interface TlsMaterial {
  readonly context: SecureContextOptions;
  /** Changes when a file does. */
  readonly digest: string;
}

// Mozilla's intermediate profile without its DHE suites: forward secrecy and AEAD.
const CIPHERS_12 = [
  "ECDHE-ECDSA-AES128-GCM-SHA256",
  "ECDHE-RSA-AES128-GCM-SHA256",
  "ECDHE-ECDSA-AES256-GCM-SHA384",
  "ECDHE-RSA-AES256-GCM-SHA384",
  "ECDHE-ECDSA-CHACHA20-POLY1305",
  "ECDHE-RSA-CHACHA20-POLY1305",
];
const CIPHERS_13 = ["TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"];
const CLASSIC_GROUPS = "X25519:prime256v1:secp384r1";
// draft-ietf-tls-ecdhe-mlkem: OpenSSL has it from 3.5 on.
const HYBRID_GROUP = "X25519MLKEM768";

/** Whether this OpenSSL agrees on keys that a quantum computer does not open. */
export function hasHybridGroup(): boolean {
  try {
    createSecureContext({ ecdhCurve: HYBRID_GROUP });
    return true;
  } catch {
    return false;
  }
}

/** Reads the files. Rejects with `TLS_INVALID` for what no connection could be made with. */
export async function tlsMaterial(options: TlsOptions): Promise<TlsMaterial> {
  const { certificate, clientCa, key, profile = "modern" } = options;
  const [cert, keyPem, ca] = await Promise.all([
    pemIn(certificate),
    pemIn(key),
    clientCa === undefined ? undefined : pemIn(clientCa),
  ]);
  const modern = profile === "modern";
  const context: SecureContextOptions = {
    cert,
    key: keyPem,
    // Without authorities of its own Node would check clients against the public ones.
    ca: ca ?? [],
    minVersion: modern ? "TLSv1.3" : "TLSv1.2",
    maxVersion: "TLSv1.3",
    ciphers: [...CIPHERS_13, ...(modern ? [] : CIPHERS_12)].join(":"),
    honorCipherOrder: !modern,
    ecdhCurve: hasHybridGroup() ? `${HYBRID_GROUP}:${CLASSIC_GROUPS}` : CLASSIC_GROUPS,
    // A resumed session would go on with the authorities of then.
    ...((options.clientCertificates ?? "none") === "none"
      ? {}
      : { secureOptions: constants.SSL_OP_NO_TICKET }),
  };
  try {
    createSecureContext(context);
  } catch (cause) {
    // OpenSSL's reason names no bytes of the key.
    const why = cause instanceof Error ? cause.message : String(cause);
    throw invalid(`${certificate} and ${key}`, why);
  }
  const hash = createHash("sha256");
  for (const text of [cert, keyPem, ca ?? ""]) hash.update(`${text.length}:${text}`);
  return { context, digest: hash.digest("hex") };
}

/** Keeps a listener's certificate fresh. Pairs that do not fit, or half-written ones, leave the old in force. */
export class TlsReloader {
  readonly #options: TlsOptions;
  readonly #apply: (context: SecureContextOptions) => void;
  readonly #logger: Logger;
  readonly #timer: NodeJS.Timeout | undefined;
  #digest: string;
  #failure = "";

  constructor(
    options: TlsOptions,
    now: TlsMaterial,
    apply: (context: SecureContextOptions) => void,
    logger: Logger,
  ) {
    this.#options = options;
    this.#apply = apply;
    this.#logger = logger;
    this.#digest = now.digest;
    const { reloadSeconds = 10 } = options;
    if (reloadSeconds > 0) {
      this.#timer = setInterval(() => void this.reload(), reloadSeconds * 1000);
      this.#timer.unref();
    }
  }

  /** Answers whether there is a new certificate in force. Never rejects. */
  async reload(): Promise<boolean> {
    try {
      const { context, digest } = await tlsMaterial(this.#options);
      this.#failure = "";
      if (digest === this.#digest) return false;
      this.#apply(context);
      this.#digest = digest;
      this.#logger.info("certificate reloaded", { file: this.#options.certificate });
      return true;
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      // Said once, not at every look.
      if (reason !== this.#failure) this.#logger.error("certificate not reloaded", { reason });
      this.#failure = reason;
      return false;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** What of a TLS socket is asked; HTTP/2 hides its own behind a proxy. */
export interface PeerSocket {
  readonly authorized?: boolean;
  getPeerCertificate?(): { readonly raw?: Uint8Array };
}

/** The certificate of a client that brought one. */
export function peerCertificateOf(socket: PeerSocket): PeerCertificate | undefined {
  if (typeof socket.getPeerCertificate !== "function") return undefined;
  const { raw } = socket.getPeerCertificate() ?? {};
  return raw === undefined ? undefined : { der: new Uint8Array(raw), trusted: socket.authorized === true };
}

async function pemIn(path: string): Promise<string> {
  try {
    return await fs.readFile(path, "utf8");
  } catch (cause) {
    const why = cause instanceof Error && "code" in cause ? String(cause.code) : "it cannot be read";
    throw invalid(path, why);
  }
}

function invalid(what: string, why: string): BrokerError {
  return new BrokerError("TLS_INVALID", "misuse", `Cannot serve TLS with ${what}: ${why}`, {
    hint: "Give PEM files of a certificate with its chain, and of its key.",
  });
}
