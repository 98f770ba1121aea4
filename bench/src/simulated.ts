// SPDX-License-Identifier: Apache-2.0
// Evidence of the simulator, for TEEs and forms without real evidence that can be verified whole.

import { fromUtf8 } from "@adyton/core/bytes";
import { defaultCrypto, verifyingCrypto } from "@adyton/core/crypto";
import {
  deviceReportDataOf,
  encodeAdditionalEvidence,
  reportDataOf,
  type VerifyOptions,
  verifyComposite,
  verifyEvidence,
} from "@adyton/evidence";
import { createSeRequest, encodeSeExchangeRequest, verifyHostKeyDocument } from "@adyton/evidence/se";
import {
  createAzureVm,
  createIbmVendor,
  createIntelVendor,
  createNvidiaVendor,
  createSeHeader,
  createSevVendor,
  createTpmVendor,
  type IntelPlatform,
  type IntelVendor,
  toCollateralJson,
} from "@adyton/simulator";
import { seChecks } from "./bare.ts";
import type { Case } from "./case.ts";
import { filesOfBag, type ReceivedFile, readAll } from "./files.ts";

const AT = new Date("2026-06-01T12:00:00Z");
const NONCE = fromUtf8("a nonce");

export async function simulatedCases(): Promise<Case[]> {
  const intel = await createIntelVendor({ at: AT });
  const platform = await intel.platform();
  const td = {
    roots: [intel.root.certificate],
    files: await collateralOf(intel, platform),
  };
  return Promise.all([sev(), azureTdx(platform, td), alibaba(), secureExecution(), composite(platform, td)]);
}

async function sev(): Promise<Case> {
  const vendor = await createSevVendor();
  const machine = await vendor.machine();
  const evidence = await machine.report();
  const [files, anchors] = [vendor.endorsements(machine), vendor.anchors].map(filesOfBag);
  return simulated("sev", evidence, { files: files ?? [] }, () => ({ anchors: readAll(anchors ?? []) }));
}

async function azureTdx(platform: IntelPlatform, td: Trusted): Promise<Case> {
  const vm = await createAzureVm({ intel: platform });
  return simulated("az-tdx-vtpm", await vm.evidence({ nonce: NONCE }), td);
}

async function alibaba(): Promise<Case> {
  const vendor = await createTpmVendor({ at: AT });
  const machine = await vendor.machine();
  const evidence = await machine.evidence({ form: "alibaba", nonce: NONCE });
  return simulated("tpm (Alibaba Cloud)", evidence, {
    files: filesOfBag(vendor.endorsements()),
    roots: [vendor.root.certificate],
  });
}

async function secureExecution(): Promise<Case> {
  const vendor = await createIbmVendor({ at: AT });
  const machine = await vendor.machine();
  const header = createSeHeader();
  const bag = await vendor.endorsements({ certificates: [machine.document], headers: [header] });
  const roots = [vendor.root.certificate];
  const hostKey = await verifyHostKeyDocument(machine.document, {
    now: AT,
    certificates: bag.certificates,
    crls: bag.crls,
    roots,
    crypto: verifyingCrypto,
  });
  const made = await createSeRequest({ hostKeys: [hostKey] });
  const evidence = await machine.exchange(encodeSeExchangeRequest(made), header);
  const checks = seChecks(evidence, header, made);
  return {
    ...simulated("se", evidence, { files: filesOfBag(bag), roots }, () => ({
      verifierKeys: [made.protectionKey],
    })),
    bare: { warm: checks, cold: checks },
  };
}

/** A TD and a GPU, bound to one nonce and one key. */
async function composite(platform: IntelPlatform, td: Trusted): Promise<Case> {
  const session = { nonce: "c2Vzc2lvbg==", teePubkey: { kty: "EC", crv: "P-256", x: "a", y: "b" } };
  const nvidia = await createNvidiaVendor({ at: AT });
  const gpu = await nvidia.device();
  const additionalEvidence = encodeAdditionalEvidence([
    {
      tee: "nvidia",
      evidence: await gpu.report({ nonce: await deviceReportDataOf(session, defaultCrypto, 32) }),
      endorsements: { certificates: gpu.chain, crls: [], documents: [] },
    },
  ]);
  const runtimeData = { ...session, additionalEvidence };
  const evidence = await platform.quote({
    tee: "tdx",
    reportData: await reportDataOf(runtimeData, defaultCrypto),
  });
  return {
    title: "tdx and nvidia, composite",
    source: "simulated",
    options: () => optionsOf({ ...td, roots: [...(td.roots ?? []), nvidia.root.certificate] }),
    verify: (options) => verifyComposite({ primary: { tee: "tdx", evidence }, runtimeData }, options),
  };
}

interface Trusted {
  readonly files: readonly ReceivedFile[];
  readonly roots?: VerifyOptions["roots"];
}

function simulated(
  title: string,
  evidence: Uint8Array,
  trusted: Trusted,
  more: () => Partial<VerifyOptions> = () => ({}),
): Case {
  return {
    title,
    source: "simulated",
    options: () => ({ ...optionsOf(trusted), ...more() }),
    verify: (options) => verifyEvidence(evidence, options),
  };
}

function optionsOf({ files, roots = [] }: Trusted): VerifyOptions {
  return { now: AT, endorsements: readAll(files), roots };
}

async function collateralOf(vendor: IntelVendor, platform: IntelPlatform): Promise<ReceivedFile[]> {
  const json = toCollateralJson(await vendor.collateral(platform, "tdx"));
  return [{ name: "collateral.json", bytes: fromUtf8(json) }];
}
