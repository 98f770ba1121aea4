// SPDX-License-Identifier: Apache-2.0
// What the command line is handed: raw bytes, hex, base64, envelopes, KBS JSON.

import { toBase64, toHex } from "@adyton/core/bytes";
import { createBufferIo, EXIT, run } from "adyton";
import { intelMachine, sample } from "../simulated.ts";
import { bytesOf } from "../tolerant.ts";

export async function fuzz(data: Uint8Array): Promise<void> {
  const io = createBufferIo({ stdin: data, now: new Date(0), cwd: "/" });
  const code = await run(["evidence", "inspect", "-", "--json"], io);
  const { stdout } = io.output();
  const answer: unknown = JSON.parse(stdout);
  const told = typeof answer === "object" && answer !== null;
  if (!told || code === EXIT.internal) throw new Error(`exit code ${code}: ${stdout}`);
}

export async function seeds(): Promise<Uint8Array[]> {
  const quote = await (await intelMachine()).quote({ tee: "tdx" });
  const machine = await (await sample()).machine();
  return [
    quote,
    bytesOf(`0x${toHex(quote.subarray(0, 700))}`),
    bytesOf(`${toBase64(quote)}\n`),
    bytesOf(JSON.stringify({ tee: "tdx", evidence: toBase64(quote) })),
    bytesOf(JSON.stringify({ "tee-evidence": { primary_evidence: { quote: toBase64(quote) } } })),
    await machine.evidence({ launchDigest: new Uint8Array(48), reportData: new Uint8Array(64) }),
  ];
}
