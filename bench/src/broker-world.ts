// SPDX-License-Identifier: Apache-2.0
// What a broker is measured in: a simulated TD, all that is published for it in a state folder, values and a secret.

import { randomBytes } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type ReferenceValues, referenceValuesFrom } from "@adyton/appraisal";
import { createAdmin, type Fetch } from "@adyton/client";
import { toPem } from "@adyton/core/pem";
import { type VerifyOptions, verifyEvidence } from "@adyton/evidence";
import { createIntelVendor, toCollateralJson } from "@adyton/simulator";
import { Guest, type GuestSeed, guestSeedOn } from "./broker-guest.ts";

export interface BrokerWorld {
  readonly seed: GuestSeed;
  /** For verification beside the broker. */
  readonly trusted: VerifyOptions;
  /** A new state folder with endorsements and the simulator's root. */
  newFolder(): string;
  /** Gives a broker over such a folder what an administrator would: reference values and `default/bench/secret`. */
  furnish(url: string, token: string, fetch?: Fetch): Promise<void>;
  /** Removes its folders. */
  remove(): void;
}

export async function createWorld(): Promise<BrokerWorld> {
  const vendor = await createIntelVendor();
  const platform = await vendor.platform();
  const seed = await guestSeedOn(platform);
  const collateral = toCollateralJson(await vendor.collateral(platform, "tdx"));
  const trusted: VerifyOptions = {
    now: new Date(),
    endorsements: await vendor.endorsements(platform, "tdx"),
    roots: [vendor.root.certificate],
  };
  const quote = new Guest(seed).quoteOver(new Uint8Array(64));
  const values: ReferenceValues = referenceValuesFrom(
    await verifyEvidence(quote, { ...trusted, tee: "tdx" }),
  );
  const parent = mkdtempSync(join(tmpdir(), "adyton-bench-"));
  let folders = 0;
  return {
    seed,
    trusted,
    newFolder: () => {
      const folder = join(parent, String(++folders));
      for (const part of ["endorsements", "roots"])
        mkdirSync(join(folder, part), { recursive: true, mode: 0o700 });
      writeFileSync(join(folder, "endorsements", "collateral.json"), collateral);
      writeFileSync(join(folder, "roots", "root.pem"), toPem("CERTIFICATE", vendor.root.certificate.der));
      return folder;
    },
    furnish: async (url, token, fetch) => {
      const admin = createAdmin({ url, token, ...(fetch === undefined ? {} : { fetch }) });
      await admin.setReferenceValues(values);
      await admin.putResource("default/bench/secret", randomBytes(32));
    },
    remove: () => rmSync(parent, { recursive: true, force: true }),
  };
}
