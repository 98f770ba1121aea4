// SPDX-License-Identifier: Apache-2.0
// What settings come to: precedence, types, refusals; and that the page for people says what the schema does.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { JsonObject } from "@adyton/core/json";
import { codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { BrokerError } from "../errors.ts";
import { silentLogger } from "../log.ts";
import { openBrokerState } from "../state.ts";
import { settingsMarkdown } from "./describe.ts";
import { brokerOptionsOf, serveOptionsOf, stateOptionsOf } from "./options.ts";
import { parsedFile, readSettings, settingsOf } from "./read.ts";
import { settingsJsonSchema } from "./shape.ts";
import { shownSettings } from "./show.ts";
import { importTrustee } from "./trustee.ts";

const folder = mkdtempSync(join(tmpdir(), "adyton-config-"));
afterAll(() => rmSync(folder, { recursive: true }));
const around = { clock: systemClock, logger: silentLogger };

const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const refusal = async (run: () => unknown): Promise<string> => {
  try {
    await run();
  } catch (error) {
    if (error instanceof BrokerError && error.code === "CONFIG_INVALID") return error.message;
    throw error;
  }
  throw new Error("nothing was refused");
};

describe("settings", () => {
  it.each([
    ["a.toml", '[server]\nport = 9000\n[server.tls]\ncertificate = "c.pem"\nkey = "k.pem"\n'],
    ["a.yaml", "server:\n  port: 9000\n  tls: {certificate: c.pem, key: k.pem}\n"],
    ["a.json", '{"server":{"port":9000,"tls":{"certificate":"c.pem","key":"k.pem"}}}'],
  ])("are read from %s, with paths from its folder", async (name, text) => {
    const { settings } = await readSettings({ file: file(name, text), folder: "/elsewhere" });
    expect(settings.server).toMatchObject({
      port: 9000,
      tls: { certificate: join(folder, "c.pem"), profile: "modern" },
    });
  });

  it("count from flag, environment, file and default, in this order", async () => {
    const path = file(
      "p.toml",
      '[server]\nport = 1\nhost = "file"\nclose_seconds = 1\n[limits]\nburst = 7\n',
    );
    const read = await readSettings({
      file: path,
      env: { ADYTON_BROKER__SERVER__PORT: "2", ADYTON_BROKER__SERVER__HOST: "env", ADYTON_OTHER: "x" },
      texts: { "limits.sessions": "12" },
      flags: { "server.port": 3 },
      folder,
    });
    expect(read.settings.server).toMatchObject({ port: 3, host: "env", close_seconds: 1, workers: 1 });
    const from = new Map(shownSettings(read).map((each) => [each.name, each.from]));
    expect(
      ["server.port", "server.host", "server.close_seconds", "limits.sessions", "server.workers"].map(
        (name) => from.get(name),
      ),
    ).toEqual(["flag", "env", "file", "flag", "default"]);
  });

  it("have their types in the environment, too", async () => {
    const { settings } = await readSettings({
      env: {
        ADYTON_BROKER__METRICS__ENABLED: "false",
        ADYTON_BROKER__ROOT_KEY__PCRS: "0, 7",
        ADYTON_BROKER__SERVER__CORS_ORIGINS: "https://a.example,https://b.example",
        ADYTON_BROKER__PLUGINS__CA: '{"trust_domain":"acme.example"}',
        ADYTON_BROKER__PATHS__TRUST: "trust",
        ADYTON_BROKER__ADMIN__ACL: '[{"role":"admin","allowed_endpoints":"^/kbs/.*$"}]',
      },
      folder,
    });
    expect(settings).toMatchObject({
      metrics: { enabled: false },
      root_key: { pcrs: [0, 7] },
      server: { cors_origins: ["https://a.example", "https://b.example"] },
      plugins: { ca: { trust_domain: "acme.example" } },
      paths: { trust: join(folder, "trust") },
      admin: { acl: [{ role: "admin" }] },
    });
  });

  it.each([
    [
      "an unknown setting",
      '{"server":{"prot":1}}',
      "server.prot: there is no such setting; did you mean port?",
    ],
    ["an unknown section", '{"sever":{}}', "sever: there is no such setting; did you mean server?"],
    ["another type", '{"server":{"port":"x"}}', "server.port"],
    ["out of range", '{"server":{"workers":0}}', "server.workers"],
    ["a prototype", '{"__proto__":{"server":1}}', "there is no such setting"],
    ["half of TLS", '{"server":{"tls":{"key":"k"}}}', "server.tls.certificate"],
    [
      "two key sources",
      '{"admin":{"issuers":[{"issuer":"i","audience":"a","keys_url":"https://x","keys_file":"y"}]}}',
      "not both",
    ],
    ["no object", "[]", "sections"],
  ])("refuse %s", async (_what, text, told) => {
    expect(await refusal(() => readSettings({ file: file("bad.json", text), folder }))).toContain(told);
  });

  it.each([
    ["a variable that names nothing", { ADYTON_BROKER__SERVER__PRT: "1" }, "server.prt"],
    ["a number that is none", { ADYTON_BROKER__SERVER__PORT: "http" }, "server.port"],
    ["a list that is no JSON", { ADYTON_BROKER__ADMIN__ACL: "[{" }, "ADYTON_BROKER__ADMIN__ACL"],
    ["a table that is none", { ADYTON_BROKER__SERVER: "1" }, "server"],
  ])("refuse %s", async (_what, env, told) => {
    expect(await refusal(() => readSettings({ env, folder }))).toContain(told);
  });

  it.each([
    ["no.ini", "x=1"],
    ["no.toml", "[[["],
    ["no.yaml", "a: &a [1]\nb: *a\n"],
    ["no.json", '{"a":1,"a":2}'],
  ])("refuse a file that cannot be read: %s", async (name, text) => {
    expect(await refusal(() => parsedFile(file(name, text)))).toContain(name);
  });

  it("say the code of what is wrong", async () => {
    expect(await codeOfAsync(() => readSettings({ texts: { "server.prt": "1" }, folder }))).toBe(
      "CONFIG_INVALID",
    );
  });

  it("refuse files that are not there", async () => {
    expect(await refusal(() => readSettings({ file: "none.toml", folder }))).toContain("none.toml");
  });

  it("never fail otherwise, whatever is in the file", async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue({ maxDepth: 4 }), async (value) => {
        try {
          settingsOf(JSON.parse(JSON.stringify(value)));
        } catch (error) {
          expect(error).toBeInstanceOf(BrokerError);
        }
      }),
      { numRuns: 200 },
    );
  });

  it("are shown without the password of a database", async () => {
    const read = await readSettings({ flags: { "store.url": "postgres://u:hunter2@h/d" }, folder });
    expect(JSON.stringify(shownSettings(read))).not.toContain("hunter2");
  });
});

