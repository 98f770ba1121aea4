// SPDX-License-Identifier: Apache-2.0
import { codeOf } from "@adyton/testing";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { concat, fromHex, fromUtf8, toBase64 } from "./bytes.ts";
import { checkLogProof, encodeLogProof, type LogProof, parseLogProof } from "./log-proof.ts";
import { appendLeaves, EMPTY_FRONTIER, inclusionProof, leafHash, rootOf } from "./merkle.ts";
import {
  cosignatureOf,
  encodeCheckpoint,
  encodeNoteKey,
  type NoteRole,
  type NoteSigner,
  noteKey,
  openCheckpoint,
  openNote,
  parseCheckpoint,
  parseNoteKey,
  signNote,
} from "./note.ts";
import { syncCrypto } from "./sync-crypto.ts";

const PKCS8 = "302e020100300506032b657004220420";

function signerOf(name: string, role: NoteRole, seed: number): NoteSigner {
  const key = syncCrypto.importPrivateKey(concat(fromHex(PKCS8), new Uint8Array(32).fill(seed)));
  return {
    key: noteKey(name, role, key.publicKey.spki.slice(-32)),
    sign: (data) => key.sign({ name: "Ed25519" }, data),
  };
}

const log = signerOf("example.com/log", "log", 1);
const witness = signerOf("witness.example", "witness", 2);
const other = signerOf("example.com/log", "log", 3);
const TIME = new Date("2026-03-01T12:00:00Z");
const ENTRIES = ["one", "two", "three"].map(fromUtf8);
const { frontier, nodes } = appendLeaves(EMPTY_FRONTIER, ENTRIES.map(leafHash));
const TEXT = encodeCheckpoint({
  origin: log.key.name,
  size: 3,
  root: rootOf(frontier),
  extensions: ["time 2026"],
});
const NOTE = signNote(TEXT, log);
const COSIGNED = NOTE + cosignatureOf(NOTE, witness, TIME);

describe("a signed note", () => {
  // The example in the documentation of Go's package golang.org/x/mod/sumdb/note.
  const KNOWN_KEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
  const KNOWN =
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n" +
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

  it("of Go's library opens", () => {
    const key = parseNoteKey(KNOWN_KEY);
    expect(encodeNoteKey(key)).toBe(KNOWN_KEY);
    expect(openNote(KNOWN, [key]).text).toMatch(/problem is\.\n$/);
  });

  it("opens with its own keys, each once", () => {
    const { signatures } = openNote(COSIGNED + COSIGNED.split("\n\n")[1], [log.key, witness.key]);
    expect(signatures).toEqual([{ key: log.key }, { key: witness.key, time: TIME }]);
  });

  it("keys survive their text form", () => {
    for (const { key } of [log, witness]) expect(parseNoteKey(encodeNoteKey(key))).toEqual(key);
  });

  it.each([
    ["nothing", ""],
    ["no id", "name+AAAA"],
    ["a wrong id", encodeNoteKey(log.key).replace(/\+.{8}\+/, "+00000000+")],
    ["another name", encodeNoteKey(log.key).replace("example", "exbmple")],
    ["an unknown algorithm", `n+00000000+${toBase64(new Uint8Array(33).fill(9))}`],
    ["a short key", `n+00000000+${toBase64(new Uint8Array(32).fill(1))}`],
    ["no base64", "n+00000000+####"],
  ])("key of %s is not read", (_what, text) => {
    expect(codeOf(() => parseNoteKey(text))).toBe("INVALID_NOTE");
  });

  it.each([
    ["", new Uint8Array(32)],
    ["a b", new Uint8Array(32)],
    ["a+b", new Uint8Array(32)],
    ["\ud800", new Uint8Array(32)],
    ["n", new Uint8Array(31)],
  ])("key named %j of so many bytes is not made", (name, bytes) => {
    expect(codeOf(() => noteKey(name, "log", bytes))).toBe("INVALID_NOTE");
  });

  it.each([
    ["another key of the same name", NOTE, [other.key]],
    ["a changed text", NOTE.replace("2026", "2027"), [log.key]],
    [
      "a changed time",
      COSIGNED.replace(/\n— witness.*\n/, `\n${cosignatureOf(NOTE, witness, new Date(0))}`).replace(
        "time 2026",
        "time 2025",
      ),
      [witness.key],
    ],
    ["a signature cut short", NOTE.replace(/(— \S+ ).*\n$/, "$1AAAAAAAA\n"), [log.key]],
    [
      "a cosignature cut short",
      signNote(TEXT, { ...witness, sign: () => new Uint8Array(64) }),
      [witness.key],
    ],
    ["no key at all", NOTE, []],
  ])("does not open with %s", (_what, note, keys) => {
    expect(codeOf(() => openNote(note, keys))).toBe("NOTE_SIGNATURE");
  });

  it.each([
    ["nothing", ""],
    ["no signature", TEXT],
    ["no text", "\n\n— a AAAAAAAA\n"],
    ["no last line break", NOTE.slice(0, -1)],
    ["a control character", signature("a\tb\n")],
    ["a carriage return", signature("a\r\n")],
    ["a line that is no signature", `${NOTE}hello\n`],
    ["a signature of no base64", `${TEXT}\n— a ####\n`],
    ["a signature of an id alone", `${TEXT}\n— a AAAA\n`],
    ["too many signatures", `${TEXT}\n${"— a AAAAAAAA\n".repeat(65)}`],
    ["too much text", `${"x".repeat(70_000)}\n\n— a AAAAAAAA\n`],
  ])("of %s is not read", (_what, note) => {
    expect(codeOf(() => openNote(note, [log.key]))).toBe("INVALID_NOTE");
  });

  it("opens or is refused with a code, whatever is changed in it", () => {
    fc.assert(
      fc.property(fc.nat({ max: COSIGNED.length - 1 }), fc.string({ maxLength: 3 }), (at, insert) => {
        const changed = COSIGNED.slice(0, at) + insert + COSIGNED.slice(at + 1);
        const code = codeOf(() => openCheckpoint(changed, log.key, [witness.key]));
        if (code !== "nothing") expect(["INVALID_NOTE", "NOTE_SIGNATURE"]).toContain(code);
        else expect(openNote(changed, [log.key]).text).toBe(TEXT);
      }),
    );
  });

  function signature(text: string): string {
    return `${text}\n— a AAAAAAAA\n`;
  }
});

