// SPDX-License-Identifier: Apache-2.0
// The guest API over sockets, against services that really run and a software TEE that speaks for this program.

import { execFileSync } from "node:child_process";
import {
  createCipheriv,
  createHash,
  createPrivateKey,
  generateKeyPairSync,
  randomBytes,
  sign,
} from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSoftwareTee } from "@adyton/attester";
import { openTpm, readPcrs } from "@adyton/attester/tpm";
import { silentLogger } from "@adyton/broker";
import { type Client, createClient } from "@adyton/client";
import { fromBase64Url, fromUtf8, toBase64, toBase64Url, toUtf8 } from "@adyton/core/bytes";
import { codeOfAsync } from "@adyton/testing";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";
import { softwareTeeFolder, thisProgram } from "../services/local-tee.ts";
import { type Services, startServices } from "../services/start.ts";
import { type AgentOptions, type AgentRequest, createAgent } from "./agent.ts";
import { createMeasurer } from "./measure.ts";
import { unsealSecret } from "./sealed-secret.ts";
import { type ServedAgent, serveAgent } from "./serve.ts";

const hasSwtpm = (() => {
  try {
    execFileSync("swtpm", ["--version"], { stdio: "ignore" });
    return true;
  } catch {
    console.warn("swtpm was not found: measuring into a TPM is not tested.");
    return false;
  }
})();
const SECRET = new Uint8Array([0, 1, 2, 253, 254, 255]);
const KEK = randomBytes(32);
const signer = generateKeyPairSync("ec", { namedCurve: "P-256" });
const publicJwk = JSON.stringify(signer.publicKey.export({ format: "jwk" }));

let folder: string;
let services: Services;
let options: AgentOptions;
let served: ServedAgent;
let collected = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "adyton-agent-"));
  const dir = join(folder, "state");
  services = await startServices({ dir, port: 0, dev: true, now: () => new Date(), logger: silentLogger });
  const tee = await openSoftwareTee({ dir: softwareTeeFolder(dir) });
  const digest = await tee.measure(thisProgram());
  const { admin } = services;
  await admin.setReferenceValues({ launch_digest: [digest] });
  await admin.putResource("default/hello/secret", SECRET);
  await admin.putResource("default/keys/kek", KEK);
  await admin.putResource("default/keys/sealer", publicJwk);
  const attester = {
    tee: "sample" as const,
    collect: (reportData: Uint8Array) => {
      collected += 1;
      return tee.evidenceFor(digest, reportData);
    },
  };
  const client = createClient({ url: services.url, attester, exportableKey: true });
  options = { client, attester, version: "0.1.0" };
  served = await serveAgent(createAgent(options), 0);
});
afterAll(async () => {
  await served.close();
  await services.close();
  await rm(folder, { recursive: true });
});

const get = (path: string, init: RequestInit = {}) => fetch(served.url + path, init);
const ask = (changes: Partial<AgentRequest>, more: Partial<AgentOptions> = {}) =>
  createAgent({ ...options, ...more })({
    ...{ method: "GET", target: "/info", host: "127.0.0.1:8006", remoteAddress: "127.0.0.1" },
    body: new Uint8Array(),
    ...changes,
  });
const codeIn = (body: Uint8Array): unknown => (JSON.parse(toUtf8(body)) as { code: unknown }).code;

