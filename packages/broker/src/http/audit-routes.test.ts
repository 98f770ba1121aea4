// SPDX-License-Identifier: Apache-2.0
import { fromBase64, fromBase64Url, fromHex, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { checkLogProof, parseLogProof } from "@adyton/core/log-proof";
import { checkConsistency, checkInclusion, leafHash } from "@adyton/core/merkle";
import {
  cosignatureOf,
  encodeCheckpoint,
  encodeNoteKey,
  type NoteSigner,
  noteKey,
  openCheckpoint,
  parseNoteKey,
  signNote,
} from "@adyton/core/note";
import { syncCrypto } from "@adyton/core/sync-crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createHarness, GOOD_VALUES, type Harness, jsonOf, refusalOf, secretOf } from "../../test/harness.ts";

const NAME = "audit/test/secret";
const WITNESS = witnessOf("witness.example/one", 7);
const OTHER = witnessOf("witness.example/two", 8);

let harness: Harness;

beforeEach(async () => {
  harness = await createHarness();
  await harness.setReferenceValues(GOOD_VALUES);
  await harness.admin("POST", `/kbs/v0/resource/${NAME}`, "open sesame");
});

afterEach(() => harness.close());

const get = async (path: string): Promise<JsonObject> =>
  jsonOf(await harness.call("GET", `/v1/audit/${path}`));
const textAt = async (path: string): Promise<string> =>
  (await harness.call("GET", `/v1/audit/${path}`)).text();
const codeAt = async (path: string): Promise<string> =>
  (await refusalOf(await harness.call("GET", `/v1/audit/${path}`))).code;
const logKey = () => harness.state.logKey;
const checkpoint = async () => openCheckpoint(await textAt("checkpoint"), logKey());

/** A release, asked for with the proof that it was logged. */
async function released(): Promise<Response> {
  const { token } = await harness.attested();
  return harness.call("GET", `/kbs/v0/resource/${NAME}`, {
    headers: { authorization: `Bearer ${token}`, "adyton-log-proof": "1" },
  });
}

describe("the audit log over HTTP", () => {
  it("shows its key and a checkpoint that the key signed", async () => {
    expect(parseNoteKey(await textAt("key"))).toEqual(logKey());
    expect((await checkpoint()).size).toBe(2);
  });

  it("proves every entry, and its growth", async () => {
    const before = await checkpoint();
    await harness.admin("POST", `/kbs/v0/resource/${NAME}`, "another");
    const after = await checkpoint();
    const { entries } = await jsonOf(await harness.admin("GET", "/v1/audit/entries"));
    for (const { seq, leaf } of entries as { seq: number; leaf: string }[]) {
      for (const size of [undefined, after.size]) {
        const answer = await get(`proof/inclusion?seq=${seq}${size === undefined ? "" : `&size=${size}`}`);
        expect(answer).toMatchObject({ seq, size: after.size, checkpoint: after.note });
        checkInclusion({
          leaf: leafHash(fromUtf8(leaf)),
          index: seq - 1,
          size: after.size,
          root: after.root,
          proof: (answer.hashes as string[]).map(fromBase64),
        });
      }
    }
    const grown = await get(`proof/consistency?from=${before.size}`);
    checkConsistency({ from: before, to: after, proof: (grown.hashes as string[]).map(fromBase64) });
    const older = await get(`proof/consistency?from=1&to=${before.size}`);
    expect(older).toMatchObject({ from: 1, size: before.size, checkpoint: null });
  });

  it("gives its entries to auditors only, by pages", async () => {
    expect((await refusalOf(await harness.call("GET", "/v1/audit/entries"))).code).toBe("ADMIN_REFUSED");
    const page = async (query: string) =>
      ((await jsonOf(await harness.admin("GET", `/v1/audit/entries?${query}`))).entries as JsonObject[]).map(
        ({ seq }) => seq,
      );
    expect(await page("limit=1")).toEqual([1]);
    expect(await page("after=1&limit=1")).toEqual([2]);
    expect(await page("after=9")).toEqual([]);
    for (const query of ["limit=0", "limit=1001", "limit=x", "after=-1", "after=1&after=1", "who=1"])
      expect((await refusalOf(await harness.admin("GET", `/v1/audit/entries?${query}`))).code).toBe(
        "INVALID_REQUEST",
      );
  });

  it.each([
    ["proof/inclusion", "INVALID_REQUEST"],
    ["proof/inclusion?seq=0", "LOG_RANGE"],
    ["proof/inclusion?seq=3", "LOG_RANGE"],
    ["proof/inclusion?seq=1&size=3", "LOG_RANGE"],
    ["proof/inclusion?seq=1&size=0", "LOG_RANGE"],
    ["proof/inclusion?seq=1.5", "INVALID_REQUEST"],
    ["proof/consistency", "INVALID_REQUEST"],
    ["proof/consistency?from=3", "LOG_RANGE"],
    ["proof/consistency?from=2&to=1", "LOG_RANGE"],
    ["nothing", "INVALID_PATH"],
  ])("refuses %s with %s", async (path, code) => {
    expect(await codeAt(path)).toBe(code);
  });

  it("has no checkpoint while it is empty", async () => {
    const empty = await createHarness();
    const answer = await empty.call("GET", "/v1/audit/checkpoint");
    expect((await refusalOf(answer)).code).toBe("LOG_EMPTY");
    expect(answer.status).toBe(404);
    await empty.close();
  });
});

describe("a release", () => {
  it("comes with the proof that it stands in the log", async () => {
    const answer = await released();
    const seq = Number(answer.headers.get("adyton-log-entry"));
    const proof = parseLogProof(toUtf8(fromBase64Url(answer.headers.get("adyton-log-proof") ?? "")));
    expect(await secretOf(answer)).toBe("open sesame");
    const { entry, index, checkpoint } = checkLogProof(proof, logKey());
    expect(index).toBe(seq - 1);
    expect(checkpoint.size).toBe(seq);
    const { event } = JSON.parse(toUtf8(entry)) as { event: JsonObject };
    expect(event).toMatchObject({ type: "resource.release", resource: NAME, decision: "allow" });
    expect(toUtf8(entry)).not.toContain("open sesame");
  });

  it("tells its entry's number alone when nothing more is asked for", async () => {
    const { token } = await harness.attested();
    const answer = await harness.call("GET", `/kbs/v0/resource/${NAME}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.headers.get("adyton-log-entry")).toMatch(/^\d+$/);
    expect(answer.headers.get("adyton-log-proof")).toBeNull();
  });
});

describe("a witness", () => {
  const add = (key: string) => harness.admin("POST", "/v1/audit/witnesses", key);
  const send = (note: string) => harness.call("POST", "/v1/audit/witness", { body: note });
  const cosigned = async (witness: NoteSigner): Promise<string> => {
    const note = await textAt("checkpoint");
    return note + cosignatureOf(note, witness, harness.clock.now());
  };
  const shown = async () =>
    (await get("witnesses")).witnesses as { key: string; checkpoint: string | null }[];

  beforeEach(async () => {
    expect((await add(encodeNoteKey(WITNESS.key))).status).toBe(200);
  });

  it("is shown with what it cosigned last", async () => {
    expect(await shown()).toEqual([{ key: encodeNoteKey(WITNESS.key), checkpoint: null }]);
    const note = await cosigned(WITNESS);
    expect((await send(note + cosignatureOf(note, OTHER, harness.clock.now()))).status).toBe(200);
    // What strangers add to a note is not kept.
    expect(await shown()).toEqual([{ key: encodeNoteKey(WITNESS.key), checkpoint: note }]);
    await harness.admin("POST", `/kbs/v0/resource/${NAME}`, "more");
    const newer = await cosigned(WITNESS);
    expect((await send(newer)).status).toBe(200);
    expect((await send(note)).status).toBe(200);
    expect((await shown())[0]?.checkpoint).toBe(newer);
  });

  it("is added and removed by administrators only, which is logged", async () => {
    const body = encodeNoteKey(OTHER.key);
    expect((await refusalOf(await harness.call("POST", "/v1/audit/witnesses", { body }))).code).toBe(
      "ADMIN_REFUSED",
    );
    const path = `/v1/audit/witnesses/${encodeURIComponent(WITNESS.key.name)}`;
    expect((await refusalOf(await harness.call("DELETE", path))).code).toBe("ADMIN_REFUSED");
    expect((await harness.admin("DELETE", path)).status).toBe(200);
    expect((await refusalOf(await harness.admin("DELETE", path))).code).toBe("WITNESS_UNKNOWN");
    expect((await refusalOf(await harness.admin("DELETE", "/v1/audit/witnesses/%zz"))).code).toBe(
      "INVALID_REQUEST",
    );
    expect(await shown()).toEqual([]);
    const { entries } = await jsonOf(await harness.admin("GET", "/v1/audit/entries"));
    const types = (entries as { leaf: string }[]).map(
      ({ leaf }) => (JSON.parse(leaf) as { event: JsonObject }).event.type,
    );
    expect(types).toEqual(expect.arrayContaining(["audit.witness.add", "audit.witness.remove"]));
  });

  it.each([
    ["nothing", "", "INVALID_NOTE"],
    ["the key of a log", () => encodeNoteKey(logKey()), "INVALID_REQUEST"],
  ])("is not added with %s", async (_what, key, code) => {
    expect((await refusalOf(await add(typeof key === "string" ? key : key()))).code).toBe(code);
  });

  it("is one of so many", async () => {
    const rows = Array.from({ length: 63 }, (_, n) => ({
      kind: "put" as const,
      space: "witness",
      key: `w${n}`,
      value: new Uint8Array(1),
    }));
    await harness.state.store.write(rows);
    expect((await refusalOf(await add(encodeNoteKey(OTHER.key)))).code).toBe("QUOTA_EXCEEDED");
    expect((await add(encodeNoteKey(WITNESS.key))).status).toBe(200);
  });

  it("that is removed while its note comes in leaves none", async () => {
    const note = await cosigned(WITNESS);
    const { store } = harness.state;
    const nodes = store.logNodes.bind(store);
    store.logNodes = async (places) => {
      store.logNodes = nodes;
      const path = `/v1/audit/witnesses/${encodeURIComponent(WITNESS.key.name)}`;
      expect((await harness.admin("DELETE", path)).status).toBe(200);
      return nodes(places);
    };
    expect((await refusalOf(await send(note))).code).toBe("STORE_CONFLICT");
    expect(await store.keys("witnessed")).toEqual([]);
  });

  it("whom nobody added is not heard", async () => {
    expect((await refusalOf(await send(await cosigned(OTHER)))).code).toBe("WITNESS_UNKNOWN");
    expect((await refusalOf(await send("hello"))).code).toBe("INVALID_NOTE");
    const forged = (await cosigned(OTHER)).replace(/— witness.*\n/, (line) =>
      line.replace(OTHER.key.name, WITNESS.key.name),
    );
    expect((await refusalOf(await send(forged))).code).toBe("WITNESS_UNKNOWN");
  });

  it("that has seen another log under the key of this one is told, and the log says so", async () => {
    const { logSignerOf } = await import("../audit/log-key.ts");
    const { readSharedSecret, LOG_KEY } = await import("../shared-keys.ts");
    const { store, vault } = harness.state;
    const signer = logSignerOf((await readSharedSecret(store, vault, LOG_KEY))?.text ?? "");
    const { size } = await checkpoint();
    for (const seen of [size, size + 1]) {
      const text = encodeCheckpoint({
        origin: signer.key.name,
        size: seen,
        root: new Uint8Array(32),
        extensions: [],
      });
      const note = signNote(text, signer);
      const answer = await send(note + cosignatureOf(note, WITNESS, harness.clock.now()));
      expect((await refusalOf(answer)).code).toBe("AUDIT_TAMPERED");
      expect(harness.logged.at(-1)).toMatchObject({ level: "error", facts: { code: "AUDIT_TAMPERED" } });
    }
  });
});

function witnessOf(name: string, seed: number): NoteSigner {
  const pkcs8 = fromHex(`302e020100300506032b657004220420${seed.toString(16).padStart(2, "0").repeat(32)}`);
  const key = syncCrypto.importPrivateKey(pkcs8);
  return {
    key: noteKey(name, "witness", key.publicKey.spki.slice(-32)),
    sign: (data) => key.sign({ name: "Ed25519" }, data),
  };
}
