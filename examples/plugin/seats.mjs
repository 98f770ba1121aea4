// SPDX-License-Identifier: Apache-2.0
// A plugin: a licence has so many seats, and each attested key is given one of them, the same whenever it asks.

import { BrokerError } from "@adyton/broker";

const SPACE = "plugin";
const KEY = "seats/pool";

/** @returns {import("@adyton/broker/plugins").Plugin} */
export function seatsPlugin() {
  return {
    name: "seats",

    // Administrators say how many there are, attested workloads take one. Nobody else gets as far as `handle`.
    access: ({ method }) => (method === "PUT" ? "admin" : "attested"),

    // What a workload is given is encrypted to the key that its evidence binds.
    encrypts: () => true,

    async handle({ method, path, query, body, claims }, { store, vault }) {
      if (path.join("/") !== "pool") throw refused("INVALID_PATH", "there is no such path");
      for (;;) {
        const sealed = await store.get(SPACE, KEY);
        const pool =
          sealed === undefined
            ? { total: 0, taken: {} }
            : JSON.parse(new TextDecoder().decode(vault.open(SPACE, KEY, sealed)));
        const { answer, audit } = method === "PUT" ? resize(pool, body) : take(pool, keyOf(claims), query);
        const value = vault.seal(SPACE, KEY, new TextEncoder().encode(JSON.stringify(pool)));
        try {
          // Two replicas may do this at once: the check lets one of them through, and the other begins again.
          await store.write([
            { kind: "check", space: SPACE, key: KEY, expect: sealed },
            { kind: "put", space: SPACE, key: KEY, value },
          ]);
        } catch (error) {
          if (error.code === "STORE_CONFLICT") continue;
          throw error;
        }
        // `audit` goes into the log before the answer leaves. Never put a secret there.
        return {
          body: new TextEncoder().encode(JSON.stringify(answer)),
          contentType: "application/json",
          audit,
        };
      }
    },
  };
}

function resize(pool, body) {
  const total = Number(new TextDecoder().decode(body));
  if (!Number.isSafeInteger(total) || total < 0)
    throw refused("INVALID_REQUEST", "the body is no number of seats");
  pool.total = total;
  return { answer: { total }, audit: { total } };
}

function take(pool, key, query) {
  if (query.size > 0) throw refused("INVALID_REQUEST", "seats take no query");
  const seat = pool.taken[key] ?? Object.keys(pool.taken).length + 1;
  if (seat > pool.total) throw refused("KEY_REFUSED", "all seats are taken");
  pool.taken[key] = seat;
  return { answer: { seat }, audit: { seat } };
}

/** The attested key, by its coordinates: claims are the broker's word, not the workload's. */
function keyOf(claims) {
  const { x, y, n } =
    claims.submods.cpu0["ear.veraison.annotated-evidence"].runtime_data_claims["tee-pubkey"];
  return n ?? `${x}.${y}`;
}

/** A refusal that the workload may read; any other error tells it nothing. */
function refused(code, why) {
  return new BrokerError(code, "misuse", `Cannot answer for seats: ${why}`);
}
