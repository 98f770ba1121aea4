// SPDX-License-Identifier: Apache-2.0
// The audit log's client against a log that is played: honest, set back, forked, changed. Against the real broker:
// packages/broker.

import { fromHex, fromUtf8, toBase64, toBase64Url, toHex, toUtf8 } from "@adyton/core/bytes";
import { canonicalJson, type JsonObject } from "@adyton/core/json";
import { checkLogProof, encodeLogProof, parseLogProof } from "@adyton/core/log-proof";
import {
  appendLeaves,
  consistencyProof,
  EMPTY_FRONTIER,
  inclusionProof,
  leafHash,
  rootOf,
} from "@adyton/core/merkle";
import {
  encodeCheckpoint,
  encodeNoteKey,
  type NoteKey,
  type NoteSigner,
  noteKey,
  signNote,
} from "@adyton/core/note";
import { syncCrypto } from "@adyton/core/sync-crypto";
import { codeOfAsync } from "@adyton/testing";
import { calculateJwkThumbprint, type JWK } from "jose";
import { beforeEach, describe, expect, it } from "vitest";
import { type AuditLog, createAuditLog, fetchLogKey } from "./audit.ts";
import { checkReleaseProof } from "./release-proof.ts";
import { newTeeKeyPair } from "./tee-key.ts";

const signer = signerOf(1);
const WITNESS = encodeNoteKey(noteKey("witness.example", "witness", new Uint8Array(32).fill(3)));

/** A log that answers as brokers do. */
class PlayedLog {
  readonly sent: string[] = [];
  leaves: string[] = [];
  /** Members of these entries that others' auditors may not read. */
  hidden: readonly number[] = [];
  signer: NoteSigner = signer;
  /** Answers to give instead, by the start of the path. */
  readonly scripted: Record<string, () => Response> = {};

  append(...events: JsonObject[]): void {
    for (const event of events) {
      const seq = this.leaves.length + 1;
      this.leaves.push(canonicalJson({ seq, time: "2026-03-01T12:00:00.000Z", event, salt: "x" }));
    }
  }

  client(logKey: NoteKey = signer.key): AuditLog {
    return createAuditLog({ ...this.options, logKey, token: "t0ken" });
  }

  readonly options = {
    url: "http://127.0.0.1:8080",
    fetch: async (url: string, init: RequestInit): Promise<Response> => {
      const { pathname, search } = new URL(url);
      const path = (pathname + search).replace("/v1/audit/", "");
      this.sent.push(`${init.method} ${path} ${typeof init.body === "string" ? init.body : ""}`.trim());
      const scripted = Object.entries(this.scripted).find(([start]) => path.startsWith(start));
      return scripted?.[1]() ?? (await this.#answer(path, new URL(url).searchParams));
    },
  };

  async #answer(path: string, query: URLSearchParams): Promise<Response> {
    const number = (name: string): number => Number(query.get(name) ?? this.leaves.length);
    const [what] = path.split("?");
    switch (what) {
      case "key":
        return new Response(encodeNoteKey(this.signer.key));
      case "checkpoint":
        return this.leaves.length === 0 ? this.#empty() : new Response(this.note());
      case "entries":
        return Response.json({
          entries: this.#entries().slice(number("after"), number("after") + number("limit")),
        });
      case "proof/inclusion":
        return this.#proof(await inclusionProof(number("seq") - 1, number("size"), this.#read));
      case "proof/consistency":
        return this.#proof(await consistencyProof(number("from"), number("to"), this.#read));
      case "witnesses":
        return Response.json({ witnesses: [{ key: WITNESS, checkpoint: null }] });
      default:
        return Response.json({});
    }
  }

  note(): string {
    const { frontier } = this.#tree();
    const { name: origin } = this.signer.key;
    const text = encodeCheckpoint({ origin, size: frontier.size, root: rootOf(frontier), extensions: [] });
    return signNote(text, this.signer);
  }

