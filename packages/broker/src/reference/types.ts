// SPDX-License-Identifier: Apache-2.0
// What one says to the kept reference values, and hears from them.

import type { ReferenceValues } from "@adyton/appraisal";
import type { JsonValue } from "@adyton/core/json";
import type { ReferenceEntry, ReferenceStatus, Revocation } from "./row.ts";

/** What policies see: live values alone, and who vouches for them. */
export interface LiveReferences {
  readonly values: ReferenceValues;
  /** As `AppraiseOptions.vouchersOf`. */
  readonly vouchersOf: (id: string, found: JsonValue) => JsonValue | undefined;
}

/** One id with everything that is kept under it. */
export interface ReferenceListing {
  readonly id: string;
  readonly values: readonly (ReferenceEntry & { readonly status: ReferenceStatus })[];
  readonly revoked: readonly Revocation[];
}

export interface GroupListing {
  readonly name: string;
  readonly enabled: boolean;
  /** How many values are in it. */
  readonly values: number;
}

/** Who does it, and when. */
export interface Act {
  readonly by: string;
  readonly now: Date;
}

export interface Registering extends Act {
  readonly group?: string;
  /** The values end here, unless their document ends before. Default: in twelve months. */
  readonly expires?: Date;
  /** Takes the place of what the same voucher said under the same ids in the same group. Default false: adds to it. */
  readonly replace?: boolean;
  /** Ids that the registration is about, besides those of its values: replaced by nothing. */
  readonly ids?: readonly string[];
}

/** What a registration did. */
export interface Registered {
  readonly ids: readonly string[];
  /** What stays revoked all the same. */
  readonly revoked: readonly { readonly id: string; readonly value: JsonValue }[];
}
