// SPDX-License-Identifier: Apache-2.0
// Real evidence with what verifies it: the same bytes for us and for the peers.

import { fromBase64, fromHex, toUtf8 } from "@adyton/core/bytes";
import { inspectEvidence, verifyEvidence } from "@adyton/evidence";
import { CSV_CA_SIZE } from "@adyton/evidence/csv";
import { type Endorsements, NO_ENDORSEMENTS } from "@adyton/evidence/endorsements";
import { fixtureBytes } from "@adyton/testing";
import { csvChecks } from "./bare.ts";
import type { Case } from "./case.ts";
import { type ReceivedFile, readAll } from "./files.ts";
import { phala, phalaWeb, tinfoil } from "./peers.ts";

const MICROSOFT = "sev-snp/microsoft";
const INTEL_AT = new Date("2025-07-01T00:00:00Z");
const AT = new Date("2026-06-01T00:00:00Z");

export async function realCases(): Promise<Case[]> {
  const intel = async (tee: "sgx" | "tdx"): Promise<Case> => {
    const evidence = await fixtureBytes(`${tee}/dcap-qvl/${tee}_quote`);
    const files = await filesOf(`${tee}/dcap-qvl/${tee}_quote_collateral.json`);
    const collateral: unknown = JSON.parse(toUtf8(files[0]?.bytes ?? new Uint8Array()));
    return {
      ...real(tee, evidence, INTEL_AT, files),
      peers: async () => [
        await phala(evidence, collateral, INTEL_AT),
        await phalaWeb(evidence, collateral, INTEL_AT),
      ],
    };
  };
  const snp = async (): Promise<Case> => {
    const evidence = await fixtureBytes(`${MICROSOFT}/genoa_attestation_report.bin`);
    const files = await filesOf(...["vcek", "ask", "ark"].map((name) => `${MICROSOFT}/genoa_${name}.pem`));
    const vcek = toUtf8(files[0]?.bytes ?? new Uint8Array());
    return { ...real("snp", evidence, AT, files), peers: async () => [await tinfoil(evidence, vcek)] };
  };
  const csv = async (): Promise<Case> => {
    const evidence = await fixtureBytes("csv/csv-rs/report.cert");
    const files = await filesOf("csv/csv-rs/hsk_cek.cert");
    const [hskCek = new Uint8Array()] = files.map(({ bytes }) => bytes);
    return {
      ...real("csv", evidence, AT, files),
      bare: csvChecks(
        evidence,
        await fixtureBytes("csv/hrk.cert"),
        hskCek.subarray(0, CSV_CA_SIZE),
        hskCek.subarray(CSV_CA_SIZE),
      ),
    };
  };
  const cca = async (): Promise<Case> => {
    const anchors = await filesOf("cca/rust-ccatoken/cpak.json");
    const token = await fixtureBytes("cca/rust-ccatoken/cca-token-01.cbor");
    return real("cca", token, AT, [], () => readAll(anchors));
  };
  const tpm = async (title: string, path: string): Promise<Case> => {
    const evidence = await fixtureBytes(path);
    // As an operator has it after credential activation.
    const spki = fromBase64(String(inspectEvidence(evidence, "tpm").ak_public));
    const anchors: Endorsements = { ...NO_ENDORSEMENTS, keys: [{ spki, identifiers: {} }] };
    return real(title, evidence, AT, [], () => anchors);
  };
  const azure = async (): Promise<Case> => {
    const files = await filesOf("sev-snp/roots/ask_ark_milan.pem");
    return real("az-snp-vtpm", await fixtureBytes("azure-vtpm/snp/evidence-v1.json"), AT, files);
  };
  const nitro = async (): Promise<Case> =>
    real("nitro", await fixtureBytes("nitro/sequence_doc.bin"), new Date("2025-04-04T18:39:08Z"), []);
  const nvidia = async (): Promise<Case> => {
    const text = toUtf8(await fixtureBytes("nvidia/trustee/hopperAttestationReport.txt"));
    const files = await filesOf("nvidia/trustee/hopper_cert_chain_case1.txt");
    return real("nvidia", fromHex(text.trim()), new Date("2026-01-01T00:00:00Z"), files);
  };
  return Promise.all([
    intel("sgx"),
    intel("tdx"),
    snp(),
    csv(),
    cca(),
    tpm("tpm", "tpm2/trustee/tpm_evidence.json"),
    tpm("tpm (Google Cloud)", "tpm2/go-tpm-tools/gce-cos-85-nonce9009.pb"),
    azure(),
    nitro(),
    nvidia(),
  ]);
}

function real(
  title: string,
  evidence: Uint8Array,
  now: Date,
  files: readonly ReceivedFile[],
  anchors: () => Endorsements = () => NO_ENDORSEMENTS,
): Case {
  return {
    title,
    source: "real",
    options: () => ({ now, endorsements: readAll(files), anchors: anchors() }),
    verify: (options) => verifyEvidence(evidence, options),
  };
}

function filesOf(...names: readonly string[]): Promise<ReceivedFile[]> {
  return Promise.all(names.map(async (name) => ({ name, bytes: await fixtureBytes(name) })));
}