describe("the guest API", () => {
  it("gives a secret as it is", async () => {
    const answer = await get("/cdh/resource/default/hello/secret");
    expect(answer.headers.get("content-type")).toBe("application/octet-stream");
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(SECRET);
  });

  it("attests once for many requests", async () => {
    const before = collected;
    await Promise.all(Array.from({ length: 5 }, () => get("/cdh/resource/default/hello/secret")));
    expect(collected).toBe(before);
  });

  it("gives a token with the key that it is bound to", async () => {
    const { token, tee_keypair } = (await (await get("/aa/token?token_type=kbs")).json()) as Record<
      string,
      string
    >;
    const key = createPrivateKey(tee_keypair ?? "").export({ format: "jwk" });
    const claims = toUtf8(fromBase64Url((token ?? "").split(".")[1] ?? ""));
    expect(claims).toContain(`"x":"${key.x}"`);
    expect(key.crv).toBe("P-256");
  });

  it("gives evidence over data of the caller's, as text or in base64", async () => {
    const text = (await (await get("/aa/evidence?runtime_data=hello")).json()) as Record<string, unknown>;
    const data = encodeURIComponent(toBase64(Uint8Array.of(1, 2, 255)));
    const binary = await (await get(`/aa/evidence?runtime_data=${data}&encoding=base64`)).json();
    expect(text).not.toEqual(binary);
    expect(Object.keys(text).length).toBeGreaterThan(0);
  });

  it("says who it is, and that there are no further devices", async () => {
    expect(await (await get("/info")).json()).toEqual({
      version: "0.1.0",
      tee: "sample",
      additional_tees: [],
    });
    expect(await (await get("/aa/additional-evidence?runtime_data=x")).json()).toEqual({});
  });

  it.each([
    ["GET", "/aa/token", 400],
    ["GET", "/aa/token?token_type=other", 400],
    ["GET", "/aa/evidence", 400],
    ["GET", `/aa/evidence?runtime_data=${"x".repeat(65)}`, 400],
    ["GET", "/aa/evidence?runtime_data=%%&encoding=base64", 400],
    ["GET", "/aa/evidence?runtime_data=eA==&encoding=hex", 400],
    ["GET", "/aa/additional-evidence", 400],
    ["GET", "/cdh/resource/a", 400],
    ["GET", "/cdh/resource/a/b/c/d", 400],
    ["GET", "/cdh/resource/default/hello/none", 404],
    ["GET", "/cdh/resource/", 404],
    ["GET", "/cdh", 404],
    ["GET", "/", 404],
    ["POST", "/cdh/resource/default/hello/secret", 405],
    ["DELETE", "/aa/token?token_type=kbs", 405],
    ["GET", "/aa/aael", 405],
    ["PUT", "/info", 405],
    ["POST", "/cdh/unseal", 400],
    ["POST", "/aa/aael", 400],
  ])("%s %s answers %i", async (method, path, status) => {
    const answer = await get(path, { method });
    const { code, detail } = (await answer.json()) as Record<string, unknown>;
    expect([answer.status, typeof code, typeof detail]).toEqual([status, "string", "string"]);
    if (status === 405) expect(answer.headers.get("allow")).toMatch(/GET|POST/);
  });

  it("says what policy refused, not 500", async () => {
    await services.admin.deleteReferenceValue("launch_digest");
    const client = createClient({ url: services.url, attester: options.attester });
    const { status, body } = await ask({ target: "/cdh/resource/default/hello/secret" }, { client });
    expect([status, codeIn(body)]).toEqual([403, "RELEASE_REFUSED"]);
    expect(toUtf8(body)).toContain("launch_digest");
    await services.admin.setReferenceValues({
      launch_digest: [
        await (await openSoftwareTee({ dir: softwareTeeFolder(services.dir) })).measure(thisProgram()),
      ],
    });
  });

  it("says that the services do not answer", async () => {
    const client = createClient({
      ...{ url: "http://127.0.0.1:1", attester: options.attester },
      wait: async () => undefined,
    });
    const { status, body } = await ask({ target: "/cdh/resource/default/hello/secret" }, { client });
    expect([status, codeIn(body)]).toEqual([503, "BROKER_UNREACHABLE"]);
  });

  it("shows nothing of what nobody foresaw", async () => {
    const client: Client = { ...options.client, getResource: () => Promise.reject(new Error("S3CRET")) };
    const { status, body } = await ask({ target: "/cdh/resource/a/b/c" }, { client });
    expect([status, toUtf8(body).includes("S3CRET")]).toEqual([500, false]);
  });

  it.each([undefined, "10.0.0.1", "::ffff:10.0.0.1", "fe80::1", "127.0.0.1.example"])(
    "refuses a peer at %s",
    async (remoteAddress) => expect((await ask({ remoteAddress })).status).toBe(403),
  );
  it.each(["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"])(
    "answers a peer at %s",
    async (remoteAddress) => expect((await ask({ remoteAddress })).status).toBe(200),
  );
  it.each(["", "evil.example", "127.0.0.1.evil.example:8006"])("refuses the host %j", async (host) =>
    expect((await ask({ host })).status).toBe(403),
  );

  it("serves the features it was told to", async () => {
    const token = "/aa/token?token_type=kbs";
    const resource = "/cdh/resource/default/hello/secret";
    expect((await ask({ target: token }, { features: "resource" })).status).toBe(404);
    expect((await ask({ target: resource }, { features: "resource" })).status).toBe(200);
    expect((await ask({ target: token }, { features: "attestation" })).status).toBe(200);
    expect((await ask({ target: resource }, { features: "attestation" })).status).toBe(404);
    expect((await ask({}, { features: "attestation" })).status).toBe(200);
  });

  it("answers anything", () =>
    fc.assert(
      fc.asyncProperty(
        fc.constantFrom("GET", "POST", "BREW"),
        fc.oneof(fc.string(), fc.webPath(), fc.constant("//")),
        fc.uint8Array(),
        async (method, target, body) => {
          const { status } = await ask({ method, target, body });
          expect(status).toBeGreaterThanOrEqual(200);
          expect(status).not.toBe(500);
        },
      ),
    ));

  it("takes no endless body", async () => {
    const status = await new Promise<number | undefined>((resolve) => {
      const sent = request(`${served.url}/cdh/unseal`, { method: "POST" }, ({ statusCode }) =>
        resolve(statusCode),
      );
      sent.on("error", () => undefined);
      sent.end(Buffer.alloc(3 * 1024 * 1024));
    });
    expect(status).toBe(413);
  });
});

