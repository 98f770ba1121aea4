// SPDX-License-Identifier: Apache-2.0
// Clients of older versions of the KBS protocol, written here from what guest-components sent: what they bind, the bodies
// that they send, what they get.

import { createHash } from "node:crypto";
import { canonicalJson, type JsonObject, type JsonValue } from "@adyton/core/json";
import { schemeOf } from "@adyton/evidence";
import { decodeJwt } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import {
  authBody,
  createHarness,
  DIGEST,
  GOOD_VALUES,
  type Harness,
  jsonOf,
  newTeePair,
  PAIR,
  refusalOf,
  secretOf,
} from "../../test/harness.ts";
import type { BrokerOptions } from "../broker.ts";

const SECRET = "/kbs/v0/resource/default/key/1";

let harness: Harness;
afterEach(() => harness.close());

async function start(options: Partial<BrokerOptions> = {}): Promise<void> {
  harness = await createHarness(options);
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", SECRET, "open sesame");
}

/** SHA-384 of the compact JSON with sorted members, in a field of 64 bytes. */
function bound(data: JsonObject): Uint8Array {
  const field = new Uint8Array(64);
  field.set(createHash("sha384").update(canonicalJson(data)).digest());
  return field;
}

async function evidenceFor(data: JsonObject): Promise<JsonValue> {
  const evidence = await harness.machine.evidence({ launchDigest: DIGEST, reportData: bound(data) });
  return schemeOf("sample").toKbs({ evidence });
}

interface Change {
  /** The key in the body, where it is not the one that the evidence binds. */
  readonly key?: JsonObject;
  readonly nonce?: string;
  readonly edit?: (body: JsonObject) => JsonObject;
  /** Of the client that answers, where it is another than the one that asked. */
  readonly answered?: string;
}

/** The body of POST attest by version. */
async function bodyOf(version: string, nonce: string): Promise<JsonObject> {
  if (version.startsWith("0.2"))
    return {
      "tee-pubkey": PAIR.jwk,
      "tee-evidence": await evidenceFor({ nonce, "tee-pubkey": PAIR.jwk }),
    };
  const data = { "additional-evidence": "", nonce, "tee-pubkey": PAIR.jwk };
  const evidence = { primary_evidence: await evidenceFor(data), additional_evidence: "" };
  if (version.startsWith("0.3")) return { "tee-pubkey": PAIR.jwk, "tee-evidence": evidence };
  return { "runtime-data": { nonce, "tee-pubkey": PAIR.jwk }, "tee-evidence": evidence };
}

async function attested(version: string, change: Change = {}): Promise<{ answer: Response; cookie: string }> {
  const challenge = await harness.auth(authBody({ version }));
  const body = await bodyOf(change.answered ?? version, change.nonce ?? challenge.nonce);
  const answer = await harness.call("POST", "/kbs/v0/attest", {
    body: JSON.stringify(change.edit?.(body) ?? body),
    headers: { cookie: challenge.cookie },
  });
  return { answer, cookie: challenge.cookie };
}

describe.each(["0.2.0", "0.3.0", "0.4.0"])("a client of version %s", (version) => {
  it("attests and gets its secret, by cookie and by token", async () => {
    await start();
    const { answer, cookie } = await attested(version);
    expect(answer.status).toBe(200);
    const token = String((await jsonOf(answer)).token);
    const { submods } = decodeJwt<{ submods: Record<string, JsonObject> }>(token);
    const evidence = submods.cpu0?.["ear.veraison.annotated-evidence"] as JsonObject;
    expect(evidence.runtime_data_claims).toMatchObject({ "tee-pubkey": PAIR.jwk });
    expect(Object.hasOwn(evidence.runtime_data_claims as JsonObject, "additional-evidence")).toBe(
      version !== "0.2.0",
    );
    for (const headers of [{ cookie }, { authorization: `Bearer ${token}` }])
      expect(await secretOf(await harness.call("GET", SECRET, { headers }))).toBe("open sesame");
  });

  it("is refused with another key, another nonce, members of other versions, and another version's body", async () => {
    await start();
    const key = newTeePair().jwk;
    const swapped = (body: JsonObject): JsonObject =>
      version === "0.4.0"
        ? { ...body, "runtime-data": { ...(body["runtime-data"] as JsonObject), "tee-pubkey": key } }
        : { ...body, "tee-pubkey": key };
    const code = async (change: Change) => (await refusalOf((await attested(version, change)).answer)).code;
    expect(await code({ edit: swapped })).toBe("REPORT_DATA_MISMATCH");
    expect(await code({ nonce: "b3RoZXI=" })).toBe(
      version === "0.4.0" ? "NONCE_MISMATCH" : "REPORT_DATA_MISMATCH",
    );
    expect(await code({ edit: (body) => ({ ...body, more: 1 }) })).toBe("INVALID_REQUEST");
    for (const answered of ["0.2.0", "0.3.0", "0.4.0"].filter((other) => other !== version))
      expect((await attested(version, { answered })).answer.status).toBe(401);
  });

  it("is refused where the broker does not speak it", async () => {
    const line = version.slice(0, 3) as "0.2" | "0.3" | "0.4";
    await start({ protocols: (["0.2", "0.3", "0.4"] as const).filter((each) => each !== line) });
    const body = JSON.stringify(authBody({ version }));
    const refusal = await refusalOf(await harness.call("POST", "/kbs/v0/auth", { body }));
    expect(refusal).toMatchObject({ status: 401, code: "PROTOCOL_VERSION" });
    expect(refusal.detail).toContain("KBS Client Protocol Version Mismatch");
  });
});

describe("before 0.4", () => {
  it("a TEE whose evidence answers a request is refused: it bound no key then", async () => {
    await start();
    const body = JSON.stringify(authBody({ version: "0.2.0", tee: "se" }));
    expect((await refusalOf(await harness.call("POST", "/kbs/v0/auth", { body }))).code).toBe(
      "PROTOCOL_VERSION",
    );
  });

  it.each(["azsnpvtpm", "aztdxvtpm"])("Azure's guests said %s, and may still", async (tee) => {
    await start();
    for (const version of ["0.2.0", "0.4.0"]) {
      const body = JSON.stringify(authBody({ version, tee }));
      expect((await harness.call("POST", "/kbs/v0/auth", { body })).status).toBe(200);
    }
  });

  it("the extra parameters were a text at first", async () => {
    await start();
    const body = JSON.stringify(authBody({ version: "0.2.0", "extra-params": "" }));
    const answer = await harness.call("POST", "/kbs/v0/auth", { body });
    expect(await jsonOf(answer)).toMatchObject({ "extra-params": "" });
  });
});

describe("RSA1_5", () => {
  it("is taken where the broker allows it", async () => {
    const key: JsonObject = {
      kty: "RSA",
      alg: "RSA1_5",
      e: "AQAB",
      n: "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
    };
    for (const [allowRsa15, status] of [
      [true, 200],
      [false, 401],
    ] as const) {
      await harness?.close().catch(() => undefined);
      await start({ allowRsa15 });
      const challenge = await harness.auth();
      const answer = await harness.attest(challenge, { pair: { jwk: key, privateKey: PAIR.privateKey } });
      expect(answer.status).toBe(status);
      if (status !== 200) {
        expect((await refusalOf(answer)).code).toBe("UNSUPPORTED_TEE_KEY");
        continue;
      }
      const got = await harness.call("GET", SECRET, { headers: { cookie: challenge.cookie } });
      const { protected: header } = await jsonOf(got);
      expect(Buffer.from(String(header), "base64url").toString()).toBe('{"alg":"RSA1_5","enc":"A256GCM"}');
    }
  });
});
