// SPDX-License-Identifier: Apache-2.0
// Every row of the expected results on real evidence, through the command line.

import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { inspectEvidence } from "@adyton/evidence";
import { fixtureBytes, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { createBufferIo } from "../buffer-io.ts";
import { run } from "../main.ts";

const ROOT = process.env.ADYTON_FIXTURES ?? resolve(import.meta.dirname, "../../../../../shared/fixtures");

interface Row {
  readonly file: string;
  readonly endorsements: readonly string[];
  readonly at: string;
  readonly tee: string;
  readonly exit: number;
  readonly code: string;
  /** tcb.status. */
  readonly status: string | null;
  readonly more?: readonly string[];
  readonly root?: string;
  readonly advisories?: readonly string[];
  readonly simulated?: boolean;
}

const NVIDIA = { at: "2026-01-01", tee: "nvidia", status: null } as const;
const OK = { exit: 0, code: "OK" } as const;
const NOT_SUPPORTED = { exit: 3, code: "TCB_NOT_SUPPORTED", status: "NotSupported" } as const;
const B0C0 = {
  endorsements: ["tdx/dcap-qvl/tdx_quote_collateral.json"],
  at: "2025-07-01",
  tee: "tdx",
} as const;
const C90 = {
  endorsements: ["tdx/dcap-qvl/tdx_quote_outdated_collateral.json"],
  at: "2026-03-01",
  tee: "tdx",
} as const;
const EVAL15 = {
  endorsements: ["tdx/go-tdx-guest", "tdx/dcap-rs/signing_cert.pem"],
  at: "2023-07-01",
  tee: "tdx",
} as const;
const ASSEMBLED = {
  endorsements: ["tdx/assembled"],
  at: "2025-02-13T04:00:32Z",
  tee: "tdx",
  ...OK,
  status: "OutOfDate",
  advisories: ["INTEL-SA-00960", "INTEL-SA-00982", "INTEL-SA-00986"],
} as const;
const CSV = { at: "2026-06-01", tee: "csv", status: null } as const;
const SNP = { tee: "snp", status: null } as const;

/** Nobody publishes a root for CCA: the platform's key is named. */
const CCA = {
  endorsements: [],
  root: "cca/rust-ccatoken/cpak.json",
  at: "2026-06-01",
  tee: "cca",
  status: null,
  simulated: true,
} as const;
const AZURE = {
  endorsements: ["sev-snp/roots"],
  at: "2026-06-01",
  tee: "az-snp-vtpm",
  status: null,
} as const;
const TPM = { endorsements: [], at: "2026-06-01", tee: "tpm", status: null } as const;

const ROWS: readonly Row[] = [
  {
    file: "sgx/dcap-qvl/sgx_quote",
    endorsements: ["sgx/dcap-qvl/sgx_quote_collateral.json"],
    at: "2025-07-01",
    tee: "sgx",
    ...OK,
    status: "ConfigurationAndSWHardeningNeeded",
    advisories: ["INTEL-SA-00289", "INTEL-SA-00615"],
  },
  {
    file: "sgx/automata/quotev3.hex",
    endorsements: ["sgx/automata-0825", "sgx/dcap-qvl/sgx_quote_collateral.json"],
    at: "2025-09-01",
    tee: "sgx",
    ...OK,
    status: "SWHardeningNeeded",
    advisories: ["INTEL-SA-00615"],
  },
  {
    file: "sgx/intel-qvl-sample/quote.dat",
    endorsements: ["sgx/intel-qvl-sample"],
    at: "2024-01-01",
    tee: "sgx",
    root: "sgx/intel-qvl-sample/trustedRootCaCert.pem",
    ...OK,
    status: "UpToDate",
    simulated: true,
  },
  { file: "tdx/dcap-qvl/tdx_quote", ...B0C0, ...OK, status: "UpToDate", advisories: [] },
  { file: "tdx/dcap-qvl/tdx-quote.hex", ...B0C0, ...NOT_SUPPORTED },
  { file: "tdx/dcap-qvl/quote-from-tappd.hex", ...B0C0, ...NOT_SUPPORTED },
  { file: "tdx/dcap-qvl/tdx_quote_outdated", ...C90, ...NOT_SUPPORTED },
  { file: "tdx/go-tdx-guest/quote_v5_sample.dat", ...C90, ...OK, status: "UpToDate" },
  {
    file: "tdx/automata/quotev5.dat",
    ...C90,
    ...OK,
    status: "OutOfDate",
    advisories: ["INTEL-SA-01036", "INTEL-SA-01079", "INTEL-SA-01099", "INTEL-SA-01103", "INTEL-SA-01111"],
  },
  { file: "tdx/dcap-rs/quote_tdx_00806f050000.dat", ...ASSEMBLED },
  { file: "tdx/automata/quotev4.hex", ...ASSEMBLED },
  {
    file: "tdx/trustee/tdx_quote_4.dat",
    ...EVAL15,
    exit: 5,
    code: "POLICY_REFUSED",
    status: "UpToDate",
  },
  { file: "tdx/trustee/tdx_quote_4.dat", ...EVAL15, more: ["--allow-debug"], ...OK, status: "UpToDate" },
  { file: "tdx/go-tdx-guest/tdx_prod_quote_SPR_E4.dat", ...EVAL15, ...NOT_SUPPORTED },
  { file: "tdx/trustee/tdx_quote_5.dat", ...C90, ...NOT_SUPPORTED },
  {
    file: "tdx/intel-qvl-sample/quote.dat",
    endorsements: ["tdx/intel-qvl-sample"],
    at: "2024-01-01",
    tee: "tdx",
    root: "tdx/intel-qvl-sample/trustedRootCaCert.pem",
    exit: 3,
    code: "TCB_INFO_MISMATCH",
    status: null,
  },
  {
    file: "sev-snp/microsoft/milan_attestation_report.bin",
    endorsements: ["sev-snp/microsoft"],
    at: "2026-06-01",
    ...SNP,
    ...OK,
  },
  {
    file: "sev-snp/microsoft/genoa_attestation_report.bin",
    endorsements: ["sev-snp/microsoft/genoa_vcek.pem", "sev-snp/roots"],
    at: "2026-06-01",
    ...SNP,
    ...OK,
  },
  {
    file: "sev-snp/go-sev-guest/attestation.bin",
    endorsements: ["sev-snp/go-sev-guest"],
    at: "2023-01-01",
    ...SNP,
    exit: 5,
    code: "POLICY_REFUSED",
  },
  {
    file: "sev-snp/go-sev-guest/attestation.bin",
    endorsements: ["sev-snp/go-sev-guest"],
    at: "2023-01-01",
    more: ["--allow-debug"],
    ...SNP,
    ...OK,
  },
  {
    file: "sev-snp/trustee/test-report.bin",
    endorsements: ["sev-snp/trustee/test-vcek.der", "sev-snp/roots/ask_ark_milan.pem"],
    at: "2024-01-01",
    ...SNP,
    ...OK,
  },
  {
    file: "sev-snp/virtee-sev/report_milan.hex",
    endorsements: ["sev-snp/virtee-sev"],
    at: "2024-01-01",
    ...SNP,
    ...OK,
  },
  {
    // SEV's binary certificates, whole and broken, beside the ones that are needed; one of their roots named.
    file: "sev-snp/trustee/test-report.bin",
    endorsements: ["sev-snp/trustee/test-vcek.der", "sev-snp/roots/ask_ark_milan.pem", "sev"],
    root: "sev/naples/ark.cert",
    at: "2024-01-01",
    ...SNP,
    ...OK,
  },
  {
    file: "sev-snp/trustee/test-report.bin",
    endorsements: ["sev-snp/trustee/test-vcek.der", "sev-snp/roots/ask_ark_milan.pem"],
    at: "2024-01-01",
    more: ["--require-revocation"],
    ...SNP,
    exit: 4,
    code: "CRL_MISSING",
  },
  { ...CCA, file: "cca/rust-ccatoken/cca-token-01.cbor", ...OK },
  { ...CCA, file: "cca/rust-ccatoken/cca-token-draft-ffm-00.cbor", ...OK },
  { ...CCA, file: "cca/rust-ccatoken/cca-token-01.cbor", root: "cca/rust-ccatoken/ta-tfa.json", ...OK },
  {
    ...CCA,
    file: "cca/rust-ccatoken/bug-33-repro.cbor",
    exit: 3,
    code: "CCA_BINDING_MISMATCH",
  },
  {
    ...CCA,
    file: "cca/rust-ccatoken/cca-token-01.cbor",
    root: "cca/rust-ccatoken/pkey.json",
    exit: 3,
    code: "INVALID_CCA_PLATFORM_SIGNATURE",
  },
  {
    ...CCA,
    file: "cca/rust-ccatoken/cca-token-01.cbor",
    root: "cca/rust-ccatoken/ta.json",
    exit: 4,
    code: "CPAK_MISSING",
  },
  { ...CSV, file: "csv/csv-rs/report.cert", endorsements: ["csv/csv-rs/hsk_cek.cert"], ...OK },
  { ...CSV, file: "csv/csv-rs/report.cert", endorsements: ["csv"], ...OK },
  { ...CSV, file: "csv/csv-rs/report.cert", endorsements: [], exit: 4, code: "HSK_CEK_MISSING" },
  {
    ...CSV,
    file: "csv/csv-rs/report.cert",
    endorsements: ["csv/csv-rs/hsk_cek.cert"],
    more: ["--require-revocation"],
    exit: 4,
    code: "CRL_MISSING",
  },
  { ...CSV, file: "csv/trustee/csv_evidence.json", endorsements: [], exit: 4, code: "HSK_CEK_MISSING" },
  {
    ...CSV,
    file: "csv/trustee/csv_evidence.json",
    endorsements: ["csv/csv-rs/hsk_cek.cert"],
    exit: 3,
    code: "CERTIFICATE_SIGNATURE",
  },
  {
    file: "nitro/sequence_doc.bin",
    endorsements: [],
    at: "2025-04-04T18:39:08Z",
    tee: "nitro",
    status: null,
    ...OK,
  },
  {
    file: "nitro/sequence_doc.bin",
    endorsements: [],
    at: "2025-04-04T19:38:33Z",
    tee: "nitro",
    status: null,
    exit: 4,
    code: "CERTIFICATE_EXPIRED",
  },
  {
    ...NVIDIA,
    file: "nvidia/trustee/hopperAttestationReport.txt",
    endorsements: ["nvidia/trustee/hopper_cert_chain_case1.txt"],
    ...OK,
  },
  {
    ...NVIDIA,
    file: "nvidia/trustee/hopperAttestationReport.txt",
    endorsements: ["nvidia/trustee/hopper_cert_chain_case1.txt"],
    more: ["--report-data", "931d8dd0add203ac3d8b4fbde75e115278eefcdceac5b87671a748f32364dfcb"],
    ...OK,
  },
  {
    ...NVIDIA,
    file: "nvidia/trustee/hopper_coco_report1.txt",
    endorsements: ["nvidia/trustee/hopper_coco_certs1.txt"],
    ...OK,
  },
  {
    ...NVIDIA,
    file: "nvidia/trustee/hopperAttestationReport.txt",
    endorsements: ["nvidia/trustee/hopper_cert_chain_case2.txt"],
    exit: 4,
    code: "NVIDIA_CERTIFICATE_MISSING",
  },
  {
    ...NVIDIA,
    file: "nvidia/trustee/hopperAttestationReport.txt",
    endorsements: ["nvidia/trustee/hopper_cert_chain_case3.txt"],
    exit: 4,
    code: "ISSUER_NOT_FOUND",
  },
  {
    ...NVIDIA,
    file: "nvidia/trustee/hopperAttestationReport.txt",
    endorsements: ["nvidia/trustee/hopper_cert_chain_case4.txt"],
    exit: 4,
    code: "NVIDIA_CERTIFICATE_MISSING",
  },
  {
    ...NVIDIA,
    file: "nvidia/trustee/hopperAttestationReport.txt",
    endorsements: ["nvidia/trustee/hopper_coco_certs1.txt"],
    exit: 3,
    code: "NVIDIA_FWID_MISMATCH",
  },
  { ...AZURE, file: "azure-vtpm/snp/evidence-v0.json", ...OK },
  { ...AZURE, file: "azure-vtpm/snp/evidence-v1.json", ...OK },
  { ...AZURE, file: "azure-vtpm/snp/evidence-v2.json", ...OK },
  { ...AZURE, file: "azure-vtpm/snp/evidence-genoa.json", ...OK },
  {
    ...AZURE,
    file: "azure-vtpm/snp/evidence-v0.json",
    more: ["--report-data", "6368616c6c656e6765"],
    ...OK,
  },
  {
    ...AZURE,
    file: "azure-vtpm/snp/evidence-v1.json",
    endorsements: [],
    exit: 4,
    code: "ISSUER_NOT_FOUND",
  },
  {
    ...AZURE,
    file: "azure-vtpm/snp/evidence-v1.json",
    at: "2033-01-01",
    exit: 4,
    code: "CERTIFICATE_EXPIRED",
  },
  { ...TPM, file: "tpm2/trustee/tpm_evidence.json", exit: 4, code: "AK_NOT_TRUSTED" },
  // Google's root is not among the fixtures.
  { ...TPM, file: "tpm2/go-tpm-tools/gce-cos-85-no-nonce.pb", exit: 4, code: "NO_TRUST_ANCHOR" },
  { ...TPM, file: "tpm2/go-tpm-tools/gce-cos-85-nonce9009.pb", exit: 4, code: "NO_TRUST_ANCHOR" },
  {
    file: "tdx/trustee/tdx_quote_4.dat",
    ...EVAL15,
    more: ["--allow-debug", "--event-log", join(ROOT, "tdx/trustee/CCEL_data_ovmf")],
    exit: 3,
    code: "EVENT_LOG_MISMATCH",
    status: null,
  },
  {
    file: "sev-snp/microsoft/milan_attestation_report.bin",
    endorsements: ["sev-snp/microsoft"],
    at: "2026-06-01",
    more: ["--event-log", join(ROOT, "tdx/trustee/CCEL_data_ovmf")],
    ...SNP,
    exit: 3,
    code: "EVENT_LOG_UNBOUND",
  },
  // Made-up parts of an exchange: it can only be refused for what is missing.
  {
    file: "ibm-se/pv/exp/exchange.bin",
    endorsements: ["ibm-se/pv/cert"],
    at: "2026-01-01",
    tee: "se",
    status: null,
    exit: 4,
    code: "SE_VERIFIER_KEY_MISSING",
  },
];

async function verify(row: Row, ...more: readonly string[]) {
  const io = createBufferIo();
  const paths = row.endorsements.flatMap((path) => ["--endorsements", join(ROOT, path)]);
  const root = row.root === undefined ? [] : ["--root", join(ROOT, row.root)];
  const file = join(ROOT, row.file);
  const argv = ["evidence", "verify", file, ...paths, ...root, "--at", row.at, ...(row.more ?? []), ...more];
  const exit = await run(argv, io);
  return { exit, ...io.output() };
}

const name = (row: Row): string => `${row.file} ${row.more?.join(" ") ?? ""} → ${row.code} ${row.status}`;

describe.skipIf(!hasFixtures)("real evidence", () => {
  it("is where this test looks", () => {
    expect(existsSync(join(ROOT, "README.md"))).toBe(true);
  });

  it.each(ROWS.map((row) => [name(row), row] as const))("%s", async (_name, row) => {
    const { exit, stdout } = await verify(row, "--json");
    const verdict = JSON.parse(stdout);
    expect({ exit, code: verdict.code, tee: verdict.tee }).toEqual({
      exit: row.exit,
      code: row.code,
      tee: row.tee,
    });
    expect(verdict.verdict).toBe(row.exit === 0 ? "verified" : "rejected");
    expect(verdict.tcb?.status ?? null).toBe(row.status);
    if (row.advisories !== undefined) expect(verdict.tcb.advisoryIds).toEqual(row.advisories);
    if (row.exit === 0) {
      expect(verdict.simulated).toBe(row.simulated ?? false);
      expect(verdict.error).toBeNull();
      expect(verdict.claims).not.toBeNull();
      // Bare keys (CCA) never expire by themselves.
      const expiry = verdict.endorsements.earliestExpiry ?? "9999-12-31T00:00:00Z";
      expect(Date.parse(expiry)).toBeGreaterThanOrEqual(Date.parse(row.at));
    } else {
      expect(verdict.error.code).toBe(row.code);
    }
  });

  it.each(ROWS.map((row) => [name(row), row] as const))("for people: %s", async (_name, row) => {
    const { exit, stdout, stderr } = await verify(row);
    expect(exit).toBe(row.exit);
    expect(stdout.startsWith(row.exit === 0 ? "VERIFIED  " : "REJECTED  ")).toBe(true);
    if (row.exit !== 0) expect(stdout).toContain(`[${row.code}]`);
    if (row.exit === 0 && row.status !== null) expect(stdout.split("\n")[0]).toContain(`TCB ${row.status}`);
    if (row.exit === 0 && row.simulated === true) expect(stdout.split("\n")[0]).toContain("SIMULATED");
    expect(stderr).toMatch(/Next: ./);
  });
});

describe.skipIf(!hasFixtures)("rules on real evidence", () => {
  const hardening = ROWS[1] as Row;
  const outdated = ROWS.find((row) => row.file === "tdx/automata/quotev5.dat") as Row;
  const milan = ROWS.find((row) => row.file === "sev-snp/microsoft/milan_attestation_report.bin") as Row;
  it.each([
    ["status accepted", hardening, ["--require-tcb", "UpToDate,SWHardeningNeeded"], 0],
    ["status not accepted", hardening, ["--require-tcb", "UpToDate"], 5],
    ["evaluation number reached", hardening, ["--min-evaluation-number", "17"], 0],
    ["evaluation number not reached", hardening, ["--min-evaluation-number", "18"], 5],
    ["date not reached", outdated, ["--min-tcb-date", "2026-01-01"], 5],
    ["date reached", outdated, ["--min-tcb-date", "2018-01-01"], 0],
    ["least versions", milan, ["--min-tcb", "snp=0"], 0],
    ["least versions not reached", milan, ["--min-tcb", "snp=255"], 5],
    ["a status from a vendor that publishes none", milan, ["--require-tcb", "UpToDate"], 5],
    ["report data that is another", milan, ["--report-data", "00ff"], 3],
    ["endorsements that are not given", { ...hardening, endorsements: [] }, [], 4],
    ["endorsements that are expired", { ...hardening, at: "2026-06-01" }, [], 4],
    ["endorsements that are not valid yet", { ...hardening, at: "2018-06-01" }, [], 4],
    ["the wrong TEE", hardening, ["--tee", "snp"], 2],
  ] as const)("%s", async (_name, row, more, exit) => {
    const result = await verify(row, ...more, "--json");
    expect(result.exit).toBe(exit);
    const answer = JSON.parse(result.stdout);
    if (exit === 5) {
      expect(answer).toMatchObject({ verdict: "rejected", code: "POLICY_REFUSED" });
      expect(answer.trust.simulated).toBe(false);
      expect(answer.next).toMatch(/--|firmware/);
    }
    if (exit === 3) expect(answer.code).toBe("REPORT_DATA_MISMATCH");
    if (exit === 4) expect(answer.error.category).toBe("endorsements");
  });
});

describe.skipIf(!hasFixtures)("TPM evidence with its key and its event log", () => {
  const FILES = ["tpm2/trustee/tpm_evidence.json", "tpm2/go-tpm-tools/gce-cos-85-nonce9009.pb"];
  /** The attestation key in a file, as an operator has it after credential activation. */
  async function keyFile(folder: string, path: string): Promise<string> {
    const claims = inspectEvidence(await fixtureBytes(path));
    const file = join(folder, "ak.pem");
    writeFileSync(file, `-----BEGIN PUBLIC KEY-----\n${claims.ak_public}\n-----END PUBLIC KEY-----\n`);
    return file;
  }

  it.each(FILES)("%s verifies when its key is named", async (path) => {
    const folder = mkdtempSync(join(tmpdir(), "adyton-tpm-"));
    try {
      const root = await keyFile(folder, path);
      const io = createBufferIo();
      const argv = ["evidence", "verify", join(ROOT, path), "--root", root, "--at", "2026-06-01", "--json"];
      expect(await run(argv, io)).toBe(0);
      const verdict = JSON.parse(io.output().stdout);
      expect(verdict).toMatchObject({ verdict: "verified", tee: "tpm", simulated: true });
      expect(verdict.claims.pcr07).toMatch(/^[0-9a-f]{64}$/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("a log whose registers are named, and one that is none", async () => {
    const folder = mkdtempSync(join(tmpdir(), "adyton-tpm-"));
    try {
      const [path = ""] = FILES;
      const root = await keyFile(folder, path);
      const log = (name: string, ...more: readonly string[]): Promise<number> => {
        const common = ["evidence", "verify", join(ROOT, path), "--root", root, "--at", "2026-06-01"];
        return run([...common, "--event-log", join(ROOT, name), ...more], createBufferIo());
      };
      const rhel = "tpm2/go-tpm-tools/eventlogs/rhel8-uefi.bin";
      expect(await log(rhel)).toBe(3);
      expect(await log(rhel, "--event-log-registers", "20")).toBe(3);
      expect(await log("tpm2/trustee/tpm_evidence.json")).toBe(2);
      expect(await log(rhel, "--event-log-registers", "x")).toBe(1);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe.skipIf(!hasFixtures)("forms of evidence", async () => {
  const raw = hasFixtures ? await fixtureBytes("tdx/dcap-qvl/tdx_quote") : new Uint8Array();
  const hex = Buffer.from(raw).toString("hex");
  const base64 = Buffer.from(raw).toString("base64");
  const row = { ...(ROWS.find((each) => each.file === "tdx/dcap-qvl/tdx_quote") as Row) };
  const forms: readonly (readonly [string, string | Uint8Array])[] = [
    ["raw", raw],
    ["hex", hex],
    ["hex, upper case, 0x, line breaks", `0x${hex.toUpperCase().replace(/(.{64})/g, "$1\n")}\n`],
    ["base64", base64],
    ["base64 in lines", base64.replace(/(.{76})/g, "$1\r\n")],
    ["base64url without padding", Buffer.from(raw).toString("base64url")],
    ["an envelope", JSON.stringify({ tee: "tdx", evidence: base64 })],
    ["KBS primary evidence", JSON.stringify({ quote: base64, cc_eventlog: null })],
    ["KBS evidence, whole", JSON.stringify({ primary_evidence: { quote: base64 }, additional_evidence: "" })],
  ];
  it.each(forms)("%s, on stdin", async (_name, content) => {
    const stdin = typeof content === "string" ? new TextEncoder().encode(content) : content;
    for (const verb of ["inspect", "verify"]) {
      const io = createBufferIo({ stdin });
      const paths = row.endorsements.flatMap((path) => ["--endorsements", join(ROOT, path)]);
      const more = verb === "verify" ? [...paths, "--at", row.at] : [];
      expect(await run(["evidence", verb, "-", "--json", ...more], io)).toBe(0);
      expect(JSON.parse(io.output().stdout).tee).toBe("tdx");
    }
  });
});

describe.skipIf(!hasFixtures)("evidence inspect", () => {
  it("says that nothing is verified", async () => {
    const io = createBufferIo();
    expect(await run(["evidence", "inspect", join(ROOT, "tdx/dcap-qvl/tdx_quote")], io)).toBe(0);
    expect(io.output().stdout).toMatch(/^NOT VERIFIED {2}/);
    expect(io.output().stdout).toContain("mr_td");
  });
  it("as JSON", async () => {
    const io = createBufferIo();
    await run(["evidence", "inspect", join(ROOT, "sgx/dcap-qvl/sgx_quote"), "--json"], io);
    const answer = JSON.parse(io.output().stdout);
    expect(Object.keys(answer)).toEqual(["tee", "verified", "bytes", "claims"]);
    expect(answer).toMatchObject({ tee: "sgx", verified: false });
  });
});

describe.skipIf(!hasFixtures)("roots that are named", () => {
  const root = "sev-snp/roots/ask_ark_milan.pem";
  const quote = join(ROOT, "tdx/dcap-qvl/tdx_quote");
  it("a file without a root certificate is misuse", async () => {
    const argv = ["--root", join(ROOT, "sev-snp/microsoft/milan_vcek.pem"), "--json"];
    const io = createBufferIo();
    expect(await run(["evidence", "verify", quote, ...argv], io)).toBe(1);
    expect(JSON.parse(io.output().stdout).error.code).toBe("INVALID_VALUE");
  });
  it("of a chain only the root is taken, and a vendor's pinned root stays the vendor's", async () => {
    const io = createBufferIo();
    const report = join(ROOT, "sev-snp/trustee/test-report.bin");
    const paths = ["sev-snp/trustee/test-vcek.der", root].flatMap((path) => [
      "--endorsements",
      join(ROOT, path),
    ]);
    const argv = [
      "evidence",
      "verify",
      report,
      ...paths,
      "--root",
      join(ROOT, root),
      "--at",
      "2024-01-01",
      "--json",
    ];
    expect(await run(argv, io)).toBe(0);
    expect(JSON.parse(io.output().stdout)).toMatchObject({ simulated: false });
  });
});