describe("events of containers", () => {
  const event = { domain: "cri-o", operation: "PullImage", content: "docker.io/library/alpine" };
  const post = (body: unknown, more: Partial<AgentOptions> = {}) =>
    ask({ method: "POST", target: "/aa/aael", body: fromUtf8(JSON.stringify(body)) }, more);

  it("go into RTMR 3 and the log, in order", async () => {
    const log = join(folder, "aael.log");
    await writeFile(join(folder, "rtmr3:sha384"), "");
    const measurer = await createMeasurer("tdx", { log, registers: folder });
    const digests: string[] = [];
    for (const content of ["one", "two words"]) {
      expect((await post({ ...event, content }, { measurer })).status).toBe(200);
      digests.push((await readFile(join(folder, "rtmr3:sha384"))).toString("hex"));
    }
    const lines = ["cri-o PullImage one", "cri-o PullImage two words"];
    expect(await readFile(log, "utf8")).toBe([`INIT sha384/${"00".repeat(48)}`, ...lines, ""].join("\n"));
    expect(digests).toEqual(lines.map((line) => createHash("sha384").update(line).digest("hex")));
  });

  it.skipIf(!hasSwtpm)("go into a PCR of the TPM", async () => {
    const place = await mkdtemp(join(tmpdir(), "adyton-agent-tpm-"));
    const socket = join(place, "sock");
    execFileSync("swtpm", [
      ...["socket", "--tpm2", "--tpmstate", `dir=${place}`, "--flags", "not-need-init,startup-clear"],
      ...["--daemon", "--pid", `file=${join(place, "pid")}`],
      ...["--server", `type=unixio,path=${socket}`, "--ctrl", `type=unixio,path=${socket}.ctrl`],
    ]);
    try {
      const address = `swtpm:path=${socket}`;
      const measurer = await createMeasurer("tpm", { log: join(place, "log"), tpm: address });
      expect((await post(event, { measurer })).status).toBe(200);
      const tpm = await openTpm({ address });
      const [bank] = await readPcrs(tpm, [{ hash: "SHA-256", indices: [13] }]);
      await tpm.close();
      const digest = createHash("sha256").update("cri-o PullImage docker.io/library/alpine").digest();
      const expected = createHash("sha256").update(Buffer.alloc(32)).update(digest).digest();
      expect(Buffer.from(bank?.values.get(13) ?? []).equals(expected)).toBe(true);
    } finally {
      process.kill(Number(await readFile(join(place, "pid"), "utf8")));
      await rm(place, { recursive: true, force: true });
    }
  });

  it("are not logged when the register does not take them", async () => {
    const log = join(folder, "other.log");
    const measurer = await createMeasurer("tdx", { log, registers: join(folder, "none") });
    const { status, body } = await post(event, { measurer });
    expect([status, codeIn(body)]).toEqual([503, "FILE_NOT_WRITABLE"]);
    expect(await readFile(log, "utf8")).toBe(`INIT sha384/${"00".repeat(48)}\n`);
    expect(await codeOfAsync(() => createMeasurer("tpm", { log: join(folder, "no", "log") }))).toBe(
      "FILE_NOT_WRITABLE",
    );
  });

  it("are refused where nothing measures, and when they could be read as two", async () => {
    expect((await post(event)).status).toBe(501);
    for (const bad of [
      { ...event, content: "a\nb" },
      { ...event, domain: "a b" },
      { ...event, operation: 1 },
      1,
      {},
    ])
      expect((await post(bad)).status).toBe(400);
  });
});

