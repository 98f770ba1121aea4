// SPDX-License-Identifier: Apache-2.0
// Evidence for the tour: real where it lies at hand, each piece with the time it is verified for and what must come
// out; otherwise issued by the simulator, and said to be simulated.

import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Certificate } from "@adyton/core/x509";
import { readEndorsementPaths } from "@adyton/endorsements";
import type { TcbStatus } from "@adyton/evidence";
import type { Endorsements } from "@adyton/evidence/endorsements";
import { createIntelVendor } from "@adyton/simulator";
import { judgeEvidence } from "../evidence/judge.ts";

export interface Exhibit {
  /** What it is, in a few words. */
  readonly title: string;
  readonly evidence: Uint8Array;
  readonly endorsements: Endorsements;
  readonly roots: readonly Certificate[];
  readonly at: Date;
  readonly expected: { readonly code: string; readonly status: TcbStatus | null };
}

interface RealExhibit {
  readonly title: string;
  readonly file: string;
  readonly endorsements: readonly string[];
  readonly at: string;
  readonly expected: Exhibit["expected"];
  /** Flip one bit of this byte first. */
  readonly flip?: number;
}

const B0C0 = { endorsements: ["tdx/dcap-qvl/tdx_quote_collateral.json"], at: "2025-07-01" } as const;
const C90 = { endorsements: ["tdx/dcap-qvl/tdx_quote_outdated_collateral.json"], at: "2026-03-01" } as const;

const REAL: readonly RealExhibit[] = [
  {
    title: "Intel SGX quote v3",
    file: "sgx/dcap-qvl/sgx_quote",
    endorsements: ["sgx/dcap-qvl/sgx_quote_collateral.json"],
    at: "2025-07-01",
    expected: { code: "OK", status: "ConfigurationAndSWHardeningNeeded" },
  },
  {
    title: "Intel SGX quote v3, another platform",
    file: "sgx/automata/quotev3.hex",
    endorsements: ["sgx/automata-0825", "sgx/dcap-qvl/sgx_quote_collateral.json"],
    at: "2025-09-01",
    expected: { code: "OK", status: "SWHardeningNeeded" },
  },
  {
    title: "Intel TDX quote v4",
    file: "tdx/dcap-qvl/tdx_quote",
    ...B0C0,
    expected: { code: "OK", status: "UpToDate" },
  },
  {
    title: "the same, one bit flipped",
    file: "tdx/dcap-qvl/tdx_quote",
    ...B0C0,
    flip: 200,
    expected: { code: "INVALID_QUOTE_SIGNATURE", status: null },
  },
  {
    title: "Intel TDX quote v4, old microcode",
    file: "tdx/dcap-qvl/tdx-quote.hex",
    ...B0C0,
    expected: { code: "TCB_NOT_SUPPORTED", status: "NotSupported" },
  },
  {
    title: "Intel TDX quote v5, TD 1.5",
    file: "tdx/go-tdx-guest/quote_v5_sample.dat",
    ...C90,
    expected: { code: "OK", status: "UpToDate" },
  },
  {
    title: "Intel TDX quote v5, old TDX module",
    file: "tdx/automata/quotev5.dat",
    ...C90,
    expected: { code: "OK", status: "OutOfDate" },
  },
  {
    title: "Intel TDX quote v4, TD in debug mode",
    file: "tdx/trustee/tdx_quote_4.dat",
    endorsements: ["tdx/go-tdx-guest", "tdx/dcap-rs/signing_cert.pem"],
    at: "2023-07-01",
    expected: { code: "POLICY_REFUSED", status: "UpToDate" },
  },
  {
    title: "AMD SEV-SNP report v3, Milan",
    file: "sev-snp/microsoft/milan_attestation_report.bin",
    endorsements: ["sev-snp/microsoft"],
    at: "2026-06-01",
    expected: { code: "OK", status: null },
  },
  {
    title: "AMD SEV-SNP report v3, Genoa",
    file: "sev-snp/microsoft/genoa_attestation_report.bin",
    endorsements: ["sev-snp/microsoft"],
    at: "2026-06-01",
    expected: { code: "OK", status: null },
  },
];

/** Whether `folder` holds the real evidence that the tour knows. */
export function hasRealEvidence(folder: string): boolean {
  return REAL.every(({ file }) => existsSync(join(folder, file)));
}

/** Reads the real evidence below `folder`. */
export async function realExhibits(folder: string): Promise<Exhibit[]> {
  return Promise.all(
    REAL.map(async ({ title, file, endorsements, at, expected, flip }) => {
      const evidence = new Uint8Array(await readFile(join(folder, file)));
      if (flip !== undefined) evidence[flip] = (evidence[flip] ?? 0) ^ 1;
      const found = await readEndorsementPaths(endorsements.map((path) => join(folder, path)));
      return {
        title,
        evidence,
        endorsements: found.endorsements,
        roots: [],
        at: new Date(`${at}T00:00:00Z`),
        expected,
      };
    }),
  );
}

/** Quotes of a vendor that exists for this one call. */
export async function simulatedExhibits(at: Date): Promise<Exhibit[]> {
  const vendor = await createIntelVendor({ at });
  const platform = await vendor.platform();
  const roots = [vendor.root.certificate];
  const exhibit = async (tee: "sgx" | "tdx", title: string): Promise<Exhibit> => ({
    title,
    evidence: await platform.quote({ tee }),
    endorsements: await vendor.endorsements(platform, tee),
    roots,
    at,
    expected: { code: "OK", status: "UpToDate" },
  });
  const tdx = await exhibit("tdx", "TDX quote v4, simulated");
  const flipped = tdx.evidence.slice();
  flipped[200] = (flipped[200] ?? 0) ^ 1;
  return [
    await exhibit("sgx", "SGX quote v3, simulated"),
    tdx,
    {
      ...tdx,
      title: "the same, one bit flipped",
      evidence: flipped,
      expected: { code: "INVALID_QUOTE_SIGNATURE", status: null },
    },
    {
      ...tdx,
      title: "the same, its root not named",
      roots: [],
      expected: { code: "PCK_CERT_CHAIN_UNTRUSTED", status: null },
    },
  ];
}

/** The verdict on an exhibit, as a row of the tour's table, and whether it is the one it must be. */
export async function judgeExhibit(exhibit: Exhibit): Promise<{ row: string[]; expected: boolean }> {
  const { verdict } = await judgeEvidence(exhibit.evidence, {
    tee: undefined,
    now: exhibit.at,
    roots: exhibit.roots,
    endorsements: exhibit.endorsements,
    rules: { allowSimulated: true },
    sources: { read: 0, ignored: 0 },
  });
  const status = verdict.tcb?.status ?? null;
  const { expected } = exhibit;
  const reason = verdict.findings.find((finding) => !finding.ok)?.message.split(":")[0];
  return {
    row: [
      exhibit.title,
      exhibit.at.toISOString().slice(0, 10),
      verdict.verdict === "verified" ? "VERIFIED" : "REJECTED",
      verdict.verdict === "verified"
        ? `${status ?? "no status from this vendor"}${verdict.simulated === true ? " (simulated)" : ""}`
        : `${verdict.code}${reason === undefined ? "" : `: ${reason}`}`,
    ],
    expected: verdict.code === expected.code && status === expected.status,
  };
}
