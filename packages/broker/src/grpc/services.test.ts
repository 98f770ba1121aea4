// SPDX-License-Identifier: Apache-2.0
// The gRPC services over sockets: a client in Python on Google's library, ours over HTTP/1.1 and HTTP/2, and other requests
// on the same port.

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { fromUtf8, toBase64Url } from "@adyton/core/bytes";
import { canonicalJson, type JsonObject } from "@adyton/core/json";
import { schemeOf } from "@adyton/evidence";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  createHarness,
  DIGEST,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  PAIR,
  referenceMessage,
} from "../../test/harness.ts";
import { type ServedBroker, serveBroker } from "../index.ts";
import { AttestationService } from "../proto/attestation_pb.ts";
import { ReferenceValueProviderService } from "../proto/reference_pb.ts";

const PYTHON = "/usr/bin/python3";
const CLIENT = fileURLToPath(new URL("../../test/grpc-client.py", import.meta.url));
const PROTO = fileURLToPath(new URL("../../proto", import.meta.url));
const hasPython = spawnSync(PYTHON, ["-c", "import grpc, grpc_tools"]).status === 0;
if (!hasPython) console.warn("Python's gRPC was not found: its client is skipped.");

const RUNTIME: JsonObject = { nonce: "bm9uY2U=", "tee-pubkey": PAIR.jwk };

let harness: Harness;
let served: ServedBroker;
let evidence: string;
beforeAll(async () => {
  harness = await createHarness();
  served = await serveBroker(harness.broker, { port: 0 });
  await harness.admin("POST", "/v1/tenants", '{"name":"acme"}');
  const reportData = new Uint8Array(64);
  reportData.set(createHash("sha384").update(canonicalJson(RUNTIME)).digest());
  const bytes = await harness.machine.evidence({ launchDigest: DIGEST, reportData });
  evidence = toBase64Url(fromUtf8(JSON.stringify(schemeOf("sample").toKbs({ evidence: bytes }))));
});
afterAll(async () => {
  await served.close();
  rmSync(harness.folder, { recursive: true });
});

describe.skipIf(!hasPython)("a client in Python", () => {
  const folder = mkdtempSync(join(tmpdir(), "adyton-grpc-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  // Making Python's code and starting it takes seconds.
  it("evaluates evidence, sets policies, and registers, reads and lists reference values", async () => {
    // Debian's generator is older than optional fields; on the wire they are fields like others.
    for (const name of ["attestation.proto", "reference.proto"])
      writeFileSync(
        join(folder, name),
        readFileSync(join(PROTO, name), "utf8").replaceAll("  optional ", "  "),
      );
    const made = spawnSync(PYTHON, [
      "-m",
      "grpc_tools.protoc",
      ...["-I", folder, "--python_out", folder, "--grpc_python_out", folder],
      ...["attestation.proto", "reference.proto"],
    ]);
    expect(made.status, made.stderr.toString()).toBe(0);
    const policy = toBase64Url(fromUtf8('package policy\n\ntrust_claims := {"hardware": 2}\n'));
    const answer = await answered(
      spawn(PYTHON, [CLIENT, folder, `127.0.0.1:${served.port}`, harness.state.adminToken]),
      { evidence, runtime_data: JSON.stringify(RUNTIME), message: referenceMessage(GOOD_VALUES), policy },
    );
    const { token, ...rest } = answer;
    expect(rest).toEqual({
      without: "UNAUTHENTICATED ADMIN_REFUSED",
      wrong: "UNAUTHENTICATED ADMIN_REFUSED",
      svn: ["1"],
      missing: false,
      ids: ["launch_digest", "major_version", "minimum_minor_version", "svn"],
      other: "PERMISSION_DENIED REPORT_DATA_MISMATCH",
      tee: "INVALID_ARGUMENT INVALID_REQUEST",
      json: "INVALID_ARGUMENT",
      challenge: "",
      policy: ["UNAUTHENTICATED ADMIN_REFUSED"],
      tenant: [],
      stranger: "NOT_FOUND TENANT_UNKNOWN",
    });
    expect(decodeJwt(String(token))).toMatchObject({
      iss: "Adyton Attestation Service",
      submods: { cpu0: { "ear.status": "affirming" } },
    });
    const shown = await harness.admin("GET", "/policy/default_gpu");
    expect(await shown.text()).toContain('"hardware": 2');
  }, 30_000);
});

describe("the same port speaks", () => {
  const baseUrl = (): string => served.url;
  it.each([
    ["gRPC", () => createGrpcTransport({ baseUrl: baseUrl() })],
    ["gRPC-Web over HTTP/1.1", () => createGrpcWebTransport({ baseUrl: baseUrl(), httpVersion: "1.1" })],
    ["gRPC-Web over HTTP/2", () => createGrpcWebTransport({ baseUrl: baseUrl(), httpVersion: "2" })],
    ["Connect", () => createConnectTransport({ baseUrl: baseUrl(), httpVersion: "1.1" })],
  ])("%s", async (_what, transport) => {
    const client = createClient(AttestationService, transport());
    const { attestationToken } = await client.attestationEvaluate({
      verificationRequests: [
        {
          tee: "sample",
          evidence,
          runtimeData: { case: "structuredRuntimeData", value: JSON.stringify(RUNTIME) },
        },
      ],
    });
    expect(decodeJwt(attestationToken).submods).toHaveProperty("cpu0");
    const references = createClient(ReferenceValueProviderService, transport());
    const error = await references
      .listReferenceValues({})
      .catch((cause: unknown) => ConnectError.from(cause));
    expect(error).toMatchObject({ code: Code.Unauthenticated });
    expect((error as ConnectError).metadata.get("adyton-error")).toContain("ADMIN_REFUSED");
  });

  it("and everything else", async () => {
    expect(await jsonOf(await fetch(`${served.url}/.well-known/jwks.json`))).toMatchObject({ keys: [{}] });
  });

  it("with a client whose first bytes come one by one, or that leaves before they do", async () => {
    connect(served.port, "127.0.0.1").end("P");
    const socket = connect(served.port, "127.0.0.1");
    socket.setNoDelay(true);
    for (const byte of "PUT /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
      await new Promise((resolve) => socket.write(byte, resolve));
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 404 /);
  });
});

/** What a child writes, once it has read `sent`. */
async function answered(child: ReturnType<typeof spawn>, sent: JsonObject): Promise<JsonObject> {
  let out = "";
  let trouble = "";
  child.stdout?.on("data", (chunk) => {
    out += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    trouble += String(chunk);
  });
  child.stdin?.end(JSON.stringify(sent));
  const code = await new Promise((resolve) => child.once("close", resolve));
  expect(code, trouble).toBe(0);
  return JSON.parse(out) as JsonObject;
}