describe("sealed secrets", () => {
  const b64 = (value: unknown) => toBase64Url(fromUtf8(JSON.stringify(value)));
  const seal = (
    payload: unknown,
    header: object = { alg: "ES256", kid: "kbs:///default/keys/sealer" },
  ): string => {
    const signed = `${b64(header)}.${b64(payload)}`;
    const signature = sign("sha256", Buffer.from(signed), {
      key: signer.privateKey,
      dsaEncoding: "ieee-p1363",
    });
    return `sealed.${signed}.${toBase64Url(signature)}`;
  };
  const vault = { version: "0.1.0", type: "vault", provider: "kbs", provider_settings: {}, annotations: {} };
  const VAULT = { ...vault, name: "kbs:///default/hello/secret" };
  const wrapped = (key: Uint8Array, iv: Uint8Array, data: Uint8Array): string => {
    const cipher = createCipheriv("aes-256-gcm", key, iv);
    return Buffer.concat([cipher.update(data), cipher.final(), cipher.getAuthTag()]).toString("base64");
  };
  const envelope = (type: "A256GCM" | "A256CTR") => {
    const [dek, outer] = [randomBytes(32), randomBytes(12)];
    const iv = randomBytes(type === "A256GCM" ? 12 : 16);
    const stream = createCipheriv("aes-256-ctr", dek, type === "A256CTR" ? iv : randomBytes(16));
    const data =
      type === "A256GCM"
        ? wrapped(dek, iv, SECRET)
        : Buffer.concat([stream.update(SECRET), stream.final()]).toString("base64");
    return {
      ...{ version: "0.1.0", type: "envelope", provider: "kbs", provider_settings: {}, wrap_type: type },
      ...{ key_id: "kbs:///default/keys/kek", encrypted_key: wrapped(KEK, outer, dek), encrypted_data: data },
      ...{ iv: toBase64(iv), annotations: { iv: toBase64(outer) } },
    };
  };
  const unseal = (sealed: string, keys?: string) =>
    unsealSecret(sealed, options.client, keys === undefined ? {} : { keys });

  it("name a secret", async () => {
    const answer = await get("/cdh/unseal", { method: "POST", body: `${seal(VAULT)}\n` });
    expect(new Uint8Array(await answer.arrayBuffer())).toEqual(SECRET);
  });

  it.each(["A256GCM", "A256CTR"] as const)("hold one, wrapped with %s", async (type) => {
    expect(await unseal(seal(envelope(type)))).toEqual(SECRET);
  });

  it("may be signed with a key that lies here", async () => {
    await writeFile(join(folder, "local"), publicJwk);
    const sealed = seal(VAULT, { alg: "ES256", kid: "local" });
    expect(await unseal(sealed, folder)).toEqual(SECRET);
    expect(await codeOfAsync(() => unseal(sealed))).toBe("SEALED_SECRET_INVALID");
  });

  it("are refused when a letter changes", async () => {
    const sealed = seal(VAULT);
    for (let at = 0; at < sealed.length; at += 17) {
      const changed = `${sealed.slice(0, at)}${sealed[at] === "x" ? "y" : "x"}${sealed.slice(at + 1)}`;
      expect(["SEALED_SECRET_INVALID", "RESOURCE_MISSING", "INVALID_RESOURCE_PATH"]).toContain(
        await codeOfAsync(() => unseal(changed)),
      );
    }
  });

  it.each([
    ["", "nothing"],
    ["sealed.", "no JWS"],
    ["sealed.fakejwsheader.e30.fakesignature", "no header"],
    [seal(VAULT, { alg: "none", kid: "kbs:///default/keys/sealer" }), "no algorithm"],
    [seal(VAULT, { alg: "ES256" }), "no key"],
    [seal(VAULT, { alg: "ES256", kid: "../../state/admin.token" }), "a path out of the folder"],
    [seal(VAULT, { alg: "ES256", kid: "kbs:///default/hello/secret" }), "a key that is none"],
    [seal(VAULT, { alg: "ES256", kid: "kbs:///default/keys/sealer", crit: ["b64"] }), "critical parameters"],
    [seal([]), "no object"],
    [seal({ ...VAULT, version: "9" }), "another version"],
    [seal({ ...VAULT, provider: "aliyun" }), "another provider"],
    [seal({ ...VAULT, type: "box" }), "another type"],
    [seal(vault), "no name"],
    [seal({ ...envelope("A256GCM"), iv: "AAAA" }), "another IV"],
    [seal({ ...envelope("A256GCM"), iv: "!" }), "no base64"],
    [seal({ ...envelope("A256GCM"), wrap_type: "ROT13" }), "an unknown wrap"],
    [seal({ ...envelope("A256GCM"), key_id: "kbs:///default/hello/secret" }), "a key of another size"],
    ["x".repeat(2_000_000), "too long"],
  ])("%# %s", async (sealed) => {
    expect(await codeOfAsync(() => unseal(sealed, folder))).toBe("SEALED_SECRET_INVALID");
  });
});