describe("options", () => {
  it("are the defaults of the parts where nothing is set", async () => {
    const settings = settingsOf({});
    expect(await stateOptionsOf(settings, around)).toMatchObject({ rootKey: { tpm: {} } });
    expect(serveOptionsOf(settings)).toMatchObject({ host: "127.0.0.1", port: 8080, drainSeconds: 0 });
    expect("tls" in serveOptionsOf(settings)).toBe(false);
    const state = await openBrokerState(join(folder, "state"));
    const options = await brokerOptionsOf(settings, state, around);
    expect(options).toMatchObject({
      allowSimulated: false,
      allowRsa15: false,
      explanations: { kept: 1000, seconds: 86_400 },
      rateLimit: { perSecond: 100, burst: 1000 },
      sessionSeconds: 300,
      maxSessions: 100_000,
      maxBodyBytes: 2 * 1024 * 1024,
      policyFolder: state.policyFolder,
    });
    expect(options.plugins?.map(({ name }) => name)).toEqual(["transit", "wrap", "provisioner"]);
    await state.store.close();
  });

  it("take secrets out of files", async () => {
    file("url", "postgres://u:p@db.example/d\n");
    file("pass", "six words that nobody guesses\n");
    const settings = settingsOf({
      store: { kind: "postgres", url_file: join(folder, "url"), timeout_seconds: 2 },
      root_key: { kind: "passphrase", passphrase_file: join(folder, "pass") },
    });
    const options = await stateOptionsOf(settings, around);
    expect(options.postgres).toMatchObject({ url: "postgres://u:p@db.example/d", timeoutMs: 2000 });
    expect(await options.rootKey?.passphrase?.(false)).toBe("six words that nobody guesses");
  });

  it.each([
    ["a database without its URL", { store: { kind: "postgres" } }, "store.url_file"],
    ["a URL file that is not there", { store: { kind: "postgres", url_file: "/none/url" } }, "/none/url"],
  ])("refuse %s", async (_what, value, told) => {
    expect(await refusal(() => stateOptionsOf(settingsOf(value), around))).toContain(told);
  });

  it.each([
    ["files without a folder", { resources: { backend: "files" } }, "resources.folder"],
    ["vault without its address", { resources: { backend: "vault" } }, "resources.vault_url"],
    [
      "vault without a login",
      { resources: { backend: "vault", vault_url: "https://v" } },
      "vault_token_file",
    ],
    ["a token that nobody described", { plugins: { pkcs11: { enabled: true } } }, "[pkcs11]"],
    [
      "keys that are none",
      { admin: { issuers: [{ issuer: "i", audience: "a", keys_file: join(folder, "url") }] } },
      "JWK set",
    ],
    ["authorities that are none", { tokens: { certificates: [join(folder, "url")] } }, "url"],
  ])("refuse %s", async (_what, value, told) => {
    file("url", "postgres://u:p@db.example/d\n");
    const state = await openBrokerState(join(folder, "state"));
    expect(await refusal(() => brokerOptionsOf(settingsOf(value as JsonObject), state, around))).toContain(
      told,
    );
    await state.store.close();
  });

  it("reach every part", async () => {
    const state = await openBrokerState(join(folder, "state"));
    file("keys.json", '{"keys":[]}');
    const settings = settingsOf({
      attestation: { allow_simulated: true, protocols: ["0.4"] },
      limits: { rate: false },
      paths: {
        policies: join(folder, "policies"),
        trust: join(folder, "none"),
        endorsements: join(folder, "none"),
      },
      resources: { backend: "files", folder },
      plugins: {
        transit: { enabled: false },
        ca: { trust_domain: "acme.example" },
        nebula: {},
        external: [{ name: "x", url: "https://x.example" }],
      },
      admin: {
        owner_token: false,
        issuers: [
          {
            issuer: "https://id.example",
            audience: "a",
            keys_file: join(folder, "keys.json"),
            role_claim: "r",
          },
        ],
        certificates: [{ name: "alice", spki_sha256: "00", roles: ["owner"] }],
        approvals: { actions: ["policy.set"], lifetime_seconds: 60 },
      },
      tokens: { key_urls: ["https://as.example/jwks"] },
    });
    expect(await brokerOptionsOf(settings, state, around)).toMatchObject({
      allowSimulated: true,
      protocols: ["0.4"],
      rateLimit: false,
      policyFolder: join(folder, "policies"),
      referenceTrust: {},
      backend: { kind: "files" },
      plugins: [
        { name: "wrap" },
        { name: "provisioner" },
        { name: "ca" },
        { name: "nebula" },
        { name: "external" },
      ].map((each) => expect.objectContaining({ name: expect.stringContaining(each.name) })),
      admin: {
        ownerToken: false,
        issuers: [{ issuer: "https://id.example", keys: { keys: [] }, roleClaim: "r" }],
        certificates: [{ name: "alice", spkiSha256: "00" }],
        approvals: { actions: ["policy.set"], lifetimeSeconds: 60 },
      },
      trustedTokens: { keySets: [{ url: "https://as.example/jwks" }] },
    });
    await state.store.close();
  });
});

