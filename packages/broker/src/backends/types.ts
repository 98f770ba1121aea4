// SPDX-License-Identifier: Apache-2.0
// Where secrets rest: what the resource plugin asks of a back end, so that a further one is one file that passes the
// same tests.

import type { Change } from "../store/types.ts";

/** One version of a secret, as its back end knows it. */
export interface ResourceVersion {
  /** 1, 2, 3… in the order of putting. */
  readonly version: number;
  /** RFC 3339. Back ends that keep no time leave it out. */
  readonly created?: string;
  readonly bytes?: number;
}

/** A secret, read. Whoever is done with it fills it with zeros. */
export interface StoredResource {
  readonly secret: Uint8Array;
  readonly version: number;
}

/** What is written with a change: the audit log's entry, made when the version is known. */
export interface Beside {
  readonly now: Date;
  changes(version: number): readonly Change[];
}

/** What is known of a name. */
export interface ResourceHistory {
  /** Newest first. */
  readonly versions: readonly ResourceVersion[];
  /** When it was deleted, RFC 3339; the name is kept until it is restored or purged. */
  readonly deleted?: string;
}

/**
 * Names are `repository/type/tag`. Methods reject with `BACKEND_FAILED` (or `STORE_FAILED`, `HSM_FAILED`) when the back
 * end cannot answer, `BACKEND_READ_ONLY` when it can only be read, `SECRET_CORRUPT` when what it holds does not open.
 */
export interface ResourceBackend {
  /** For logs: `store`, `vault`, `pkcs11`, `files`… */
  readonly kind: string;
  /** Whether it writes `beside` in the same transaction. Otherwise the caller does, afterwards. */
  readonly transactional: boolean;
  /** The newest version, or the one that is named; undefined when there is none. */
  get(name: string, version?: number): Promise<StoredResource | undefined>;
  /** Answers the new version's number. Rejects with `RESOURCE_DELETED` while the name is kept for a deleted secret. */
  put(name: string, secret: Uint8Array, beside: Beside): Promise<number>;
  /** Deletes all versions, so that `restore` can bring them back where the back end keeps them. False: nothing there. */
  delete(name: string, beside: Beside): Promise<boolean>;
  /** Of what is not deleted, sorted. */
  list(prefix?: string): Promise<readonly string[]>;
  /** Undefined when the name was never used, or purged. */
  versions(name: string): Promise<ResourceHistory | undefined>;
  /** Brings a deleted secret back. False: no deleted secret of that name. */
  restore?(name: string, beside: Beside): Promise<boolean>;
  /** Removes a deleted secret for good. False: no deleted secret of that name. */
  purge?(name: string, beside: Beside): Promise<boolean>;
  close?(): Promise<void>;
}
