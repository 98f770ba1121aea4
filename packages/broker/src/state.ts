// SPDX-License-Identifier: Apache-2.0
// The state folder: everything a broker keeps, made on first use, for its owner's eyes alone.

import { randomBytes } from "node:crypto";
import { existsSync, promises as fs } from "node:fs";
import { join } from "node:path";
import { toBase64Url } from "@adyton/core/bytes";
import type { NoteKey, NoteSigner } from "@adyton/core/note";
import type { Certificate } from "@adyton/core/x509";
import { readEndorsementPaths } from "@adyton/endorsements";
import { type Endorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { generateLogKey, logSignerOf } from "./audit/log-key.ts";
import { merkleWriter } from "./audit/merkle-writer.ts";
import { verifyAtStart } from "./audit/verify.ts";
import type { LogWriter } from "./audit/writer.ts";
import { type Clock, systemClock } from "./clock.ts";
import { BrokerError } from "./errors.ts";
import { folderEndorsements } from "./folder-endorsements.ts";
import { type Logger, redacting, silentLogger } from "./log.ts";
import { ensurePrivateFolder, readOrCreatePrivateFile } from "./private-file.ts";
import { type ReferenceSources, readReferenceTrust } from "./reference/trust.ts";
import { type RootKeyAccess, rootKeyProvider } from "./root-key/access.ts";
import { RootKeys } from "./root-key/keeper.ts";
import { keyedStore } from "./root-key/keyed-store.ts";
import { ROOT_KEYS, ringFileIn } from "./root-key/ring-file.ts";
import { type RingPlace, ringInStore } from "./root-key/ring-place.ts";
import { RootKeyService } from "./root-key/service.ts";
import { checkOwnerToken, LOG_KEY, readSharedSecret, sharedSecret } from "./shared-keys.ts";
import { openPostgresStore } from "./store/postgres.ts";
import type { PostgresOptions } from "./store/postgres-pool.ts";
import { openSqliteStore, type SqliteOptions } from "./store/sqlite.ts";
import type { WholeStore } from "./store/types.ts";
import { storedTokenKeys, type TokenKeys } from "./tokens/token-keys.ts";
import type { Vault } from "./vault.ts";

export interface StateOptions extends SqliteOptions {
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Who keeps the root keys, and what it takes to open them. Default: a file beside them. */
  readonly rootKey?: RootKeyAccess;
  /**
   * Keep all but what `rootKey` needs in PostgreSQL, with `url` as in `postgres://user:password@host/database`: for several
   * replicas. Each has to name the kind of its root key, and its place in a key service: who can write to the database shall
   * not choose them. Default: `broker.db` in the folder.
   */
  readonly postgres?: PostgresOptions & { readonly url: string };
}

/** What `createBroker` needs, from one folder: pass it on, with your own options beside. */
export interface BrokerState {
  readonly store: WholeStore;
  readonly vault: Vault;
  readonly rootKeys: RootKeyService;
  /** Sign attestation results. */
  readonly tokenKeys: TokenKeys;
  /** What the checkpoints of the audit log are checked with. */
  readonly logKey: NoteKey;
  readonly adminToken: string;
  /** Where the administrator's token stands. */
  readonly adminTokenFile: string;
  /** Of the files in `endorsements/`, read again each minute. */
  readonly endorsements: () => Promise<Endorsements>;
  /** The certificates in `roots/`, read once. */
  readonly roots: readonly Certificate[];
  /** Device keys and vendors' own certificates in `roots/`, read once. */
  readonly anchors: Endorsements;
  /** Whose reference values are taken, from the files in `trust/`, read once. */
  readonly referenceTrust: ReferenceSources;
  /** Where policies may stand as files. */
  readonly policyFolder: string;
}

const DATABASE = "broker.db";
const ADMIN_TOKEN = "admin.token";
const KEY_BYTES = 32;
const TOKEN = /^[A-Za-z0-9._~+/=-]{32,}$/;

/**
 * Opens `folder`, and makes in it what is missing: `root-keys.json`, `root.key`, `admin.token` (each 0600) and `broker.db`, with
 * the keys that sign tokens and the audit log sealed in it. `endorsements/`, `roots/`, `trust/` and `policies/` are read when
 * they are there. Rejects with `STATE_INVALID`, `STORE_FAILED` or `AUDIT_TAMPERED`.
 */
export async function openBrokerState(folder: string, options: StateOptions = {}): Promise<BrokerState> {
  const { clock = systemClock, maxBytes, postgres } = options;
  const logger = redacting(options.logger ?? silentLogger);
  await ensurePrivateFolder(folder);
  const adminTokenFile = join(folder, ADMIN_TOKEN);
  const adminToken = await adminTokenOf(adminTokenFile);
  const anchors = await anchorsOf(join(folder, "roots"), logger);
  const log = lateWriter();
  const rows = await (postgres === undefined
    ? openPrivateStore(join(folder, DATABASE), log, maxBytes === undefined ? {} : { maxBytes })
    : openPostgresStore(postgres.url, log, postgres));
  try {
    const place = postgres === undefined ? ringFileIn(folder) : ringInStore(rows);
    await checkRing(rows, place, postgres === undefined ? join(folder, ROOT_KEYS) : "the database");
    const access = { ...options.rootKey, pinned: postgres !== undefined };
    const keys = await RootKeys.open(place, (kind) => rootKeyProvider(kind, folder, access), clock.now());
    const { vault } = keys;
    const store = keyedStore(rows, keys);
    const logSigner = await logSignerOfState(store, vault);
    log.use(merkleWriter(logSigner));
    const tokenKeys = storedTokenKeys({ store, vault, clock });
    // Made now, and refused now if it cannot be used.
    await tokenKeys.signing();
    if (postgres !== undefined) await checkOwnerToken(store, vault, adminToken, logger);
    await verifyAtStart(store, vault, logSigner.key);
    const rootKeys = new RootKeyService({ store, keys, clock, logger });
    rootKeys.start();
    rootKeys.watch();
    return {
      store,
      vault,
      rootKeys,
      tokenKeys,
      logKey: logSigner.key,
      adminToken,
      adminTokenFile,
      roots: anchors.certificates,
      anchors,
      policyFolder: join(folder, "policies"),
      referenceTrust: await readReferenceTrust(join(folder, "trust"), logger),
      endorsements: folderEndorsements(join(folder, "endorsements"), clock, logger),
    };
  } catch (error) {
    await rows.close();
    throw error;
  }
}

/** A writer for a store that holds the writer's own key. */
function lateWriter(): LogWriter & { use(writer: LogWriter): void } {
  let used: LogWriter | undefined;
  return {
    use: (writer) => {
      used = writer;
    },
    append: (head, leaves) => {
      if (used === undefined) throw new Error("nothing is logged before the log's key is open");
      return used.append(head, leaves);
    },
  };
}

/** New keys beside old secrets would lose them without a word. */
async function checkRing(store: WholeStore, place: RingPlace, where: string): Promise<void> {
  const full = (await store.spaces()).length > 0 || (await store.logHead()) !== undefined;
  // Read last: another process may be making both.
  if (!full || (await place.read()) !== undefined) return;
  throw invalid(
    where,
    "the root keys are missing, and the secrets in the database can only be opened with them",
    "Restore them from a backup.",
  );
}

async function logSignerOfState(store: WholeStore, vault: Vault): Promise<NoteSigner> {
  // A new key could not go on with the old log.
  const old = (await store.logHead()) !== undefined;
  const kept = await readSharedSecret(store, vault, LOG_KEY);
  if (kept !== undefined) return logSignerOf(kept.text);
  if (old)
    throw invalid(
      "the database",
      "the key of the audit log is missing, and the log can only go on with it",
      "Restore it from a backup.",
    );
  return logSignerOf((await sharedSecret(store, vault, LOG_KEY, generateLogKey)).text);
}

async function adminTokenOf(file: string): Promise<string> {
  const text = await readOrCreatePrivateFile(file, () => `${toBase64Url(randomBytes(KEY_BYTES))}\n`);
  const token = text.trim();
  if (!TOKEN.test(token))
    throw invalid(file, "it holds no token of at least 32 characters", "Delete it to get a new one.");
  return token;
}

/** A root is trusted: what cannot be read there stops the start instead of being left out. */
async function anchorsOf(folder: string, logger: Logger): Promise<Endorsements> {
  if (!existsSync(folder)) return NO_ENDORSEMENTS;
  const { endorsements, ignored } = await readEndorsementPaths([folder]);
  const [first] = ignored;
  if (first !== undefined)
    throw invalid(first.path, first.reason, "Keep nothing but certificates and keys in roots/.");
  for (const certificate of endorsements.certificates)
    logger.warn("root trusted besides the vendors'", { subject: certificate.subject.text });
  for (const { kind } of endorsements.vendorCertificates ?? [])
    logger.warn("vendor root trusted besides the vendors'", { kind });
  for (const { identifiers } of endorsements.keys ?? [])
    logger.warn("device key trusted", { ...identifiers });
  return endorsements;
}

/** SQLite gives the files beside its database the mode of the database itself. */
async function openPrivateStore(file: string, log: LogWriter, options: SqliteOptions): Promise<WholeStore> {
  try {
    await (await fs.open(file, "a", 0o600)).close();
  } catch (cause) {
    throw new BrokerError("STORE_FAILED", "unavailable", `Cannot open ${file}: it cannot be written`, {
      cause,
    });
  }
  return openSqliteStore(file, log, options);
}

function invalid(path: string, why: string, hint: string): BrokerError {
  return new BrokerError("STATE_INVALID", "misuse", `Cannot use ${path}: ${why}`, { detail: { path }, hint });
}
