// SPDX-License-Identifier: Apache-2.0
// SEV-SNP on Genoa: our verdict beside that of @tinfoilsh/verifier, which pins AMD's Genoa chain.

import { gzipSync } from "node:zlib";
import { fixtureBytes, fixtureText, hasFixtures } from "@adyton/testing";
import { PredicateType, verifyAttestation } from "@tinfoilsh/verifier";
import { describe, expect, it } from "vitest";
import { ourVerdict } from "./rows.ts";

const FOLDER = "sev-snp/microsoft";
const FILES = ["genoa_vcek.pem", "genoa_ask.pem", "genoa_ark.pem"].map((name) => `${FOLDER}/${name}`);
const NOW = new Date("2026-06-01T00:00:00Z");

async function peerAccepts(report: Uint8Array): Promise<boolean> {
  const pem = await fixtureText(`${FOLDER}/genoa_vcek.pem`);
  const vcek = pem.replace(/-----[^-]+-----|\s/g, "");
  const document = { format: PredicateType.SevGuestV2, body: gzipSync(report).toString("base64") };
  return verifyAttestation(document, vcek).then(
    () => true,
    () => false,
  );
}

async function weAccept(report: Uint8Array): Promise<boolean> {
  return "status" in (await ourVerdict("snp", report, FILES, NOW));
}

describe.skipIf(!hasFixtures)("@tinfoilsh/verifier on a real report", () => {
  it("both accept it", async () => {
    const report = await fixtureBytes(`${FOLDER}/genoa_attestation_report.bin`);
    expect([await weAccept(report), await peerAccepts(report)]).toEqual([true, true]);
  });
  // Version, guest policy, signature algorithm, report data, measurement, host data, TCB, chip, signature.
  it.each([0x00, 0x08, 0x34, 0x50, 0x90, 0xc0, 0x180, 0x1a0, 0x2a0, 0x2e8])(
    "byte %i flipped: both refuse",
    async (offset) => {
      const report = await fixtureBytes(`${FOLDER}/genoa_attestation_report.bin`);
      report[offset] = (report[offset] ?? 0) ^ 1;
      expect([await weAccept(report), await peerAccepts(report)]).toEqual([false, false]);
    },
  );

  // Deliberate difference: the table of the signature (AMD 56860, "Format for an ECDSA P-384 signature") says zero.
  it("padding of the signature that is not zero: the peer does not look, we refuse", async () => {
    const report = await fixtureBytes(`${FOLDER}/genoa_attestation_report.bin`);
    report[0x2d0] = 1;
    expect(await ourVerdict("snp", report, FILES, NOW)).toEqual({ refused: "RESERVED_NOT_ZERO" });
    expect(await peerAccepts(report)).toBe(true);
  });
});
