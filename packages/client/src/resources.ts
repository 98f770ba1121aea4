// SPDX-License-Identifier: Apache-2.0
// What an operator calls about secrets beyond putting them: their versions, and those that were deleted.

import { isJsonObject, type JsonValue } from "@adyton/core/json";
import { invalidAnswer } from "./errors.ts";
import { resourcePath } from "./resource-path.ts";
import { type Answer, type Call, objectIn } from "./wire.ts";

/** One version of a secret. */
export interface ResourceVersionFacts {
  readonly version: number;
  /** RFC 3339, where the back end keeps it. */
  readonly created?: string;
  readonly bytes?: number;
}

export interface ResourceFacts {
  readonly name: string;
  /** Newest first. */
  readonly versions: readonly ResourceVersionFacts[];
  /** When it was deleted, RFC 3339: the name is kept until it is restored or purged. */
  readonly deleted?: string;
}

export interface ResourceAdmin {
  /** Rejects with `RESOURCE_MISSING` for a name that was never used, or purged. */
  versions(name: string): Promise<ResourceFacts>;
  /** Brings a deleted secret back, with its versions. */
  restore(name: string): Promise<void>;
  /** Removes a deleted secret for good. */
  purge(name: string): Promise<void>;
}

const BASE = "/v1/resources";

/** The calls over a wire that carries the administrator's credentials. */
export function resourceAdmin(call: (request: Call) => Promise<Answer>): ResourceAdmin {
  const change = async (name: string, what: "restore" | "purge"): Promise<void> => {
    const path = resourcePath(name);
    await call({ method: "POST", path: `${BASE}/${path}/${what}`, what: `${what} ${path}` });
  };
  return {
    versions: async (name) => {
      const path = resourcePath(name);
      const what = `show the versions of ${path}`;
      const answer = await call({ method: "GET", path: `${BASE}/${path}/versions`, what });
      const { versions, deleted } = objectIn(answer, "versions");
      if (!Array.isArray(versions)) throw invalidAnswer("versions", "it holds no list");
      return {
        name: path,
        versions: versions.map(versionIn),
        ...(typeof deleted === "string" ? { deleted } : {}),
      };
    },
    restore: (name) => change(name, "restore"),
    purge: (name) => change(name, "purge"),
  };
}

function versionIn(value: JsonValue): ResourceVersionFacts {
  if (!isJsonObject(value) || typeof value.version !== "number")
    throw invalidAnswer("versions", "one of them has no number");
  const { version, created, bytes } = value;
  return {
    version,
    ...(typeof created === "string" ? { created } : {}),
    ...(typeof bytes === "number" ? { bytes } : {}),
  };
}
