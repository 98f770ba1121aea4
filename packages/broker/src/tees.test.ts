// SPDX-License-Identifier: Apache-2.0
// Every TEE from challenge to secret, with the simulator's evidence; and init-data in each TEE's field, in each hash.
// IBM Secure Execution, whose evidence answers a request, has secure-execution.test.ts; further devices have devices.test.ts.

import { createHash } from "node:crypto";
import { defaultCrypto } from "@adyton/core/crypto";
import type { JsonObject } from "@adyton/core/json";
import { reportDataOf, SCHEMES, schemeOf, type TeeName } from "@adyton/evidence";
import type { Endorsements } from "@adyton/evidence/endorsements";
import {
  createAmdVendor,
  createAzureVm,
  createCcaPlatform,
  createHygonVendor,
  createIntelVendor,
  createNitroVendor,
  createTpmVendor,
} from "@adyton/simulator";
import { decodeJwt } from "jose";
import { afterEach, describe, expect, it } from "vitest";
import {
  authBody,
  createHarness,
  DIGEST,
  type Harness,
  jsonOf,
  PAIR,
  refusalOf,
  secretOf,
  vendor,
} from "../test/harness.ts";
import type { BrokerOptions } from "./broker.ts";

const AT = new Date("2026-03-01T12:00:00Z");
const SECRET = "/kbs/v0/resource/default/key/1";
const HASHES = ["sha256", "sha384", "sha512"] as const;

interface Case {
  readonly trusted: Pick<BrokerOptions, "roots" | "anchors"> & { readonly endorsements?: Endorsements };
  /** `initData` as it stands in the TEE's field. */
  evidence(reportData: Uint8Array, initData?: Uint8Array): Promise<Uint8Array>;
  /** Bytes of the init-data field; undefined where the TEE has none of its own. */
  readonly width?: number;
}

const intel = await createIntelVendor({ at: AT });
const [machine, amd, cca, nitro, tpm, software] = await Promise.all([
  intel.platform(),
  createAmdVendor({ at: AT, rsaBits: 2048 }),
  createCcaPlatform(),
  createNitroVendor({ at: AT }),
  createTpmVendor({ at: AT }),
  vendor(),
]);
const [milan, enclave, measured, sample] = await Promise.all([
  amd.platform(),
  nitro.enclave(),
  tpm.machine(),
  software.machine(),
]);
const [snpVm, tdxVm] = await Promise.all([createAzureVm({ amd: milan }), createAzureVm({ intel: machine })]);
const hygon = createHygonVendor();
const csv = hygon.platform();
const ofIntel = async (tee: "sgx" | "tdx") => ({
  roots: [intel.root.certificate],
  endorsements: await intel.endorsements(machine, tee),
});
const ofAmd = { roots: [amd.ark.certificate], endorsements: amd.endorsements(milan.vcek.certificate) };

const CASES: Readonly<Partial<Record<TeeName, Case>>> = {
  tdx: {
    trusted: await ofIntel("tdx"),
    width: 48,
    evidence: (reportData, mrConfigId) =>
      machine.quote({ tee: "tdx", reportData, ...(mrConfigId === undefined ? {} : { td: { mrConfigId } }) }),
  },
  sgx: {
    trusted: await ofIntel("sgx"),
    width: 64,
    evidence: (reportData, configId) =>
      machine.quote({ tee: "sgx", reportData, ...(configId === undefined ? {} : { enclave: { configId } }) }),
  },
  snp: {
    trusted: ofAmd,
    width: 32,
    evidence: (reportData, hostData) =>
      milan.report({ reportData, ...(hostData === undefined ? {} : { hostData }) }),
  },
  cca: {
    trusted: { roots: [], anchors: cca.anchors },
    width: 64,
    evidence: (reportData, initData) =>
      cca.token({ reportData, ...(initData === undefined ? {} : { initData }) }),
  },
  sample: {
    trusted: { roots: [software.root] },
    width: 64,
    evidence: (reportData, initData) =>
      sample.evidence({
        launchDigest: DIGEST,
        reportData,
        ...(initData === undefined ? {} : { initData }),
      }),
  },
  csv: {
    trusted: { roots: [], anchors: hygon.anchors, endorsements: hygon.endorsements() },
    evidence: async (reportData) => csv.reportWithChain({ reportData }),
  },
  nitro: {
    trusted: { roots: [nitro.root.certificate], endorsements: nitro.endorsements() },
    evidence: (userData) => enclave.document({ userData }),
  },
  tpm: {
    trusted: { roots: [tpm.root.certificate], endorsements: tpm.endorsements() },
    evidence: (nonce) => measured.evidence({ nonce }),
  },
  "az-snp-vtpm": { trusted: ofAmd, evidence: (nonce) => snpVm.evidence({ nonce }) },
  "az-tdx-vtpm": { trusted: await ofIntel("tdx"), evidence: (nonce) => tdxVm.evidence({ nonce }) },
};
const ELSEWHERE: readonly TeeName[] = ["se", "nvidia", "sev"];

