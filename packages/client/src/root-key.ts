// SPDX-License-Identifier: Apache-2.0
// The root keys of a broker, as its administrator sees them: which there are, and a new one.

import { isJsonObject, type JsonObject, type JsonValue } from "@adyton/core/json";
import { invalidAnswer } from "./errors.ts";
import { type Answer, type Call, objectIn } from "./wire.ts";

/** One root key; what it is stays in the broker. */
export interface RootKeyGeneration {
  readonly id: string;
  /** RFC 3339, like `retired`: since when nothing is sealed under it. */
  readonly created: string;
  readonly retired?: string;
}

export interface RootKeyState {
  /** `file`, `passphrase`, `tpm`, `pkcs11` or `vault-transit`. */
  readonly provider: string;
  /** The id of the one that seals. */
  readonly active: string;
  readonly generations: readonly RootKeyGeneration[];
  /** Sets of recovery shares that open them. */
  readonly recipients: readonly {
    readonly id: string;
    readonly threshold: number;
    readonly shares: number;
  }[];
  /** How far values are sealed anew. */
  readonly reseal: {
    readonly running: boolean;
    readonly seen: number;
    readonly total: number;
    readonly resealed: number;
  };
}

export interface RootKeyAdmin {
  /** Which root keys there are, and how far a rotation is. */
  state(): Promise<RootKeyState>;
  /** A new root key seals from here on. Resolves before all values are sealed anew: `state` tells how far that is. */
  rotate(): Promise<RootKeyState>;
  /** Destroys at once the root keys that nothing is sealed under any more; sessions under them end. */
  retire(): Promise<RootKeyState>;
}

const PATH = "/v1/root-key";

/** The calls over a wire that carries the administrator's credentials. */
export function rootKeyAdmin(call: (request: Call) => Promise<Answer>): RootKeyAdmin {
  return {
    state: async () =>
      stateIn(objectIn(await call({ method: "GET", path: PATH, what: "show the root keys" }), "root keys")),
    rotate: async () => {
      const answer = await call({ method: "POST", path: `${PATH}/rotate`, what: "rotate the root key" });
      return stateIn(objectIn(answer, "root keys"));
    },
    retire: async () => {
      const answer = await call({ method: "POST", path: `${PATH}/retire`, what: "retire root keys" });
      return stateIn(objectIn(answer, "root keys"));
    },
  };
}

function stateIn({ provider, active, generations, recipients, reseal }: JsonObject): RootKeyState {
  if (
    typeof provider !== "string" ||
    typeof active !== "string" ||
    !Array.isArray(generations) ||
    !Array.isArray(recipients) ||
    !isJsonObject(reseal)
  )
    throw unreadable();
  return {
    provider,
    active,
    generations: generations.map(generationIn),
    recipients: recipients.map((each: JsonValue) => {
      if (!isJsonObject(each) || typeof each.id !== "string") throw unreadable();
      return { id: each.id, threshold: Number(each.threshold), shares: Number(each.shares) };
    }),
    reseal: {
      running: reseal.running === true,
      ...{ seen: Number(reseal.seen), total: Number(reseal.total), resealed: Number(reseal.resealed) },
    },
  };
}

function generationIn(value: JsonValue): RootKeyGeneration {
  if (!isJsonObject(value) || typeof value.id !== "string" || typeof value.created !== "string")
    throw unreadable();
  const { id, created, retired } = value;
  return { id, created, ...(typeof retired === "string" ? { retired } : {}) };
}

function unreadable(): Error {
  return invalidAnswer("root keys", "they are not what a broker says of its root keys");
}