describe("a checkpoint", () => {
  it("tells size, root and who has seen it", () => {
    expect(openCheckpoint(COSIGNED, log.key, [witness.key])).toMatchObject({
      origin: "example.com/log",
      size: 3,
      root: rootOf(frontier),
      extensions: ["time 2026"],
      witnesses: [{ key: witness.key, time: TIME }],
    });
  });

  it("is not one that only a witness has signed, nor one of another log", () => {
    const alone = `${TEXT}\n${cosignatureOf(NOTE, witness, TIME)}`;
    expect(codeOf(() => openCheckpoint(alone, log.key, [witness.key]))).toBe("NOTE_SIGNATURE");
    const foreign = signNote(TEXT.replace("example", "exbmple"), log);
    expect(codeOf(() => openCheckpoint(foreign, log.key))).toBe("NOTE_SIGNATURE");
  });

  it.each([
    ["no size", "a\n\nb\n"],
    ["a size with a sign", TEXT.replace("\n3\n", "\n+3\n")],
    ["a size with a zero in front", TEXT.replace("\n3\n", "\n03\n")],
    ["a size beyond all logs", TEXT.replace("\n3\n", `\n${"9".repeat(16)}\n`)],
    ["no root", "a\n3\n"],
    ["a short root", "a\n3\nAAAA\n"],
    ["an empty line", `${TEXT}\n\n`],
    ["no origin", TEXT.replace("example.com/log", "")],
  ])("with %s is not read", (_what, text) => {
    expect(codeOf(() => parseCheckpoint(text))).toBe("INVALID_NOTE");
  });
});

describe("a log proof", () => {
  let proof: LogProof;
  let text: string;

  beforeAll(async () => {
    const hashes = await inclusionProof(1, 3, (ids) =>
      ids.map(
        ({ level, index }) =>
          nodes.find((node) => node.level === level && node.index === index)?.hash ?? new Uint8Array(0),
      ),
    );
    proof = { entry: fromUtf8("two"), index: 1, hashes, checkpoint: COSIGNED };
    text = encodeLogProof(proof);
  });

  it("proves its entry after a way through a file", () => {
    const proven = checkLogProof(parseLogProof(text), log.key, [witness.key]);
    expect(proven).toMatchObject({ entry: fromUtf8("two"), index: 1 });
    expect(proven.checkpoint.witnesses).toHaveLength(1);
  });

  it("does not prove another entry, another place or for another log", () => {
    const wrong: LogProof[] = [
      { ...proof, entry: fromUtf8("three") },
      { ...proof, index: 0 },
      { ...proof, hashes: proof.hashes.slice(1) },
    ];
    for (const one of wrong) expect(codeOf(() => checkLogProof(one, log.key))).toBe("LOG_PROOF");
    expect(codeOf(() => checkLogProof({ ...proof, index: 3 }, log.key))).toBe("LOG_RANGE");
    expect(codeOf(() => checkLogProof(proof, other.key))).toBe("NOTE_SIGNATURE");
  });

  it.each([
    ["another header", (file: string) => file.replace("@v1", "@v2")],
    ["no entry", (file: string) => file.replace(/extra .*\n/, "")],
    ["an entry of no base64", (file: string) => file.replace("extra ", "extra #")],
    ["no index", (file: string) => file.replace("index 1", "index -1")],
    ["a short hash", (file: string) => file.replace("index 1\n", "index 1\nAAAA\n")],
    ["too many hashes", (file: string) => file.replace("index 1\n", `index 1\n${"AAAA\n".repeat(65)}`)],
    ["no checkpoint", (file: string) => file.slice(0, file.indexOf("\n\n"))],
    ["too much", (file: string) => file + "x".repeat(1024 * 1024)],
  ])("with %s is not read", (_what, change) => {
    expect(codeOf(() => parseLogProof(change(text)))).toBe("INVALID_NOTE");
  });

  it("proves its entry or is refused with a code, whatever is changed in it", () => {
    const codes = ["INVALID_NOTE", "NOTE_SIGNATURE", "LOG_PROOF", "LOG_RANGE"];
    fc.assert(
      fc.property(fc.nat(), fc.string({ maxLength: 3 }), (place, insert) => {
        const at = place % text.length;
        const changed = text.slice(0, at) + insert + text.slice(at + 1);
        const code = codeOf(() => checkLogProof(parseLogProof(changed), log.key));
        if (code !== "nothing") expect(codes).toContain(code);
        else expect(parseLogProof(changed).entry).toEqual(fromUtf8("two"));
      }),
    );
  });
});