describe("Trustee's configuration", () => {
  it("is said in ours, and what is not is named", () => {
    const { ignored, notes, settings } = importTrustee({
      http_server: {
        sockets: ["0.0.0.0:8080", "[::]:8080"],
        certificate: "/c",
        private_key: "/k",
        payload_request_size: 4,
        worker_count: 4,
      },
      attestation_token: {
        trusted_jwk_sets: ["file:///jwks", "https://as.example"],
        insecure_header_jwk: true,
      },
      attestation_service: {
        type: "coco_as_grpc",
        attestation_token_broker: { duration_min: 5 },
        rvps_config: { type: "BuiltIn" },
      },
      admin: {
        authorization_mode: "InsecureAllowAll",
        authorization: { regex_acl: { acls: [{ role: "admin", allowed_endpoints: "^/kbs/.*$" }] } },
      },
      storage_backend: { storage_type: "Postgres", backends: { local_fs: { dir_path: "/x" } } },
      plugins: [
        { name: "resource", type: "Vault", vault_url: "https://v.example" },
        { name: "sample" },
        { name: "pkcs11", module: "/m.so" },
      ],
    });
    expect(settings).toEqual({
      server: { host: "0.0.0.0", port: 8080, tls: { certificate: "/c", key: "/k" } },
      limits: { body_bytes: 4 * 1024 * 1024, session_seconds: 300 },
      tokens: { key_files: ["/jwks"], issuers: ["https://as.example"] },
      admin: { acl: [{ role: "admin", allowed_endpoints: "^/kbs/.*$" }] },
      store: { kind: "postgres" },
      resources: { backend: "vault", vault_version: 1, vault_url: "https://v.example" },
      pkcs11: { module: "/m.so", pin_file: "pkcs11.pin" },
      plugins: { pkcs11: { enabled: true } },
    });
    expect(ignored.map(({ place }) => place).sort()).toEqual([
      "admin.authorization_mode",
      "attestation_service.type",
      "attestation_token.insecure_header_jwk",
      "http_server.sockets",
      "http_server.worker_count",
      "plugins.sample",
      "storage_backend.backends",
    ]);
    expect(notes.join()).toContain("store.url_file");
  });

  it("that cannot be said is refused", async () => {
    expect(
      await refusal(() =>
        importTrustee({ attestation_service: { attestation_token_broker: { duration_min: -1 } } }),
      ),
    ).toContain("session_seconds");
  });
});

it("docs/configuration.md is the schema's", () => {
  const page = readFileSync(resolve(import.meta.dirname, "../../../../docs/configuration.md"), "utf8");
  expect(page, "run: adyton config schema --markdown > docs/configuration.md").toBe(settingsMarkdown());
});

it("every setting is described", () => {
  const bare: string[] = [];
  const walk = (schema: JsonObject, path: string): void => {
    for (const [name, each] of Object.entries((schema.properties ?? {}) as JsonObject)) {
      const below = each as JsonObject;
      if (typeof below.description !== "string") bare.push(`${path}${name}`);
      walk(below, `${path}${name}.`);
      if (below.items !== undefined) walk(below.items as JsonObject, `${path}${name}[].`);
    }
  };
  walk(settingsJsonSchema(), "");
  expect(bare).toEqual([]);
});
