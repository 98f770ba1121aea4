// SPDX-License-Identifier: Apache-2.0
// Policies in Rego over HTTP and from files: set, refused, reloaded, and what the record says of their refusals.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromBase64Url, fromUtf8, toBase64Url, toUtf8 } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { codeOf } from "@adyton/testing";
import { decodeJwt } from "jose";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness, jsonOf, refusalOf, secretOf } from "../test/harness.ts";
import { verifyAuditLog } from "./audit/verify.ts";
import { readAuditLog } from "./audit.ts";
import { policyDigest, testPolicy } from "./policy-rego.ts";

const SECRET = "/kbs/v0/resource/default/hello/secret";
const RESOURCE = "/kbs/v0/resource-policy";
const ATTESTATION = "/kbs/v0/attestation-policy";

const PAYROLL = `package policy

import rego.v1

default allow := false

allow if {
  data.plugin == "resource"
  data["resource-path"][0] == "default"
  input.submods.cpu0["ear.status"] == "affirming"
  input.submods.cpu0["ear.veraison.annotated-evidence"].sample.svn == "1"
}
`;
/** Version 0, as much of the field has it. */
const OLD = `package policy
default allow = false
allow { data["resource-path"][2] == "secret" }
`;
const DENY = "package policy\n\ndefault allow := false\n";
const ALLOW = "package policy\n\nallow := true\n";
const BROKEN = "package policy\n\nallow if {\n  input.x ==\n}\n";
const TESTS = `package policy_test

import data.policy

test_denied if not policy.allow with input as {}
`;
/** Affirms whatever has the svn that is registered. */
const ATTEST = `package policy

import rego.v1

default executables := 33

executables := 3 if input.sample.svn in query_reference_value("svn")

trust_claims := {"executables": executables, "hardware": 2, "configuration": 2}
`;

let harness: Harness;
let folder: string;

beforeEach(async () => {
  harness = await createHarness();
  folder = join(harness.folder, "state", "policies");
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", SECRET, "open sesame");
});

afterEach(() => harness.close());

const encoded = (text: string): string => toBase64Url(fromUtf8(text));
const setPolicy = (policy: string, more: JsonObject = {}) =>
  harness.admin("POST", RESOURCE, JSON.stringify({ policy: encoded(policy), ...more }));
const setAttestation = (policy: string, policy_id = "default") =>
  harness.admin("POST", ATTESTATION, JSON.stringify({ type: "rego", policy_id, policy: encoded(policy) }));
const inForce = async () => (await harness.admin("GET", "/kbs/v0/policies")).json();
const events = async (type: string): Promise<readonly JsonObject[]> =>
  (await readAuditLog(harness.state.store)).map(({ event }) => event).filter((event) => event.type === type);

async function write(files: Readonly<Record<string, string>>): Promise<void> {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  later(1);
}

function later(seconds: number): void {
  harness.clock.time = new Date(harness.clock.time.getTime() + seconds * 1000);
}

/** "released", or the code of the refusal. */
async function released(changes: Parameters<Harness["attested"]>[0] = {}): Promise<string> {
  const { cookie } = await harness.attested(changes);
  const answer = await harness.call("GET", SECRET, { headers: { cookie } });
  if (answer.status !== 200) return (await refusalOf(answer)).code;
  return (await secretOf(answer)) === "open sesame" ? "released" : "something else";
}

