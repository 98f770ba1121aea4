// SPDX-License-Identifier: Apache-2.0
// Signed notes, their keys, checkpoints and log proofs: what is accepted reads the same after it is written again.

import { equal, fromHex, toUtf8 } from "@adyton/core/bytes";
import { checkLogProof, encodeLogProof, parseLogProof } from "@adyton/core/log-proof";
import { leafHash } from "@adyton/core/merkle";
import {
  cosignatureOf,
  encodeCheckpoint,
  encodeNoteKey,
  type NoteRole,
  type NoteSigner,
  noteKey,
  openCheckpoint,
  parseCheckpoint,
  parseNoteKey,
  signNote,
} from "@adyton/core/note";
import { syncCrypto } from "@adyton/core/sync-crypto";
import { bytesOf, textOf, tolerant } from "../tolerant.ts";

const LOG = signerOf("example.com/log", "log", 1);
const WITNESS = signerOf("witness.example", "witness", 2);
const ENTRY = bytesOf("entry");
const TEXT = encodeCheckpoint({ origin: LOG.key.name, size: 1, root: leafHash(ENTRY), extensions: ["time"] });
const SIGNED = signNote(TEXT, LOG);
const NOTE = SIGNED + cosignatureOf(SIGNED, WITNESS, new Date("2026-03-01T12:00:00Z"));
const PROOF = encodeLogProof({ entry: ENTRY, index: 0, hashes: [], checkpoint: NOTE });

export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  tolerant(
    () => {
      const { size } = openCheckpoint(text, LOG.key, [WITNESS.key]);
      if (size !== 1) throw new Error("a checkpoint that nobody signed is accepted");
    },
    () => {
      if (encodeCheckpoint(parseCheckpoint(text)) !== text)
        throw new Error("the checkpoint reads differently");
    },
    () => {
      if (encodeNoteKey(parseNoteKey(text)) !== text.trim()) throw new Error("the key reads differently");
    },
    () => {
      if (encodeLogProof(parseLogProof(text)) !== text) throw new Error("the proof reads differently");
    },
    () => {
      const { entry } = checkLogProof(parseLogProof(text), LOG.key);
      if (!equal(entry, ENTRY)) throw new Error(`an entry that nobody signed is accepted: ${toUtf8(entry)}`);
    },
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  return [NOTE, TEXT, PROOF, encodeNoteKey(LOG.key), encodeNoteKey(WITNESS.key)].map(bytesOf);
}

function signerOf(name: string, role: NoteRole, seed: number): NoteSigner {
  const pkcs8 = fromHex(`302e020100300506032b657004220420${seed.toString(16).padStart(2, "0").repeat(32)}`);
  const key = syncCrypto.importPrivateKey(pkcs8);
  return {
    key: noteKey(name, role, key.publicKey.spki.slice(-32)),
    sign: (data) => key.sign({ name: "Ed25519" }, data),
  };
}
