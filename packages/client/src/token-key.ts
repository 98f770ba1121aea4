// SPDX-License-Identifier: Apache-2.0
// The keys that sign a broker's attestation results, as its administrator sees them: which there are, and a new one.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { invalidAnswer } from "./errors.ts";
import { type Answer, type Call, objectIn } from "./wire.ts";

/** One key; its private half stays in the broker. */
export interface TokenKey {
  /** What tokens name in `kid`. */
  readonly id: string;
  /** `ES256`, `ES384` or `EdDSA`. */
  readonly algorithm: string;
  /** RFC 3339, like the others. */
  readonly created: string;
  /** Since when another one signs. */
  readonly retired?: string;
  /** Until when tokens are checked with it. */
  readonly until?: string;
}

export interface TokenKeyAdmin {
  /** The one that signs first. */
  list(): Promise<readonly TokenKey[]>;
  /** A new key signs from here on, of another algorithm where one is named; older ones stay until their tokens have expired. */
  rotate(algorithm?: "ES256" | "ES384" | "EdDSA"): Promise<readonly TokenKey[]>;
}

const PATH = "/v1/token-keys";
const JSON_TYPE = "application/json";

/** The calls over a wire that carries the administrator's credentials. */
export function tokenKeyAdmin(call: (request: Call) => Promise<Answer>): TokenKeyAdmin {
  return {
    list: async () =>
      keysIn(
        objectIn(await call({ method: "GET", path: PATH, what: "list the keys of tokens" }), "token keys"),
      ),
    rotate: async (algorithm) => {
      const answer = await call({
        ...{ method: "POST", path: `${PATH}/rotate`, what: "rotate the key of tokens" },
        headers: { "content-type": JSON_TYPE },
        body: JSON.stringify(algorithm === undefined ? {} : { algorithm }),
      });
      return keysIn(objectIn(answer, "token keys"));
    },
  };
}

function keysIn({ keys }: JsonObject): readonly TokenKey[] {
  if (!Array.isArray(keys)) throw unreadable();
  return keys.map((key: JsonValue) => {
    if (!isJsonObject(key)) throw unreadable();
    const { id, algorithm, created, retired, until } = key;
    if (typeof id !== "string" || typeof algorithm !== "string" || typeof created !== "string")
      throw unreadable();
    return {
      ...{ id, algorithm, created },
      ...(typeof retired === "string" ? { retired } : {}),
      ...(typeof until === "string" ? { until } : {}),
    };
  });
}

function unreadable(): Error {
  return invalidAnswer("token keys", "they are not what a broker says of its keys");
}