describe("adyton agent", () => {
  it("serves until it is stopped, with the TEE that attest would take", async () => {
    let stop = (): void => undefined;
    const interruption = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const io = createBufferIo({ interruption, cwd: folder, env: { ADYTON_DIR: services.dir } });
    const up = new Promise<void>((resolve) => {
      const write = io.stdout.write.bind(io.stdout);
      io.stdout.write = (chunk) => {
        write(chunk);
        resolve();
      };
    });
    const ended = run(["agent", "--port", "0", "--tee", "sample", "--json"], io);
    await Promise.race([up, ended]);
    const { url, tee, services: where } = JSON.parse(io.output().stdout) as Record<string, string>;
    expect([tee, where]).toEqual(["sample", services.url]);
    expect(
      new Uint8Array(await (await fetch(`${url}/cdh/resource/default/hello/secret`)).arrayBuffer()),
    ).toEqual(SECRET);
    stop();
    expect(await ended).toBe(0);
  });

  it("exits 6 when the port is taken", async () => {
    const io = createBufferIo({ cwd: folder, env: { ADYTON_DIR: services.dir } });
    const { port } = new URL(served.url);
    expect(await run(["agent", "--port", port, "--tee", "sample", "--json"], io)).toBe(6);
    expect(io.output().stdout).toContain("LISTEN_FAILED");
  });
});