describe("a resource policy", () => {
  it("decides from the moment it is set, and after a restart", async () => {
    expect(await released({ launchDigest: "cd".repeat(48) })).toBe("POLICY_REFUSED");
    expect((await setPolicy(OLD)).status).toBe(200);
    expect(await released({ launchDigest: "cd".repeat(48) })).toBe("released");
    await harness.restart();
    expect(await released({ launchDigest: "cd".repeat(48) })).toBe("released");
    expect((await setPolicy(DENY)).status).toBe(200);
    expect(await released()).toBe("POLICY_REFUSED");
  });

  it("may call what adyton policy has: functions of crypto, GraphQL, JSON schema and YAML", async () => {
    const calls = [
      'crypto.sha256("") != ""',
      'graphql.is_valid("{ a }", "type Query { a: Int }")',
      'json.match_schema({"a": 1}, {"properties": {"a": {"type": "integer"}}})[0]',
      'yaml.unmarshal("a: 1") == {"a": 1}',
    ];
    const answer = await setPolicy(`package policy\n\nallow if {\n  ${calls.join("\n  ")}\n}\n`);
    expect(answer.status).toBe(200);
    expect(await released()).toBe("released");
  });

  it("tells of its first mistakes and failed tests alone, however many there are", async () => {
    const many = (line: (n: number) => string): string =>
      Array.from({ length: 120 }, (_, n) => line(n)).join("\n");
    await setPolicy(`package policy\nallow := true\n${many((n) => `a${n} if unknown${n}(1)`)}`);
    await setPolicy(ALLOW, { tests: encoded(`package policy_test\n${many((n) => `test_${n} if false`)}`) });
    const [mistakes, failed] = await events("policy.refused");
    expect(mistakes?.diagnostics).toHaveLength(10);
    expect(failed?.failed).toHaveLength(100);
  });

  it("whose tests take too long is not set", () => {
    const policy = { file: "resource.rego", text: `${DENY}test_one if true\ntest_two if true\n` };
    let time = 0;
    const slow = () => (time += 6_000);
    expect(testPolicy(policy, harness.clock.time, [], () => time)).toBe(2);
    expect(codeOf(() => testPolicy(policy, harness.clock.time, [], slow))).toBe("POLICY_INVALID");
  });

  it("is shown as it was set, and listed with its version and digest", async () => {
    await setPolicy(DENY);
    await setPolicy(PAYROLL);
    const { policy } = await jsonOf(await harness.admin("GET", RESOURCE));
    expect(toUtf8(fromBase64Url(String(policy)))).toBe(PAYROLL);
    expect(await inForce()).toEqual([
      {
        name: "resource",
        version: 2,
        sha384: policyDigest(PAYROLL),
        set: harness.clock.time.toISOString(),
        source: "api",
      },
    ]);
  });

  it("that refuses puts file, line and value in the audit log, and nothing of that before the guest", async () => {
    await setPolicy(PAYROLL);
    expect(await released()).toBe("released");
    const { cookie } = await harness.attested({ launchDigest: "cd".repeat(48) });
    const refusal = await refusalOf(await harness.call("GET", SECRET, { headers: { cookie } }));
    expect(refusal).toMatchObject({ status: 401, type: "PolicyDeny", code: "POLICY_REFUSED" });
    expect(refusal.detail).not.toMatch(/rego|warning|affirming/);
    const [allowed, denied] = await events("resource.release");
    const named = { policy: "resource@1", policySha384: policyDigest(PAYROLL) };
    expect(allowed).toMatchObject({ ...named, decision: "allow" });
    expect(denied).toMatchObject({
      ...named,
      decision: "deny",
      because: [
        {
          file: "resource.rego",
          line: 10,
          source: 'input.submods.cpu0["ear.status"] == "affirming"',
          found: { 'input.submods.cpu0["ear.status"]': '"warning"' },
        },
      ],
    });
  });

  it.each([
    ["that never decides", "package policy\nallow if input.nothing\n", /^resource\.rego$/],
    ["that says something else than true", 'package policy\nallow := "yes"\n', undefined],
    [
      "that runs into its limits",
      "package policy\nallow if count([1 | numbers.range(1, 9000)[_]; numbers.range(1, 9000)[_]]) > 0\n",
      /^resource\.rego$/,
    ],
    ["that contradicts itself", "package policy\nallow := input.iat > 0\nallow := 7\n", /^resource\.rego$/],
  ])("%s refuses", async (_what, text, file) => {
    expect((await setPolicy(text)).status).toBe(200);
    expect(await released()).toBe("POLICY_REFUSED");
    const [denied] = await events("resource.release");
    if (file !== undefined) {
      expect(denied?.because).toEqual([
        expect.objectContaining({ file: expect.stringMatching(file), line: expect.any(Number) }),
      ]);
    }
  });

  it("sees the broker's clock", async () => {
    await setPolicy(
      'package policy\nallow if time.now_ns() < time.parse_rfc3339_ns("2026-03-01T13:00:00Z")\n',
    );
    expect(await released()).toBe("released");
    later(3600);
    expect(await released()).toBe("POLICY_REFUSED");
  });

  it("is tested before it is set when tests are given", async () => {
    expect((await setPolicy(DENY, { tests: encoded(TESTS) })).status).toBe(200);
    expect((await events("policy.set"))[0]).toMatchObject({ version: 1, tests: 1, source: "api" });
    const refusal = await refusalOf(await setPolicy(ALLOW, { tests: encoded(TESTS) }));
    expect(refusal).toMatchObject({ status: 400, type: "PolicyEngine", code: "POLICY_TESTS_FAILED" });
    expect(refusal.detail).toContain("resource_test.rego:5: data.policy_test.test_denied");
    expect(await released()).toBe("POLICY_REFUSED");
  });
});