  #entries(): JsonObject[] {
    return this.leaves.map((leaf, n) =>
      this.hidden.includes(n + 1)
        ? { seq: n + 1, hash: toHex(leafHash(fromUtf8(leaf))) }
        : { seq: n + 1, leaf },
    );
  }

  #proof(hashes: readonly Uint8Array[]): Response {
    return Response.json({ hashes: hashes.map(toBase64), checkpoint: this.note() });
  }

  #empty(): Response {
    const headers = { "adyton-error": "LOG_EMPTY; category=misuse" };
    return Response.json({ detail: "empty" }, { status: 404, headers });
  }

  #tree() {
    return appendLeaves(
      EMPTY_FRONTIER,
      this.leaves.map((leaf) => leafHash(fromUtf8(leaf))),
    );
  }

  readonly #read = (ids: readonly { level: number; index: number }[]): Uint8Array[] => {
    const { nodes } = this.#tree();
    return ids.map(
      ({ level, index }) =>
        nodes.find((node) => node.level === level && node.index === index)?.hash ?? new Uint8Array(32),
    );
  };
}

let played: PlayedLog;

beforeEach(() => {
  played = new PlayedLog();
  played.append({ type: "a" }, { type: "b" }, { type: "c" });
});

describe("the audit log's client", () => {
  it("reads, proves and verifies an honest log, other tenants' entries too", async () => {
    const log = played.client();
    played.hidden = [2];
    const entries = await log.entries(0, 10);
    expect(entries.map(({ seq, event }) => [seq, event?.type])).toEqual([
      [1, "a"],
      [2, undefined],
      [3, "c"],
    ]);
    const noted = await log.verify();
    expect(noted?.size).toBe(3);
    played.append({ type: "d" }, { type: "e" });
    expect((await log.verify(noted))?.size).toBe(5);
    expect((await log.follow(noted))?.size).toBe(5);
    const file = await log.prove(4);
    expect(toUtf8(checkLogProof(parseLogProof(file), signer.key).entry)).toBe(played.leaves[3]);
    const older = parseLogProof(await log.prove(1, noted?.note));
    expect(checkLogProof(older, signer.key).checkpoint.size).toBe(3);
    expect(await codeOfAsync(() => log.prove(1, "x"))).toBe("LOG_TAMPERED");
    expect(await codeOfAsync(() => log.prove(2))).toBe("RESOURCE_MISSING");
    expect(await codeOfAsync(() => log.prove(9))).toBe("RESOURCE_MISSING");
  });

  it("knows an empty log", async () => {
    played.leaves = [];
    expect(await played.client().checkpoint()).toBeUndefined();
    expect(await played.client().verify()).toBeUndefined();
  });

  it("asks for the key that the broker names", async () => {
    expect(await fetchLogKey(played.options)).toEqual(signer.key);
    played.scripted.key = () => new Response("no key");
    expect(await codeOfAsync(() => fetchLogKey(played.options))).toBe("INVALID_ANSWER");
  });

  it("lists, adds and removes witnesses, and hands on what they signed", async () => {
    const log = played.client();
    expect((await log.witnesses())[0]?.key.name).toBe("witness.example");
    await log.addWitness(WITNESS);
    await log.removeWitness("witness.example/a b");
    await log.submit("note");
    expect(played.sent.slice(1)).toEqual([
      `POST witnesses ${WITNESS}`,
      "DELETE witnesses/witness.example%2Fa%20b",
      "POST witness note",
    ]);
  });

  it.each<[what: string, change: (log: PlayedLog) => void]>([
    ["set back", (log) => log.leaves.pop()],
    ["emptied", (log) => log.leaves.splice(0)],
    ["changed", (log) => log.leaves.splice(1, 1, "changed")],
    ["changed and grown", (log) => log.leaves.splice(1, 1, "changed", "more", "and more")],
    [
      "signed by another key",
      (log) => {
        log.signer = signerOf(2);
      },
    ],
  ])("alarms when the log was %s", async (_what, change) => {
    const log = played.client();
    const noted = await log.follow(undefined);
    change(played);
    expect(await codeOfAsync(() => log.follow(noted))).toBe("LOG_TAMPERED");
    expect(await codeOfAsync(() => log.verify(noted))).toBe("LOG_TAMPERED");
  });

  it.each<[what: string, entries: (honest: readonly JsonObject[]) => unknown, code: string]>([
    ["none", () => [], "LOG_TAMPERED"],
    ["others", (all) => [...all.slice(0, 2), { seq: 3, hash: "00".repeat(32) }], "LOG_TAMPERED"],
    ["a gap", (all) => [all[0], all[2]], "LOG_TAMPERED"],
    ["no list", () => "x", "INVALID_ANSWER"],
    ["no numbers", () => [{}], "INVALID_ANSWER"],
    ["no hashes", () => [{ seq: 1, hash: "xx" }], "INVALID_ANSWER"],
    ["no JSON", () => [{ seq: 1, leaf: "{" }], "INVALID_ANSWER"],
    ["another number inside", () => [{ seq: 1, leaf: `{"seq":2,"time":"","event":{}}` }], "INVALID_ANSWER"],
  ])("does not verify a log whose entries are %s", async (_what, entries, code) => {
    const honest = played.leaves.map((leaf, n) => ({ seq: n + 1, leaf }));
    played.scripted.entries = () => Response.json({ entries: entries(honest) });
    expect(await codeOfAsync(() => played.client().verify())).toBe(code);
  });

  it.each<[path: string, answer: JsonObject, code: string]>([
    ["proof/inclusion", { hashes: [], checkpoint: null }, "INVALID_ANSWER"],
    ["proof/inclusion", { hashes: "x", checkpoint: "x" }, "INVALID_ANSWER"],
    ["proof/inclusion", { hashes: ["#"], checkpoint: "x" }, "INVALID_ANSWER"],
    ["proof/inclusion", { hashes: [], checkpoint: "x" }, "LOG_TAMPERED"],
  ])("gives out no proof when %s answers %j", async (path, answer, code) => {
    played.scripted[path] = () => Response.json(answer);
    expect(await codeOfAsync(() => played.client().prove(1))).toBe(code);
  });

  it.each([{ witnesses: 1 }, { witnesses: [1] }, { witnesses: [{ key: "x" }] }])(
    "does not read witnesses in %j",
    async (answer) => {
      played.scripted.witnesses = () => Response.json(answer);
      expect(await codeOfAsync(() => played.client().witnesses())).toBe("INVALID_ANSWER");
    },
  );
});

