// SPDX-License-Identifier: Apache-2.0
import { fixtureText, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import { verifyChain } from "./chain.ts";
import { parseCertificates } from "./x509.ts";

describe.skipIf(!hasFixtures)("AMD's published chains", () => {
  it.each(["milan", "milan_vlek", "genoa", "genoa_vlek", "turin_vcek", "turin_vlek"])(
    "%s: ASK to ARK",
    async (name) => {
      const pool = parseCertificates(await fixtureText(`sev-snp/roots/ask_ark_${name}.pem`));
      const [leaf, anchor] = pool;
      if (leaf === undefined || anchor === undefined) throw new Error("the fixture holds two certificates");
      const chain = await verifyChain({
        leaf,
        pool,
        anchors: [anchor],
        at: new Date("2026-07-01T00:00:00Z"),
        crls: "unchecked",
      });
      expect(chain.certificates).toHaveLength(2);
    },
  );
});