let harness: Harness;
afterEach(() => harness.close());

async function start({ endorsements, ...trusted }: Case["trusted"]): Promise<void> {
  harness = await createHarness({
    ...trusted,
    ...(endorsements === undefined ? {} : { endorsements: async () => endorsements }),
    resourcePolicy: {
      id: "any-attested",
      allow: ({ claims }) => ({ allow: claims.submods.cpu0 !== undefined, findings: [] }),
    },
  });
  await harness.admin("POST", SECRET, "open sesame");
}

/** An attestation with evidence of `tee`; the document goes along where there is one. */
async function attest(
  tee: TeeName,
  one: Case,
  document?: string,
  field?: Uint8Array,
): Promise<{ answer: Response; cookie: string }> {
  const challenge = await harness.auth(authBody({ tee }));
  const data = { nonce: challenge.nonce, teePubkey: PAIR.jwk, additionalEvidence: "" };
  const { runtimeDataHash } = schemeOf(tee);
  const evidence = await one.evidence(await reportDataOf(data, defaultCrypto, runtimeDataHash), field);
  const answer = await harness.attest(challenge, {
    primary: schemeOf(tee).toKbs({ evidence }),
    ...(document === undefined ? {} : { initData: { format: "toml", body: document } }),
  });
  return { answer, cookie: challenge.cookie };
}

function fieldOf(hash: string, document: string, width: number): Uint8Array {
  const field = new Uint8Array(width);
  field.set(createHash(hash).update(document).digest().subarray(0, width));
  return field;
}

describe("from challenge to secret", () => {
  it("every TEE is here or has a test of its own", async () => {
    harness = await createHarness();
    const known = SCHEMES.map(({ tee }) => tee).toSorted();
    expect([...Object.keys(CASES), ...ELSEWHERE].toSorted()).toEqual(known);
  });

  it.each(Object.keys(CASES) as TeeName[])("%s", async (tee) => {
    const one = caseOf(tee);
    await start(one.trusted);
    const { answer, cookie } = await attest(tee, one);
    expect(answer.status, await answer.clone().text()).toBe(200);
    const { token } = await jsonOf(answer);
    const { submods } = decodeJwt<{ submods: Record<string, JsonObject> }>(String(token));
    const evidence = submods.cpu0?.["ear.veraison.annotated-evidence"] as JsonObject;
    expect(evidence).toHaveProperty([tee]);
    expect(evidence.runtime_data_claims).toMatchObject({ "tee-pubkey": PAIR.jwk });
    const got = await harness.call("GET", SECRET, { headers: { cookie } });
    expect(await secretOf(got)).toBe("open sesame");
  });

  it("evidence of a device alone is refused", async () => {
    harness = await createHarness();
    const challenge = await harness.auth(authBody({ tee: "nvidia" }));
    expect((await harness.attest(challenge, { primary: {} })).status).toBe(401);
  });
});

describe("init-data", () => {
  const withField = Object.entries(CASES).flatMap(([tee, { width }]) =>
    width === undefined ? [] : HASHES.map((hash) => [tee as TeeName, hash, width] as const),
  );
  it.each(withField)("of %s by %s", async (tee, hash, width) => {
    const one = caseOf(tee);
    await start(one.trusted);
    const document = `version = "0.1.0"\nalgorithm = "${hash}"\n\n[data]\n"x.toml" = "y"\n`;
    const field = fieldOf(hash, document, width);
    const { answer } = await attest(tee, one, document, field);
    expect(answer.status, await answer.clone().text()).toBe(200);
    const { submods } = decodeJwt<{ submods: Record<string, JsonObject> }>(
      String((await jsonOf(answer)).token),
    );
    expect(submods.cpu0?.["ear.veraison.annotated-evidence"]).toMatchObject({
      init_data_claims: { "x.toml": "y" },
    });
    const other = HASHES.find((each) => each !== hash) ?? hash;
    for (const wrong of [
      fieldOf(hash, `${document}# more`, width),
      fieldOf(other, document, width),
      new Uint8Array(width),
    ])
      expect((await refusalOf((await attest(tee, one, document, wrong)).answer)).code).toBe(
        "INIT_DATA_MISMATCH",
      );
  });

  it.each(["csv", "nitro"] as const)("of %s is refused: it binds none", async (tee) => {
    const one = caseOf(tee);
    await start(one.trusted);
    const document = 'version = "0.1.0"\nalgorithm = "sha256"\n\n[data]\n';
    expect((await refusalOf((await attest(tee, one, document)).answer)).code).toBe("INIT_DATA_MISMATCH");
  });
});

function caseOf(tee: TeeName): Case {
  const one = CASES[tee];
  if (one === undefined) throw new TypeError(`no case of ${tee}`);
  return one;
}
