// SPDX-License-Identifier: Apache-2.0
// Whom the broker takes reference values from: the folder trust/ of the state folder. A file that is not understood stops
// the start: who is trusted is never guessed.

import { createHash } from "node:crypto";
import { existsSync, promises as fs } from "node:fs";
import { join } from "node:path";
import type { ReferenceTrust } from "@adyton/appraisal/reference";
import { equal, toUtf8 } from "@adyton/core/bytes";
import { type PublicKey, verifyingCrypto } from "@adyton/core/crypto";
import { AdytonError } from "@adyton/core/errors";
import { type JsonValue, parseJson } from "@adyton/core/json";
import { looksLikePem, parsePem } from "@adyton/core/pem";
import { type Certificate, parseCertificate } from "@adyton/core/x509";
import { z } from "zod";
import { BrokerError } from "../errors.ts";
import type { Logger } from "../log.ts";
import { matching } from "../protocol.ts";
import {
  type ProvenanceTrust,
  parseSigstoreRoot,
  type SigstoreRoot,
  type TrustedBuilder,
} from "./provenance.ts";

/** Whose reference values are taken. Empty: nobody's but the administrators'. */
export interface ReferenceSources extends ReferenceTrust, ProvenanceTrust {}

/** In the folder: what files of keys and certificates cannot say. */
const SETTINGS = "references.json";
const MAX_FILE = 1_048_576;
const MAX_FILES = 256;

const pattern = z.string().regex(/^[^*]+$|^[^*]*[/@]\*$/, "expected a star at the end alone, after / or @");
const settings = z.strictObject({
  /** Profiles of CoRIMs that change nothing about reference values. */
  profiles: z.array(z.string()).optional(),
  /** Documents that nobody signed. */
  allowUnsigned: z.boolean().optional(),
  builders: z
    .array(
      z.union([
        z.strictObject({ builder: pattern, source: z.string(), issuer: z.string(), identity: pattern }),
        /** SHA-256 of the SubjectPublicKeyInfo of a key in the folder. */
        z.strictObject({ builder: pattern, source: z.string(), keyId: z.string().regex(/^[0-9a-f]{64}$/) }),
      ]),
    )
    .optional(),
});

/**
 * Reads `folder`: public keys and self-issued certificates in PEM (or DER, `.der` and `.cer`), sigstore's
 * `trusted_root.json` under any name, and `references.json`. Rejects with `STATE_INVALID`. Without the folder: nobody.
 */
export async function readReferenceTrust(folder: string, logger: Logger): Promise<ReferenceSources> {
  if (!existsSync(folder)) return {};
  const names = (await fs.readdir(folder)).filter((name) => !name.startsWith(".")).sort();
  if (names.length > MAX_FILES) throw invalid(folder, `more than ${MAX_FILES} files`);
  const found: Found = { keys: [], roots: [], sigstoreRoots: [] };
  let text: string | undefined;
  for (const name of names) {
    const path = join(folder, name);
    const bytes = await bytesOf(path);
    try {
      if (name === SETTINGS) text = toUtf8(bytes);
      else await take(name, bytes, found);
    } catch (error) {
      throw invalid(path, error instanceof AdytonError ? error.message : "it cannot be read");
    }
  }
  const { keys, roots, sigstoreRoots } = found;
  const more = text === undefined ? {} : settingsOf(join(folder, SETTINGS), text, keys);
  const counts = { keys: keys.length, roots: roots.length, sigstoreRoots: sigstoreRoots.length };
  logger.warn("others trusted to give reference values", {
    ...counts,
    builders: more.builders?.length ?? 0,
    ...(more.allowUnsigned === true ? { unsigned: true } : {}),
  });
  return { keys, roots, sigstoreRoots, ...more };
}

interface Found {
  readonly keys: PublicKey[];
  readonly roots: Certificate[];
  readonly sigstoreRoots: SigstoreRoot[];
}

async function bytesOf(path: string): Promise<Uint8Array> {
  const { size } = await fs.stat(path);
  if (size > MAX_FILE) throw invalid(path, `it has ${size} bytes, at most ${MAX_FILE} are read`);
  try {
    return new Uint8Array(await fs.readFile(path));
  } catch {
    throw invalid(path, "it cannot be read");
  }
}

async function take(name: string, bytes: Uint8Array, { keys, roots, sigstoreRoots }: Found): Promise<void> {
  if (/\.(der|cer)$/.test(name)) {
    roots.push(rootOf(bytes));
    return;
  }
  const text = toUtf8(bytes);
  if (!looksLikePem(text)) {
    sigstoreRoots.push(parseSigstoreRoot(parseJson(text)));
    return;
  }
  for (const { label, der } of parsePem(text)) {
    if (label === "CERTIFICATE") roots.push(rootOf(der));
    else if (label === "PUBLIC KEY") keys.push(await verifyingCrypto.importPublicKey(der));
    else throw misplaced(`a block ${label}`);
  }
}

function rootOf(der: Uint8Array): Certificate {
  const certificate = parseCertificate(der);
  if (!certificate.isCa || !equal(certificate.issuer.der, certificate.subject.der))
    throw misplaced(`the certificate of ${certificate.subject.text}, which is no root`);
  return certificate;
}

function settingsOf(
  path: string,
  text: string,
  keys: readonly PublicKey[],
): Pick<ReferenceSources, "profiles" | "allowUnsigned" | "builders"> {
  let read: z.infer<typeof settings>;
  try {
    const json: JsonValue = parseJson(text);
    read = matching(settings, json);
  } catch (error) {
    throw invalid(path, error instanceof AdytonError ? error.message : "it cannot be read");
  }
  const { profiles, allowUnsigned, builders = [] } = read;
  return {
    ...(profiles === undefined ? {} : { profiles }),
    ...(allowUnsigned === undefined ? {} : { allowUnsigned }),
    builders: builders.map((each): TrustedBuilder => {
      const { builder, source } = each;
      if (!("keyId" in each))
        return { builder, source, identity: { issuer: each.issuer, subject: each.identity } };
      const key = keys.find(({ spki }) => createHash("sha256").update(spki).digest("hex") === each.keyId);
      if (key === undefined) throw invalid(path, `no file in the folder holds key ${each.keyId}`);
      return { builder, source, key: key.spki };
    }),
  };
}

function misplaced(what: string): BrokerError {
  return invalid("it", `found ${what}`);
}

function invalid(path: string, why: string): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", `Cannot use ${path}: ${why}`, {
    detail: { path },
    hint: "Keep nothing in trust/ but public keys, root certificates, sigstore trusted roots and references.json.",
  });
}
