// SPDX-License-Identifier: Apache-2.0
// What crypto.*, io.jwt.* and yaml.* say of random certificates, tokens and texts, beside OPA, each in one run of it.

import { execFileSync } from "node:child_process";
import { createSign, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { compile, type Value } from "@adyton/rego";
import { afterAll, describe, expect, it } from "vitest";
import { CertificateMaker } from "./rego/certificates.ts";
import { NO_PROGRAM, opaProgram } from "./rego/opa.ts";
import { Random } from "./rego/random.ts";
import { ALL_BUILTINS } from "./rego/run.ts";
import { jsonForm, textOf } from "./rego/values.ts";

const SEED = Number(process.env.ADYTON_SEED ?? 4);
const AT = new Date("2026-01-15T00:00:00Z");

if (opaProgram === undefined) console.warn(NO_PROGRAM);

const folder = mkdtempSync(join(tmpdir(), "adyton-rego-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** `data.p.out` for the input, of both. */
function both(policy: string, input: Value): { readonly ours: Value; readonly theirs: Value } {
  const text = `package p\n\n${policy}`;
  const [policyFile, inputFile] = [join(folder, "p.rego"), join(folder, "input.json")];
  writeFileSync(policyFile, text);
  writeFileSync(inputFile, JSON.stringify(input));
  const printed = execFileSync(
    opaProgram ?? "opa",
    ["eval", "-f", "json", "-d", policyFile, "-i", inputFile, "data.p.out"],
    {
      encoding: "utf8",
      maxBuffer: 256 * 1024 * 1024,
    },
  );
  // Numbers beyond a double come exactly.
  const unmarshal = compile({ modules: {} }).prepare("json.unmarshal(input)");
  const answer = unmarshal.value({ input: printed }) as {
    result: readonly [{ expressions: readonly [{ value: Value }] }];
  };
  const query = compile({ modules: { "p.rego": text }, builtins: ALL_BUILTINS }).prepare("data.p.out");
  return { ours: query.value({ input, now: AT }) ?? null, theirs: answer.result[0].expressions[0].value };
}

/** One by one, so that a failure shows the item. */
function expectSame(ours: Value, theirs: Value, items: readonly Value[]): void {
  const [left, right] = [ours, theirs] as unknown[] as (readonly Value[])[];
  expect(left?.length).toBe(items.length);
  for (const [i, item] of items.entries()) {
    const [mine, his] = [left?.[i], right?.[i]].map((value) => textOf(jsonForm(value ?? null)));
    expect({ item, result: mine }).toEqual({ item, result: his });
  }
}

describe.skipIf(opaProgram === undefined)("certificates", () => {
  it("random chains: what they say, and whether they hold", async () => {
    const random = new Random(SEED);
    const maker = await CertificateMaker.create(random, AT);
    const cases: Value[] = [];
    for (let i = 0; i < 300; i++) {
      cases.push({
        chain: await maker.chain(),
        options: {
          CurrentTime: AT.getTime() * 1e6,
          KeyUsages: random.pick([
            ["KeyUsageAny"],
            ["KeyUsageServerAuth"],
            ["KeyUsageClientAuth", "KeyUsageServerAuth"],
          ]),
          ...(random.chance(0.4)
            ? {
                DNSName: random.pick([
                  "a.example.com",
                  "example.com",
                  "c.example.com",
                  "10.0.0.7",
                  "[2001:db8::1]",
                  "leaf",
                ]),
              }
            : {}),
        },
      });
    }
    const policy = `out := [{"shown": shown, "verdict": verdict} |
	some c in input
	shown := object.get({"s": crypto.x509.parse_certificates(c.chain)}, "s", null)
	verdict := crypto.x509.parse_and_verify_certificates_with_options(c.chain, c.options)
]`;
    const { ours, theirs } = both(policy, cases);
    expectSame(ours, theirs, cases);
    const verdicts = (ours as readonly { verdict: readonly [boolean] }[]).map(
      ({ verdict: [valid] }) => valid,
    );
    // Enough of either to say something.
    for (const verdict of [true, false])
      expect(verdicts.filter((valid) => valid === verdict).length).toBeGreaterThan(60);
  });
});

describe.skipIf(opaProgram === undefined)("tokens", () => {
  const pairs = {
    rsa: generateKeyPairSync("rsa", { modulusLength: 2048 }),
    ec: generateKeyPairSync("ec", { namedCurve: "P-256" }),
    ed: generateKeyPairSync("ed25519"),
  };
  const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  const pem = (key: KeyObject): string => key.export({ format: "pem", type: "spki" }).toString();

  function tokenOf(random: Random): { readonly token: string; readonly key: string } {
    const kind = random.pick(["rsa", "ec", "ed"] as const);
    const alg = { rsa: "RS256", ec: "ES256", ed: "EdDSA" }[kind];
    const seconds = AT.getTime() / 1000;
    const claims = {
      iss: random.pick(["a", "b"]),
      ...(random.chance(0.3) ? { aud: random.pick<unknown>(["a", ["a", "b"], "b"]) } : {}),
      ...(random.chance(0.5) ? { exp: seconds + random.pick([-1, 0, 1, 0.5]) } : {}),
      ...(random.chance(0.3) ? { nbf: seconds + random.pick([-1, 0, 1]) } : {}),
    };
    const header = {
      alg: random.chance(0.9) ? alg : random.pick(["none", "HS256", "RS384", "X"]),
      ...(random.chance(0.2) ? { kid: random.pick(["k", "l"]) } : {}),
      ...(random.chance(0.1) ? { crit: [random.pick(["kid", "b64"])], b64: true } : {}),
      ...(random.chance(0.1) ? { typ: "JWT" } : {}),
    };
    const signed = `${part(header)}.${part(claims)}`;
    const { privateKey } = pairs[kind];
    const signature =
      kind === "rsa"
        ? createSign("sha256").update(signed).sign(privateKey)
        : sign(kind === "ec" ? "sha256" : null, Buffer.from(signed), {
            key: privateKey,
            dsaEncoding: "ieee-p1363",
          });
    if (random.chance(0.1)) signature[random.below(signature.length)] = random.below(256);
    const token = `${signed}.${signature.toString("base64url")}`;
    const owner = random.chance(0.9) ? kind : random.pick(["rsa", "ec", "ed"] as const);
    const { publicKey } = pairs[owner];
    const jwk = {
      ...publicKey.export({ format: "jwk" }),
      ...(random.chance(0.5) ? { kid: random.pick(["k", "l"]) } : {}),
    };
    const key = random.pick([pem(publicKey), JSON.stringify(jwk), JSON.stringify({ keys: [jwk] })]);
    return { token: random.chance(0.03) ? token.slice(0, random.below(token.length)) : token, key };
  }

  it("random tokens: what they say, and whether they hold", () => {
    const random = new Random(SEED);
    const cases = Array.from({ length: 1_000 }, (): Value => {
      const options = {
        time: AT.getTime() * 1e6,
        ...(random.chance(0.3) ? { iss: random.pick(["a", "b"]) } : {}),
        ...(random.chance(0.3) ? { aud: random.pick(["a", "b"]) } : {}),
        ...(random.chance(0.2) ? { alg: random.pick(["RS256", "ES256"]) } : {}),
      };
      return { ...tokenOf(random), options };
    });
    const policy = `of(c, "decode") := io.jwt.decode(c.token)
of(c, "rs") := io.jwt.verify_rs256(c.token, c.key)
of(c, "es") := io.jwt.verify_es256(c.token, c.key)
of(c, "ed") := io.jwt.verify_eddsa(c.token, c.key)
of(c, "all") := io.jwt.decode_verify(c.token, object.union(c.options, {"cert": c.key}))
out := [{name: of(c, name) | some name in ["decode", "rs", "es", "ed", "all"]} | some c in input]`;
    const { ours, theirs } = both(policy, cases);
    expectSame(ours, theirs, cases);
    const held = (ours as readonly { all?: readonly [boolean] }[]).filter(
      ({ all }) => all?.[0] === true,
    ).length;
    expect(held).toBeGreaterThan(100);
    expect(held).toBeLessThan(900);
  });
});

describe.skipIf(opaProgram === undefined)("YAML", () => {
  const PIECES = [
    "a",
    "b: ",
    "- ",
    "\n",
    "\n  ",
    "1",
    "0x1f",
    "~",
    "true",
    '"x"',
    "'y'",
    "|\n  z\n",
    "[1, ",
    "]",
    "{a: ",
    "}",
    "&n ",
    "*n",
    "# c",
    "1.5",
    "0o7",
    "<<: ",
    "!!str ",
    "? ",
    ", ",
    "null",
    "2020-01-01",
    "e3",
    "_",
    " ",
  ];

  it("random texts: what they stand for", () => {
    const random = new Random(SEED);
    const texts = Array.from({ length: 3_000 }, () => random.times(1, 8, () => random.pick(PIECES)).join(""));
    const policy = `of(t, "valid") := yaml.is_valid(t)
of(t, "value") := yaml.unmarshal(t)
out := [{name: of(t, name) | some name in ["valid", "value"]} | some t in input]`;
    const { ours, theirs } = both(policy, texts);
    const results = texts.map((text, i) => {
      const [mine, his] = [ours, theirs].map((list) =>
        textOf(jsonForm((list as readonly Value[])[i] ?? null)),
      );
      return { text, mine, his };
    });
    // The parsers differ on texts that hardly anybody writes; both say what a text is when both take it.
    const different = results.filter(({ mine, his }) => mine !== his);
    expect(
      different.filter(({ mine, his }) => mine?.includes("true") && his?.includes('"valid":true')),
    ).toEqual([]);
    expect(different.length).toBeLessThan(texts.length / 20);
  });

  it("random values: the same text", () => {
    const random = new Random(SEED);
    const scalar = (): Value =>
      random.pick<Value>([
        null,
        true,
        0,
        -1,
        1.5,
        1e30,
        1e-7,
        "",
        "a",
        "yes",
        "12",
        "a: b",
        "a\nb",
        "- a",
        "é",
        "0x1",
        "~",
        " a",
        "a\n",
        "x #y",
        "'q'",
        "1:30",
        "2020-01-01",
        "a10",
        "a9",
      ]);
    const value = (depth: number): Value =>
      random.weighted<Value>([
        [3, scalar],
        [depth, () => random.times(0, 3, () => value(depth - 1))],
        [depth, () => Object.fromEntries(random.times(0, 3, () => [String(scalar()), value(depth - 1)]))],
      ]);
    const values = Array.from({ length: 1_000 }, () => value(3));
    const { ours, theirs } = both("out := [yaml.marshal(v) | some v in input]", values);
    expectSame(ours, theirs, values);
  });
});