describe("a policy that does not hold", () => {
  it.each<[what: string, text: string, says: RegExp]>([
    ["does not parse", BROKEN, /resource\.rego:\d+:\d+: error .*\n.*\n.*\^/],
    [
      "has an unsafe variable",
      "package policy\n\nallow if x > 1\n",
      /resource\.rego:3:10: error .*unsafe.*\n.*\n.*\^/,
    ],
    ["asks the network", 'package policy\nallow if http.send({"url": "x"})\n', /http\.send/],
    ["is of another package", "package other\nallow := true\n", /package other, expected package policy/],
    ["does not say allow", "package policy\ndeny := true\n", /no rule allow/],
    ["is empty", "", /resource\.rego/],
  ])("because it %s is refused with its diagnostics, and the old one stays", async (_what, text, says) => {
    await setPolicy(DENY);
    const refusal = await refusalOf(await setPolicy(text));
    expect(refusal).toMatchObject({ status: 400, type: "PolicyEngine", code: "POLICY_INVALID" });
    expect(refusal.detail).toMatch(says);
    expect(await inForce()).toMatchObject([{ name: "resource", version: 1 }]);
    expect(await released()).toBe("POLICY_REFUSED");
    expect(await events("policy.refused")).toMatchObject([
      { policy: "resource", source: "api", sha384: policyDigest(text), code: "POLICY_INVALID" },
    ]);
  });

  it.each<[what: string, path: string, body: string, code: string]>([
    ["no base64url", RESOURCE, JSON.stringify({ policy: "a+/=" }), "INVALID_REQUEST"],
    ["no UTF-8", RESOURCE, JSON.stringify({ policy: toBase64Url(Uint8Array.of(0xff)) }), "INVALID_REQUEST"],
    ["an unknown member", RESOURCE, JSON.stringify({ policy: "", id: "" }), "INVALID_REQUEST"],
    ["no JSON", RESOURCE, "package policy", "INVALID_REQUEST"],
    [
      "an id that nothing asks for",
      ATTESTATION,
      JSON.stringify({ policy_id: "mine", policy: "" }),
      "INVALID_REQUEST",
    ],
    [
      "another language",
      ATTESTATION,
      JSON.stringify({ type: "cel", policy_id: "default", policy: "" }),
      "INVALID_REQUEST",
    ],
  ])("%s is refused", async (_what, path, body, code) => {
    expect(await refusalOf(await harness.admin("POST", path, body))).toMatchObject({ status: 401, code });
  });

  it.each(["GET", "POST"])("%s is refused to all but the administrator", async (method) => {
    for (const path of [
      RESOURCE,
      method === "GET" ? `${ATTESTATION}/default` : ATTESTATION,
      "/kbs/v0/policies",
    ]) {
      if (method === "POST" && path.endsWith("policies")) continue;
      const answer = await harness.call(method, path, method === "POST" ? { body: "{}" } : {});
      expect(await refusalOf(answer)).toMatchObject({ status: 401, code: "ADMIN_REFUSED" });
    }
  });

  it("is not found before it is set", async () => {
    for (const path of [RESOURCE, `${ATTESTATION}/default`])
      expect(await refusalOf(await harness.admin("GET", path))).toMatchObject({ code: "POLICY_NOT_FOUND" });
    expect(await inForce()).toEqual([]);
  });

  it("cannot be set where the program gave its own", async () => {
    await harness.restart({ resourcePolicy: { id: "own", allow: () => ({ allow: true, findings: [] }) } });
    expect(await refusalOf(await setPolicy(DENY))).toMatchObject({ status: 401, code: "POLICY_FIXED" });
    expect(await released()).toBe("released");
  });
});

