// SPDX-License-Identifier: Apache-2.0
// What policies are given of others: certificates, requests, keys, tokens, YAML, GraphQL. Read, or a failure of the function.

import { fromBase64, toBase64, toBase64Url } from "@adyton/core/bytes";
import { defaultCrypto } from "@adyton/core/crypto";
import { issueCertificate } from "@adyton/core/issue";
import { toPem } from "@adyton/core/pem";
import { type BuiltinContext, BuiltinFailure, type Value } from "@adyton/rego";
import { cryptoBuiltins } from "@adyton/rego/crypto";
import { graphqlBuiltins } from "@adyton/rego/graphql";
import { yamlBuiltins } from "@adyton/rego/yaml";
import { bytesOf, textOf } from "../tolerant.ts";

type Call = (...args: readonly unknown[]) => Value | undefined;

const CALLS: ReadonlyMap<string, Call> = new Map(
  [...cryptoBuiltins, ...graphqlBuiltins, ...yamlBuiltins].map(({ name, call }) => [name, call as Call]),
);
const PEMS = ["CERTIFICATE", "CERTIFICATE REQUEST", "PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
const KEY = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}`;

const context: BuiltinContext = {
  now: () => 1_768_435_200_000_000_000n,
  spend: () => {},
  cached: (_key, make) => make(),
  note: () => {},
};

export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  const der = toBase64(data);
  for (const name of ["crypto.x509.parse_certificates", "crypto.x509.parse_certificate_request"]) {
    run(name, text);
    run(name, der);
  }
  run("crypto.x509.parse_and_verify_certificates", der + der);
  for (const label of PEMS.slice(2)) run("crypto.parse_private_keys", toPem(label, data));
  run("io.jwt.decode", text);
  for (const name of ["io.jwt.verify_eddsa", "io.jwt.verify_rs256", "io.jwt.verify_es256"]) {
    run(name, text, KEY);
    run(name, "e30.e30.AA", text);
    run(name, "e30.e30.AA", toPem("PUBLIC KEY", data));
  }
  run("io.jwt.decode_verify", text, { cert: KEY });
  run("io.jwt.encode_sign_raw", `{"alg":"EdDSA"}`, "{}", text);
  run("graphql.parse_query", text);
  run("graphql.is_valid", text, "type Query { a(b: Int): Query }");
  const schema = run("graphql.parse_schema", text);
  if (
    schema !== undefined &&
    run("graphql.schema_is_valid", schema) !== run("graphql.schema_is_valid", text)
  ) {
    throw new Error("a schema and its tree are judged differently");
  }
  const value = run("yaml.unmarshal", text);
  if (value === undefined) return;
  // What was read is written, and read again.
  const written = run("yaml.marshal", value);
  if (run("yaml.is_valid", written ?? "") !== true) throw new Error("what is written as YAML is none");
}

/** The function's value, undefined for a failure. */
function run(name: string, ...args: readonly Value[]): Value | undefined {
  try {
    return CALLS.get(name)?.(...args, context);
  } catch (error) {
    if (error instanceof BuiltinFailure) return undefined;
    throw error;
  }
}

export async function seeds(): Promise<Uint8Array[]> {
  const key = await defaultCrypto.generateKey({ name: "EC", curve: "P-256" });
  const name = [["CN", "seed"]] as const;
  const certificate = await issueCertificate(
    {
      subject: name,
      spki: key.publicKey.spki,
      serial: "01",
      notBefore: new Date("2026-01-01T00:00:00Z"),
      notAfter: new Date("2027-01-01T00:00:00Z"),
      ca: { pathLength: 1 },
      keyUsage: [5],
      extensions: [{ oid: "2.5.29.17", value: fromBase64("MBOCC2V4YW1wbGUuY29thwQKAAAB") }],
    },
    { name, key },
  );
  const token = [`{"alg":"EdDSA"}`, `{"iss":"a","exp":1}`, "signature"].map((part) =>
    toBase64Url(bytesOf(part)),
  );
  return [
    certificate,
    bytesOf(toPem("CERTIFICATE", certificate)),
    await key.export(),
    bytesOf(token.join(".")),
    bytesOf(KEY),
    bytesOf(`{"keys":[${KEY}]}`),
    bytesOf("a: &x [1, 2.5, ~]\nb:\n  - *x\n  - {c: 'd', e: \"f\\n\"}\n? |\n  g\n: >-\n  h\n<<: {i: 0x1f}\n"),
  ];
}
