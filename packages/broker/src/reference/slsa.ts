// SPDX-License-Identifier: Apache-2.0
// In-toto statements (v0.1 and v1) with SLSA provenance (v0.2 and v1): who built which files from where.

import { toUtf8 } from "@adyton/core/bytes";
import { isJsonObject, type JsonObject, type JsonValue, parseJson } from "@adyton/core/json";
import { BrokerError } from "../errors.ts";

export interface BuildStatement {
  /** The builder's id. */
  readonly builder: string;
  /** The repository, without `git+`, `.git` and revision. */
  readonly source: string;
  readonly subjects: readonly BuildSubject[];
}

export interface BuildSubject {
  readonly name: string;
  /** By algorithm, lower-case hex. */
  readonly digests: ReadonlyMap<string, string>;
}

const STATEMENTS: readonly string[] = [
  "https://in-toto.io/Statement/v0.1",
  "https://in-toto.io/Statement/v1",
];
const MAX_SUBJECTS = 1_000;
const MAX_TEXT = 1_024;
/** Digests that are no longer safe, and those that are none of bytes (git's), name nothing that one can rely on. */
const DIGEST_BYTES: ReadonlyMap<string, number> = new Map([
  ["sha256", 32],
  ["sha384", 48],
  ["sha512", 64],
  ["sha3_256", 32],
  ["sha3_384", 48],
  ["sha3_512", 64],
]);

/** Reads a statement whose signature was verified. Throws `INVALID_PROVENANCE`. */
export function readStatement(payload: Uint8Array): BuildStatement {
  let json: JsonValue;
  try {
    json = parseJson(toUtf8(payload));
  } catch {
    throw invalid("the statement is no JSON");
  }
  const statement = objectAt(json, "statement");
  if (!STATEMENTS.includes(textAt(statement._type, "_type")))
    throw invalid("its _type is another than in-toto's");
  const predicate = objectAt(statement.predicate, "predicate");
  const type = textAt(statement.predicateType, "predicateType");
  const origin =
    type === "https://slsa.dev/provenance/v1"
      ? originOfV1(predicate)
      : type === "https://slsa.dev/provenance/v0.2"
        ? originOfV02(predicate)
        : undefined;
  if (origin === undefined) throw invalid(`its predicate is ${type}, expected SLSA provenance v0.2 or v1`);
  return { ...origin, subjects: subjectsOf(statement.subject) };
}

type Origin = Pick<BuildStatement, "builder" | "source">;

/** SLSA v1, "Provenance": what the build was told from outside says where the source is. */
function originOfV1(predicate: JsonObject): Origin {
  const definition = objectAt(predicate.buildDefinition, "buildDefinition");
  const outside = objectAt(definition.externalParameters, "externalParameters");
  const details = objectAt(predicate.runDetails, "runDetails");
  const { workflow, source } = outside;
  const [dependency] = Array.isArray(definition.resolvedDependencies) ? definition.resolvedDependencies : [];
  const found = isJsonObject(workflow)
    ? workflow.repository
    : isJsonObject(source)
      ? (source.uri ?? source.repository)
      : (source ?? (isJsonObject(dependency) ? dependency.uri : undefined));
  return {
    builder: textAt(objectAt(details.builder, "builder").id, "builder.id"),
    source: repositoryOf(textAt(found, "source repository")),
  };
}

/** SLSA v0.2: where the build's own configuration was taken from. */
function originOfV02(predicate: JsonObject): Origin {
  const source = objectAt(objectAt(predicate.invocation, "invocation").configSource, "configSource");
  return {
    builder: textAt(objectAt(predicate.builder, "builder").id, "builder.id"),
    source: repositoryOf(textAt(source.uri, "configSource.uri")),
  };
}

/** `git+https://host/a/b.git@refs/tags/v1` names the repository `https://host/a/b`. */
function repositoryOf(uri: string): string {
  const bare = uri.replace(/^git\+/, "");
  const path = bare.indexOf("/", bare.indexOf("://") + 3);
  const revision = path === -1 ? -1 : bare.indexOf("@", path);
  return (revision === -1 ? bare : bare.slice(0, revision)).replace(/\.git$/, "");
}

function subjectsOf(value: JsonValue | undefined): BuildSubject[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MAX_SUBJECTS)
    throw invalid(`it names no subject, or more than ${MAX_SUBJECTS}`);
  return value.map((each: JsonValue) => {
    const subject = objectAt(each, "subject");
    const digests = Object.entries(objectAt(subject.digest, "digest")).flatMap(([algorithm, digest]) => {
      const size = DIGEST_BYTES.get(algorithm);
      if (size === undefined) return [];
      const hex = textAt(digest, `${algorithm} digest`).toLowerCase();
      if (hex.length !== 2 * size || !/^[0-9a-f]*$/.test(hex))
        throw invalid(`a ${algorithm} digest is not ${size} bytes in hex`);
      return [[algorithm, hex] as const];
    });
    if (digests.length === 0) throw invalid("a subject has no digest that is known");
    return { name: textAt(subject.name, "subject name"), digests: new Map(digests) };
  });
}

function objectAt(value: JsonValue | undefined, where: string): JsonObject {
  if (value === undefined || !isJsonObject(value)) throw invalid(`${where} is no object`);
  return value;
}

function textAt(value: JsonValue | undefined, where: string): string {
  if (typeof value !== "string" || value === "" || value.length > MAX_TEXT)
    throw invalid(`${where} is no text of 1 to ${MAX_TEXT} characters`);
  return value;
}

function invalid(why: string): BrokerError {
  return new BrokerError("INVALID_PROVENANCE", "malformed", `Cannot read provenance: ${why}`);
}