describe("an attestation policy", () => {
  it("judges evidence, and is named in the token by version and digest", async () => {
    expect((await setAttestation(ATTEST)).status).toBe(200);
    const { token } = await harness.attested({ launchDigest: "cd".repeat(48) });
    const submods = decodeJwt(token).submods as Record<string, JsonObject>;
    expect(submods.cpu0).toMatchObject({
      "ear.status": "affirming",
      "ear.trustworthiness-vector": { executables: 3 },
      "ear.appraisal-policy-id": `attestation@1 sha384:${policyDigest(ATTEST)}`,
    });
  });

  it("that refuses has file, line and value in the audit log", async () => {
    await setAttestation(ATTEST, "default_cpu");
    await harness.setReferenceValues({ svn: ["9"] });
    expect(await released()).toBe("POLICY_REFUSED");
    const [denied] = await events("resource.release");
    expect(denied?.because).toContainEqual(
      expect.objectContaining({ file: "attestation_cpu.rego", line: 7, found: "1" }),
    );
    expect(denied).toMatchObject({
      submods: { cpu0: { policy: `attestation_cpu@1 sha384:${policyDigest(ATTEST)}` } },
    });
  });

  it("of another kind does not judge processors", async () => {
    await setAttestation('package policy\ntrust_claims := {"hardware": 97}\n', "default_gpu");
    expect(await released()).toBe("released");
  });

  it.each([
    ["gives values that are none", 'package policy\ntrust_claims := {"hardware": "good"}\n'],
    ["contradicts itself", 'package policy\ntrust_claims := {"hardware": n} if some n in [2, 3]\n'],
  ])("that %s attests nobody", async (_what, text) => {
    expect((await setAttestation(text)).status).toBe(200);
    const answer = await harness.attest(await harness.auth());
    const refusal = await refusalOf(answer);
    expect(refusal).toMatchObject({ status: 500, code: "STATE_INVALID" });
    expect(refusal.detail).not.toContain("rego");
  });

  it.each([
    ["nothing that is asked for", "package policy\nnothing := 1\n", /attestation\.rego/],
    ["an unknown function", "package policy\ntrust_claims := nope(1)\n", /attestation\.rego:2:\d+/],
  ])("with %s is refused", async (_what, text, says) => {
    const refusal = await refusalOf(await setAttestation(text));
    expect(refusal).toMatchObject({ status: 400, code: "POLICY_INVALID" });
    expect(refusal.detail).toMatch(says);
  });

  it("is shown by its id", async () => {
    await setAttestation(ATTEST, "default_cpu");
    const { policy } = await jsonOf(await harness.admin("GET", `${ATTESTATION}/default_cpu`));
    expect(toUtf8(fromBase64Url(String(policy)))).toBe(ATTEST);
  });
});

describe("versions", () => {
  const path = (name: string, what: string): string => `/v1/policies/${name}/${what}`;
  const activate = (version: unknown) =>
    harness.admin("POST", path("resource", "activate"), JSON.stringify({ version }));

  it("are kept, and an older one counts again as a new one", async () => {
    await setPolicy(ALLOW);
    await setPolicy(DENY);
    expect(await released()).toBe("POLICY_REFUSED");
    expect(await jsonOf(await activate(1))).toMatchObject({ name: "resource", version: 3 });
    expect(await released()).toBe("released");
    const { versions } = await jsonOf(await harness.admin("GET", path("resource", "versions")));
    expect(versions).toMatchObject([
      { version: 3, active: true, text: ALLOW },
      { version: 2, active: false, text: DENY },
      { version: 1, active: false, text: ALLOW },
    ]);
    expect(await events("policy.set")).toMatchObject([
      { version: 1 },
      { version: 2 },
      { version: 3, again: 1 },
    ]);
  });

  it.each([
    [9, 404, "POLICY_NOT_FOUND"],
    [0, 400, "INVALID_REQUEST"],
    ["1", 400, "INVALID_REQUEST"],
  ])("%j cannot count again", async (version, status, code) => {
    await setPolicy(ALLOW);
    expect(await refusalOf(await activate(version))).toMatchObject({ status, code });
  });

  it("of names that there are not, and for others than the administrator, there are none", async () => {
    expect(await refusalOf(await harness.admin("GET", path("mine", "versions")))).toMatchObject({
      code: "INVALID_REQUEST",
    });
    expect(await refusalOf(await harness.call("GET", path("resource", "versions")))).toMatchObject({
      code: "ADMIN_REFUSED",
    });
  });
});

