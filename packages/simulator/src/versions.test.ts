// SPDX-License-Identifier: Apache-2.0
// What is newer than the newest known is refused by its number, never read as if it were older: each versioned thing with
// its version one beyond. TPM structures and Nitro documents have none: a new form has a new magic number or algorithm.

import { type Bytes, fromUtf8, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { parseJson } from "@adyton/core/json";
import { schemeOf, verifyEvidence } from "@adyton/evidence";
import { readEndorsement } from "@adyton/evidence/endorsements";
import { parseEventLog } from "@adyton/evidence/eventlog";
import { encodeSeEvidence, encodeSeRequest, parseSeRequest } from "@adyton/evidence/se";
import { parseEnclaveIdentity, parseTcbEvaluationDataNumbers, parseTcbInfo } from "@adyton/evidence/sgx";
import { describe, expect, it } from "vitest";
import {
  createAmdVendor,
  createAzureVm,
  createCcaPlatform,
  createHygonVendor,
  createIntelVendor,
  createNvidiaVendor,
  createSampleVendor,
  createSeHeader,
  createSevVendor,
  simulateBoot,
} from "./index.ts";

const NOW = new Date("2026-06-01T12:00:00Z");
const AMD = { at: NOW, rsaBits: 2048 } as const;

/** A copy with other bytes at `at`. */
function patched(bytes: Uint8Array, at: number, ...values: readonly number[]): Bytes {
  const copy = Uint8Array.from(bytes);
  copy.set(values, at);
  return copy;
}

/** The text with one thing in it replaced, which must stand in it. */
function replaced(bytes: Uint8Array | string, from: string, to: string): Bytes {
  const text = typeof bytes === "string" ? bytes : toUtf8(bytes);
  expect(text).toContain(from);
  return fromUtf8(text.replace(from, to));
}

/** Which TEE it is must be told without its version. */
const verify = (evidence: Uint8Array): Promise<unknown> => verifyEvidence(evidence, { now: NOW });
const read = (bytes: Uint8Array): unknown => readEndorsement({ name: "file", bytes });

const [intel, amd, sev, nvidia] = await Promise.all([
  createIntelVendor({ at: NOW }),
  createAmdVendor(AMD),
  createSevVendor({ rsaBits: 2048 }),
  createNvidiaVendor({ at: NOW }),
]);
const [platform, milan, cca, boot] = await Promise.all([
  intel.platform(),
  amd.platform(),
  createCcaPlatform(),
  simulateBoot(),
]);
const hygon = createHygonVendor();
const azure = await createAzureVm({ amd: milan });
const quote = async (tee: "sgx" | "tdx"): Promise<Bytes> => patched(await platform.quote({ tee }), 0, 6);
const report = async (): Promise<Bytes> => patched(await milan.report({ version: 5 }), 0, 6);
const gpu = async (at: number): Promise<Bytes> => patched(await (await nvidia.device()).report(), at, 0x12);
const csv = hygon.platform();
const request = encodeSeRequest({
  flags: 0n,
  customerKey: new Uint8Array(160),
  slots: [{ phkh: new Uint8Array(32), wrapped: new Uint8Array(48) }],
  iv: new Uint8Array(12),
  sealed: new Uint8Array(80),
});
const exchange = encodeSeEvidence({
  form: "exchange",
  request,
  measurement: new Uint8Array(64),
  additional: new Uint8Array(),
  userData: new Uint8Array(),
  cuid: new Uint8Array(16),
});

describe("a version beyond the newest known", () => {
  it.each<readonly [name: string, code: string, newest: string, act: () => unknown]>([
    ["SGX quote", "UNSUPPORTED_QUOTE_FORMAT", "5", async () => verify(await quote("sgx"))],
    ["TDX quote", "UNSUPPORTED_QUOTE_FORMAT", "5", async () => verify(await quote("tdx"))],
    [
      "TCB info",
      "TCB_INFO_INVALID",
      "3",
      async () =>
        parseTcbInfo(toUtf8(replaced((await intel.tcbInfo("tdx")).body, '"version":3', '"version":4'))),
    ],
    [
      "enclave identity",
      "QE_IDENTITY_INVALID",
      "2",
      async () =>
        parseEnclaveIdentity(
          toUtf8(replaced((await intel.identity("QE")).body, '"version":2', '"version":3')),
        ),
    ],
    [
      "TCB evaluation data numbers",
      "TCB_EVALUATION_DATA_NUMBERS_INVALID",
      "1",
      async () =>
        parseTcbEvaluationDataNumbers(
          toUtf8(replaced((await intel.evaluationNumbers("sgx")).body, '"version":1', '"version":2')),
        ),
    ],
    ["SNP report", "UNSUPPORTED_REPORT_FORMAT", "5", async () => verify(await report())],
    [
      "SNP report as JSON",
      "UNSUPPORTED_REPORT_FORMAT",
      "5",
      async () => {
        const json = schemeOf("snp").toKbs({ evidence: await milan.report({ version: 5 }) });
        const text = toUtf8(replaced(JSON.stringify(json), '"version":5', '"version":6'));
        return schemeOf("snp").fromKbs(parseJson(text));
      },
    ],
    [
      "VCEK",
      "INVALID_VCEK",
      "1",
      async () => {
        const newer = await amd.platform({ extensions: { structVersion: 2 } });
        return verify(await newer.extendedReport());
      },
    ],
    ["SEV CA certificate", "INVALID_SEV_CERTIFICATE", "1", () => read(patched(sev.ask.certificate, 0, 2))],
    [
      "SEV platform certificate",
      "INVALID_SEV_CERTIFICATE",
      "1",
      async () => {
        const [pdh = new Uint8Array()] = (await sev.machine()).certificates;
        return read(patched(pdh, 0, 2));
      },
    ],
    [
      "registers of a CSV report",
      "UNSUPPORTED_REPORT_FORMAT",
      "1",
      () => verify(csv.report({ version: 2, rtmrVersion: 2 })),
    ],
    [
      "Hygon CA certificate",
      "INVALID_CSV_CERTIFICATE",
      "1",
      () => read(patched(hygon.hsk.certificate.bytes, 0, 2)),
    ],
    [
      "Hygon platform certificate",
      "INVALID_CSV_CERTIFICATE",
      "2",
      () => read(patched(csv.pek.certificate.bytes, 0, 3)),
    ],
    [
      "CCA platform profile",
      "UNSUPPORTED_CCA_PROFILE",
      "tag:arm.com,2024:cca_platform#2.0.0",
      async () =>
        verify(
          await cca.token({
            editPlatform: (claims) => claims.set(265, "tag:arm.com,2026:cca_platform#3.0.0"),
          }),
        ),
    ],
    [
      "CCA realm profile",
      "UNSUPPORTED_CCA_PROFILE",
      "tag:arm.com,2024:realm#2.0.0",
      async () =>
        verify(await cca.token({ editRealm: (claims) => claims.set(265, "tag:arm.com,2026:realm#3.0.0") })),
    ],
    ["SPDM request", "INVALID_NVIDIA_REPORT", "1.1", async () => verify(await gpu(0))],
    ["SPDM response", "INVALID_NVIDIA_REPORT", "1.1", async () => verify(await gpu(37))],
    [
      "Secure Execution exchange",
      "INVALID_SE_EVIDENCE",
      "100",
      () => verify(patched(exchange, 8, 0, 0, 2, 0)),
    ],
    [
      "Secure Execution request",
      "INVALID_SE_EVIDENCE",
      "100",
      () => parseSeRequest(patched(request, 8, 0, 0, 2, 0)),
    ],
    [
      "Secure Execution header",
      "INVALID_SE_EVIDENCE",
      "100",
      () => read(patched(createSeHeader(), 8, 0, 0, 2, 0)),
    ],
    [
      "Azure evidence",
      "INVALID_ENVELOPE",
      "2",
      async () => verify(replaced(await azure.evidence(), '"version":2', '"version":3')),
    ],
    [
      "HCL report",
      "INVALID_HCL_REPORT",
      "2",
      async () => verify(await azure.evidence({ alterHcl: (hcl) => ({ ...hcl, version: 3 }) })),
    ],
    [
      "SNP report within an HCL report",
      "UNSUPPORTED_REPORT_FORMAT",
      "5",
      async () => verify(await azure.evidence({ report: { version: 5, edit: (bytes) => bytes.set([6]) } })),
    ],
    ["kind of event log", "INVALID_EVENT_LOG", '"03"', () => parseEventLog(patched(boot.log, 46, 0x34))],
    [
      "major version of an event log",
      "INVALID_EVENT_LOG",
      "2.0",
      () => parseEventLog(patched(boot.log, 53, 3)),
    ],
    [
      "minor version of an event log",
      "INVALID_EVENT_LOG",
      "2.0",
      () => parseEventLog(patched(boot.log, 52, 1)),
    ],
    [
      "sample document",
      "INVALID_SAMPLE_EVIDENCE",
      '"1"',
      async () => {
        const machine = await (await createSampleVendor()).machine();
        const evidence = await machine.evidence({
          launchDigest: new Uint8Array(48),
          reportData: new Uint8Array(),
        });
        return verify(replaced(evidence, '"version":"1"', '"version":"2"'));
      },
    ],
  ])("is refused: %s", async (_name, code, newest, act) => {
    const error: unknown = await Promise.resolve()
      .then(act)
      .catch((reason: unknown) => reason);
    if (!(error instanceof AdytonError)) throw new Error(`no refusal: ${String(error)}`);
    expect([error.code, error.category]).toEqual([code, "malformed"]);
    expect(error.message).toMatch(/^Cannot \w+ /);
    expect(error.message).toContain(`${newest}, the newest known`);
    expect(error.hint).toContain("update Adyton");
  });

  it("does not refuse errata of the event log's specification", () => {
    expect(parseEventLog(patched(boot.log, 54, 0x6a)).events).toHaveLength(boot.events.length);
  });
});
