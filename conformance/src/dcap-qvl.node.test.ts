// SPDX-License-Identifier: Apache-2.0
// SGX and TDX: our verdict beside that of @phala/dcap-qvl, on real quotes and on the simulator's.

import { verifyEvidence } from "@adyton/evidence";
import { readEndorsement } from "@adyton/evidence/endorsements";
import { createIntelVendor, type QuoteOptions, toCollateralJson, toEndorsements } from "@adyton/simulator";
import { fixtureText, hasFixtures } from "@adyton/testing";
import { type Collateral, QuoteVerifier } from "@phala/dcap-qvl";
import { describe, expect, it } from "vitest";
import { evidenceBytes, ourVerdict, type Verdict } from "./rows.ts";

const NOW = new Date("2026-01-15T00:00:00Z");

function peerVerdict(verifier: QuoteVerifier, quote: Uint8Array, collateral: string, now: Date): Verdict {
  const parsed = JSON.parse(collateral) as Collateral;
  try {
    const { status, advisory_ids } = verifier.verify(quote, parsed, now.getTime() / 1000);
    return { status, advisories: [...advisory_ids].sort() };
  } catch (error) {
    return { refused: error instanceof Error ? error.message : String(error) };
  }
}

interface Row {
  readonly quote: string;
  readonly tee: "sgx" | "tdx";
  readonly collateral: string;
  readonly at: string;
}

const SGX = { tee: "sgx", collateral: "sgx/dcap-qvl/sgx_quote_collateral.json", at: "2025-07-01" } as const;
const B0C0 = { tee: "tdx", collateral: "tdx/dcap-qvl/tdx_quote_collateral.json", at: "2025-07-01" } as const;
const C90 = {
  tee: "tdx",
  collateral: "tdx/dcap-qvl/tdx_quote_outdated_collateral.json",
  at: "2026-03-01",
} as const;
const ASSEMBLED = {
  tee: "tdx",
  collateral: "tdx/assembled/collateral_00806f050000_2025-02-13.json",
  at: "2025-02-13T04:00:32Z",
} as const;

/** Accepted by both, with the same status and advisories. */
const ACCEPTED: readonly Row[] = [
  { quote: "sgx/dcap-qvl/sgx_quote", ...SGX },
  { quote: "tdx/dcap-qvl/tdx_quote", ...B0C0 },
  { quote: "tdx/go-tdx-guest/quote_v5_sample.dat", ...C90 },
  { quote: "tdx/automata/quotev4.hex", ...ASSEMBLED },
  { quote: "tdx/dcap-rs/quote_tdx_00806f050000.dat", ...ASSEMBLED },
];

/** Refused by both, for the same reason in each one's words. */
const NO_LEVEL = { ours: "TCB_NOT_SUPPORTED", peers: "No matching TCB level found" } as const;
const REFUSED: readonly (Row & { readonly ours: string; readonly peers: string })[] = [
  { quote: "tdx/dcap-qvl/tdx-quote.hex", ...B0C0, ...NO_LEVEL },
  { quote: "tdx/dcap-qvl/quote-from-tappd.hex", ...B0C0, ...NO_LEVEL },
  { quote: "tdx/dcap-qvl/tdx_quote_outdated", ...C90, ...NO_LEVEL },
  { quote: "tdx/trustee/tdx_quote_5.dat", ...C90, ...NO_LEVEL },
  // The first thing that each looks at.
  {
    quote: "sgx/dcap-qvl/sgx_quote",
    ...SGX,
    at: "2027-07-01",
    ours: "CRL_EXPIRED",
    peers: "TCBInfo expired",
  },
  { quote: "sgx/automata/quotev3.hex", ...SGX, ours: "PCK_CRL_MISSING", peers: "Fmspc mismatch" },
  {
    quote: "tdx/dcap-qvl/tdx_quote",
    ...B0C0,
    collateral: "sgx/dcap-qvl/sgx_quote_collateral.json",
    ours: "PCK_CRL_MISSING",
    peers: "Unsupported QE Identity id/version for the quote TEE type",
  },
];