describe("policies in files", () => {
  it("are taken as soon as they are there, with their tests", async () => {
    expect(await released()).toBe("released");
    await write({ "resource.rego": DENY, "resource_test.rego": TESTS });
    expect(await released()).toBe("POLICY_REFUSED");
    expect(await inForce()).toMatchObject([{ name: "resource", version: 1, source: "file" }]);
    expect(await events("policy.set")).toMatchObject([{ source: "file", tests: 1 }]);
  });

  it.each<[what: string, files: Readonly<Record<string, string>>, code: string]>([
    ["does not compile", { "resource.rego": BROKEN }, "POLICY_INVALID"],
    ["is half written", { "resource.rego": PAYROLL.slice(0, 110) }, "POLICY_INVALID"],
    ["is empty", { "resource.rego": "" }, "POLICY_INVALID"],
    ["fails its tests", { "resource.rego": ALLOW, "resource_test.rego": TESTS }, "POLICY_TESTS_FAILED"],
    [
      "has tests that do not compile",
      { "resource.rego": ALLOW, "resource_test.rego": BROKEN },
      "POLICY_INVALID",
    ],
  ])("keep the old policy when the new one %s, and say so once", async (_what, files, code) => {
    await write({ "resource.rego": DENY });
    expect(await released()).toBe("POLICY_REFUSED");
    await write(files);
    for (let n = 0; n < 3; n++) {
      expect(await released()).toBe("POLICY_REFUSED");
      later(2);
    }
    expect(await inForce()).toMatchObject([{ version: 1, sha384: policyDigest(DENY) }]);
    expect(await events("policy.refused")).toMatchObject([{ source: "file", code }]);
    const told = harness.logged.filter(({ event }) => event === "policy not set");
    expect(told).toHaveLength(1);
    expect(told[0]?.facts.reason).toMatch(/resource(_test)?\.rego/);
    await write({ "resource.rego": ALLOW, "resource_test.rego": "package policy_test\ntest_it if true\n" });
    expect(await released()).toBe("released");
  });

  it("release nothing while the first one is bad", async () => {
    await write({ "resource.rego": BROKEN });
    expect(await released()).toBe("STATE_INVALID");
    await harness.restart();
    expect(await released()).toBe("STATE_INVALID");
    await setPolicy(ALLOW);
    expect(await released()).toBe("released");
  });

  it("release nothing while one cannot be read", async () => {
    mkdirSync(join(folder, "resource.rego"), { recursive: true });
    expect(await released()).toBe("STATE_INVALID");
    rmSync(folder, { recursive: true });
    later(1);
    expect(await released()).toBe("released");
  });

  it("that are taken away leave what they set, also after a restart", async () => {
    await write({ "resource.rego": DENY });
    expect(await released()).toBe("POLICY_REFUSED");
    rmSync(join(folder, "resource.rego"));
    later(1);
    expect(await released()).toBe("POLICY_REFUSED");
    expect(harness.logged.map(({ event }) => event)).toContain("policy file is gone; what it set stays");
    await harness.restart();
    expect(await released()).toBe("POLICY_REFUSED");
  });

  it("and the API: the last change counts, also after a restart", async () => {
    await write({ "resource.rego": DENY });
    expect(await released()).toBe("POLICY_REFUSED");
    await setPolicy(ALLOW);
    expect(await released()).toBe("released");
    await harness.restart();
    expect(await released()).toBe("released");
    await write({ "resource.rego": PAYROLL });
    expect(await released({ launchDigest: "cd".repeat(48) })).toBe("POLICY_REFUSED");
    expect(await inForce()).toMatchObject([{ version: 3, source: "file" }]);
  });

  it("are looked at once a second at most", async () => {
    await write({ "resource.rego": DENY });
    expect(await released()).toBe("POLICY_REFUSED");
    writeFileSync(join(folder, "resource.rego"), ALLOW);
    expect(await released()).toBe("POLICY_REFUSED");
    later(1);
    expect(await released()).toBe("released");
  });
});

describe("many changes at once", () => {
  it("each get a version, and the last one in the log is in force", async () => {
    const texts = Array.from({ length: 20 }, (_, n) => `${ALLOW}# ${n}\n`);
    const answers = await Promise.all(texts.map((text) => setPolicy(text)));
    expect(answers.map(({ status }) => status)).toEqual(texts.map(() => 200));
    const set = await events("policy.set");
    expect(set.map(({ version }) => version)).toEqual(texts.map((_, n) => n + 1));
    expect(await inForce()).toMatchObject([{ version: 20, sha384: set.at(-1)?.sha384 }]);
    expect((await verifyAuditLog(harness.state.store, harness.state.logKey))?.size).toBe(22);
  });

  it("and decisions in between go by the old policy or the new", async () => {
    await setPolicy(ALLOW);
    const outcomes = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        if (n % 4 === 0) await setPolicy(n % 8 === 0 ? DENY : ALLOW);
        return released();
      }),
    );
    expect(outcomes.every((outcome) => ["released", "POLICY_REFUSED"].includes(outcome))).toBe(true);
  });

  it("keeps policies sealed: one that was swapped decides nothing", async () => {
    await setPolicy(DENY);
    await setAttestation(ATTEST);
    const { store } = harness.state;
    const other = await store.get("policy", "current/attestation");
    await store.write([
      { kind: "put", space: "policy", key: "current/resource", value: other ?? new Uint8Array() },
    ]);
    expect(await released()).toBe("SECRET_CORRUPT");
  });
});