describe("the proof of a release", () => {
  const NAME = "default/a/b";
  const pair = newTeeKeyPair();
  const proofOf = async (changes: JsonObject = {}): Promise<string> => {
    const key = await calculateJwkThumbprint((await pair).publicJwk as JWK);
    const log = new PlayedLog();
    log.append({ type: "resource.release", decision: "allow", resource: NAME, key, ...changes });
    const entry = fromUtf8(log.leaves[0] ?? "");
    return toBase64Url(fromUtf8(encodeLogProof({ entry, index: 0, hashes: [], checkpoint: log.note() })));
  };
  const check = async (header: string | null, key: NoteKey = signer.key) =>
    checkReleaseProof(header, NAME, await pair, key);

  it("is given out as a file", async () => {
    expect(await check(await proofOf())).toMatch(/^c2sp.org\/tlog-proof@v1\n/);
  });

  it.each<[what: string, changes: JsonObject]>([
    ["a refusal", { decision: "deny" }],
    ["another kind of event", { type: "resource.put" }],
    ["another secret", { resource: "default/a/c" }],
    ["another key", { key: "x" }],
  ])("is none when it is of %s", async (_what, changes) => {
    expect(await codeOfAsync(async () => check(await proofOf(changes)))).toBe("PROOF_REFUSED");
  });

  it("is none when it is missing, malformed or of another log", async () => {
    expect(await codeOfAsync(() => check(null))).toBe("PROOF_REFUSED");
    expect(await codeOfAsync(() => check("#"))).toBe("PROOF_REFUSED");
    expect(await codeOfAsync(() => check(toBase64Url(fromUtf8("hello"))))).toBe("PROOF_REFUSED");
    expect(await codeOfAsync(async () => check(await proofOf(), signerOf(2).key))).toBe("PROOF_REFUSED");
  });
});

function signerOf(seed: number): NoteSigner {
  const pkcs8 = fromHex(`302e020100300506032b657004220420${seed.toString(16).padStart(2, "0").repeat(32)}`);
  const key = syncCrypto.importPrivateKey(pkcs8);
  return {
    key: noteKey("example.com/log", "log", key.publicKey.spki.slice(-32)),
    sign: (data) => key.sign({ name: "Ed25519" }, data),
  };
}