describe.skipIf(!hasFixtures)("@phala/dcap-qvl on real quotes", () => {
  const peer = QuoteVerifier.newProd();
  const both = async ({ quote, tee, collateral, at }: Row): Promise<{ ours: Verdict; peers: Verdict }> => {
    const evidence = await evidenceBytes(quote);
    const now = new Date(at);
    return {
      ours: await ourVerdict(tee, evidence, [collateral], now),
      peers: peerVerdict(peer, evidence, await fixtureText(collateral), now),
    };
  };

  it.each(ACCEPTED)("$quote: the same status and advisories", async (row) => {
    const { ours, peers } = await both(row);
    expect(ours).toEqual(peers);
    expect(ours).toHaveProperty("status");
  });
  it.each(REFUSED)("$quote with $collateral at $at: both refuse", async (row) => {
    const { ours, peers } = await both(row);
    expect(ours).toEqual({ refused: row.ours });
    expect(peers).toEqual({ refused: row.peers });
  });
  it.each([0, 100, 500, 600, 636, 700, 1_100])("byte %i of a quote flipped: both refuse", async (offset) => {
    const evidence = await evidenceBytes("tdx/dcap-qvl/tdx_quote");
    evidence[offset] = (evidence[offset] ?? 0) ^ 1;
    const now = new Date(B0C0.at);
    expect(await ourVerdict("tdx", evidence, [B0C0.collateral], now)).toHaveProperty("refused");
    expect(peerVerdict(peer, evidence, await fixtureText(B0C0.collateral), now)).toHaveProperty("refused");
  });

  // Deliberate differences. Should one of these go, the table in README.md goes with it.
  it("a service TD's measurement: the peer refuses any, we report it and let policies judge", async () => {
    const { ours, peers } = await both({ quote: "tdx/automata/quotev5.dat", ...C90 });
    expect(ours).toMatchObject({ status: "OutOfDate" });
    expect(peers).toEqual({ refused: "Invalid mr service td" });
  });
});

describe("@phala/dcap-qvl on the simulator's quotes", async () => {
  const vendor = await createIntelVendor({ at: NOW });
  const peer = QuoteVerifier.newWithRootCa(Buffer.from(vendor.root.certificate.der));
  const machine = await vendor.platform();
  const outdated = await vendor.platform({ components: [1, 1], pceSvn: 1 });
  const both = async (
    options: QuoteOptions,
    platform = machine,
  ): Promise<{ ours: Verdict & { debug?: boolean }; peers: Verdict }> => {
    const quote = await platform.quote(options);
    const collateral = await vendor.collateral(platform, options.tee);
    const peers = peerVerdict(peer, quote, toCollateralJson(collateral), NOW);
    const verifying = verifyEvidence(quote, {
      now: NOW,
      endorsements: toEndorsements(collateral),
      roots: [vendor.root.certificate],
    });
    const ours = await verifying.then(
      ({ tcb, debug }) => ({ status: tcb.status, advisories: [...tcb.advisoryIds].sort(), debug }),
      (error: { code: string }) => ({ refused: error.code }),
    );
    return { ours, peers };
  };

  it.each<[string, QuoteOptions]>([
    ["SGX", { tee: "sgx" }],
    ["TDX 1.0", { tee: "tdx" }],
    ["TDX 1.5", { tee: "tdx", td15: {} }],
  ])("%s: accepted by both, with the same status", async (_name, options) => {
    const { ours, peers } = await both(options);
    expect(ours).toMatchObject(peers);
    expect(peers).toEqual({ status: "UpToDate", advisories: [] });
  });
  it("collateral that the simulator writes is collateral that we read", async () => {
    const text = toCollateralJson(await vendor.collateral(machine, "tdx"));
    const read = readEndorsement({ name: "collateral", bytes: new TextEncoder().encode(text) });
    expect(read.documents.map(({ kind }) => kind).sort()).toEqual(["intel.enclaveIdentity", "intel.tcbInfo"]);
  });
  it("an old machine: the same answer from both", async () => {
    const { ours, peers } = await both({ tee: "sgx" }, outdated);
    expect("refused" in ours).toBe("refused" in peers);
    if (!("refused" in peers)) expect(ours).toMatchObject(peers);
  });

  // Deliberate differences.
  it.each([4, 5] as const)("SGX quotes of version %i: the peer knows version 3 alone", async (version) => {
    const { ours, peers } = await both({ tee: "sgx", version });
    expect(ours).toMatchObject({ status: "UpToDate" });
    expect(peers).toEqual({ refused: "SGX TEE quote must have version 3" });
  });
  it("debug: the peer refuses, we say so and appraisal refuses", async () => {
    const tdAttributes = Uint8Array.of(1, 0, 0, 0x10, 0, 0, 0, 0);
    const { ours, peers } = await both({ tee: "tdx", td: { tdAttributes } });
    expect(ours).toMatchObject({ status: "UpToDate", debug: true });
    expect(peers).toEqual({ refused: "Debug mode is enabled" });
  });
});
