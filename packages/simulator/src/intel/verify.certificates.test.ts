// SPDX-License-Identifier: Apache-2.0
// Certificates and revocation lists: every check of Intel's first phase (quote verification library, steps 1 to 7),
// each with a fault of its own.
import { fromHex, fromUtf8 } from "@adyton/core/bytes";
import { ecdsaToDer } from "@adyton/core/crypto";
import { encodeDer } from "@adyton/core/der";
import { toPem } from "@adyton/core/pem";
import type { Certificate } from "@adyton/core/x509";
import { describe, it } from "vitest";
import { AT, after, createScene, expectRefusal } from "../../test/scene.ts";
import { simulatorName } from "./authority.ts";
import type { IntelVendorOptions } from "./vendor.ts";

const scene = await createScene();
const { vendor, platform } = scene;
const named = (role: string) => ({ subject: simulatorName(`Adyton Simulator ${role}`) });
const pckChain = (...chain: readonly Certificate[]) => ({
  type: 5,
  data: fromUtf8(chain.map(({ der }) => toPem("CERTIFICATE", der)).join("")),
});
const stranger = (await createScene()).vendor;

describe("dates and roles of the certificates", () => {
  const faults: readonly (readonly [string, IntelVendorOptions, string, "endorsements" | "not-authentic"])[] =
    [
      ["expired root", { root: { notAfter: after(-1) } }, "PCK_CERT_CHAIN_EXPIRED", "endorsements"],
      [
        "root not valid yet",
        { root: { notBefore: after(1) } },
        "PCK_CERT_CHAIN_NOT_YET_VALID",
        "endorsements",
      ],
      [
        "expired intermediate",
        { platformCa: { notAfter: after(-1) } },
        "PCK_CERT_CHAIN_EXPIRED",
        "endorsements",
      ],
      [
        "intermediate not valid yet",
        { platformCa: { notBefore: after(1) } },
        "PCK_CERT_CHAIN_NOT_YET_VALID",
        "endorsements",
      ],
      [
        "expired TCB signer",
        { tcbSigner: { notAfter: after(-1) } },
        "TCB_SIGNING_CERT_EXPIRED",
        "endorsements",
      ],
      [
        "TCB signer not valid yet",
        { tcbSigner: { notBefore: after(1) } },
        "TCB_SIGNING_CERT_NOT_YET_VALID",
        "endorsements",
      ],
      ["root of another role", { root: named("Root CA") }, "SGX_ROOT_CA_MISSING", "endorsements"],
      [
        "intermediate of another role",
        { platformCa: named("SGX PCK Signer") },
        "INTERMEDIATE_CA_MISSING",
        "endorsements",
      ],
      [
        "TCB signer of another role",
        { tcbSigner: named("SGX PCK Certificate") },
        "TCB_SIGNING_CERT_MISSING",
        "endorsements",
      ],
    ];
  it.each(faults)("%s", async (_, options, code, category) => {
    const faulty = await createScene(options);
    await expectRefusal(faulty.verify("sgx"), code, category);
    await expectRefusal(faulty.verify("tdx"), code, category);
  });

  it.each([
    ["expired PCK", { notAfter: after(-1) }, "PCK_CERT_CHAIN_EXPIRED", "endorsements"],
    ["PCK not valid yet", { notBefore: after(1) }, "PCK_CERT_CHAIN_NOT_YET_VALID", "endorsements"],
    ["PCK of another role", named("SGX TCB Signing"), "PCK_MISSING", "endorsements"],
    ["PCK without its extension", { extensions: [] }, "INVALID_PCK_CERT", "malformed"],
  ] as const)("%s", async (_, pck, code, category) => {
    await expectRefusal(scene.verify("sgx", { platform: await vendor.platform({ pck }) }), code, category);
  });
});

describe("who signed the certificates", () => {
  it("a PCK certificate signed by another key in the CA's name", async () => {
    const issuer = { name: vendor.platformCa.name, key: stranger.platformCa.key };
    const forged = await vendor.platform({ pck: { issuer } });
    await expectRefusal(
      scene.verify("sgx", { platform: forged }),
      "PCK_CERT_CHAIN_UNTRUSTED",
      "not-authentic",
    );
  });

  it("a PCK certificate issued by the root directly", async () => {
    const short = await vendor.platform({ pck: { issuer: vendor.root } });
    await expectRefusal(scene.verify("sgx", { platform: short }), "INTERMEDIATE_CA_MISSING", "endorsements");
  });

  it("a PCK certificate issued by another PCK certificate", async () => {
    const forged = await vendor.platform({ pck: { issuer: platform.pck } });
    const certification = pckChain(forged.pck.certificate, ...platform.chain);
    await expectRefusal(
      scene.verify("sgx", { platform: forged, quote: { certification } }),
      "PCK_CERT_CHAIN_UNTRUSTED",
      "not-authentic",
    );
  });

  it("an intermediate signed by another key in the root's name", async () => {
    const issuer = { name: vendor.root.name, key: stranger.root.key };
    const forged = await createScene({ platformCa: { issuer } });
    await expectRefusal(forged.verify("tdx"), "PCK_CERT_CHAIN_UNTRUSTED", "not-authentic");
  });

  it("an intermediate that is no CA", async () => {
    const issuer = await vendor.certifyTcbSigner(named("SGX PCK Platform CA"));
    const forged = await vendor.platform({ pck: { issuer } });
    const certification = pckChain(forged.pck.certificate, issuer.certificate, vendor.root.certificate);
    await expectRefusal(
      scene.verify("sgx", { platform: forged, quote: { certification } }),
      "PCK_CERT_CHAIN_UNTRUSTED",
      "not-authentic",
    );
  });

  it("an intermediate that may not sign certificates", async () => {
    const faulty = await createScene({ platformCa: { keyUsage: [0] } });
    await expectRefusal(faulty.verify("tdx"), "PCK_CERT_CHAIN_UNTRUSTED", "not-authentic");
  });

  it("a root of the same name and another key", async () => {
    await expectRefusal(
      scene.verify("sgx", { options: { roots: [stranger.root.certificate] } }),
      "PCK_CERT_CHAIN_UNTRUSTED",
      "not-authentic",
    );
  });

  it("a chain without its intermediate, in quote and bag", async () => {
    const certification = pckChain(platform.pck.certificate);
    const bag = await vendor.endorsements(platform, "sgx");
    const certificates = bag.certificates.filter((c) => c !== vendor.platformCa.certificate);
    await expectRefusal(
      scene.verify("sgx", { quote: { certification }, endorsements: { ...bag, certificates } }),
      "INTERMEDIATE_CA_MISSING",
      "endorsements",
    );
  });

  it("certification data without any certificate", async () => {
    const certification = { type: 5, data: fromUtf8("no certificate here") };
    await expectRefusal(scene.verify("sgx", { quote: { certification } }), "PCK_MISSING", "endorsements");
  });

  it("a TCB signer certified by another root's key", async () => {
    const issuer = { name: vendor.root.name, key: stranger.root.key };
    const { certificate } = await vendor.certifyTcbSigner({ issuer, key: vendor.tcbSigner.key });
    await expectRefusal(
      scene.verify("sgx", { replace: { tcbSigner: certificate } }),
      "TCB_SIGNING_CERT_CHAIN_UNTRUSTED",
      "not-authentic",
    );
  });

  it("a TCB signer certified by the Platform CA", async () => {
    const issuer = vendor.platformCa;
    const { certificate } = await vendor.certifyTcbSigner({ issuer, key: vendor.tcbSigner.key });
    await expectRefusal(
      scene.verify("sgx", { replace: { tcbSigner: certificate } }),
      "TCB_SIGNING_CERT_CHAIN_UNTRUSTED",
      "not-authentic",
    );
  });

  it("no TCB signer", async () => {
    const bag = await vendor.endorsements(platform, "tdx");
    const certificates = bag.certificates.filter((c) => c !== vendor.tcbSigner.certificate);
    await expectRefusal(
      scene.verify("tdx", { endorsements: { ...bag, certificates } }),
      "TCB_SIGNING_CERT_MISSING",
      "endorsements",
    );
  });
});

describe("revocation", () => {
  it("a revoked PCK certificate", async () => {
    const pckCrl = await vendor.pckCrl("platform", { revoked: ["01", platform.pck.certificate, "02"] });
    await expectRefusal(scene.verify("sgx", { replace: { pckCrl } }), "PCK_REVOKED", "not-authentic");
    await expectRefusal(scene.verify("tdx", { replace: { pckCrl } }), "PCK_REVOKED", "not-authentic");
  });

  it("a revoked PCK certificate of the Processor CA", async () => {
    const client = await vendor.platform({ ca: "processor" });
    const pckCrl = await vendor.pckCrl("processor", { revoked: [client.pck.certificate] });
    await expectRefusal(
      scene.verify("sgx", { platform: client, replace: { pckCrl } }),
      "PCK_REVOKED",
      "not-authentic",
    );
  });

  it("a revoked intermediate", async () => {
    const rootCrl = await vendor.rootCrl({ revoked: [vendor.platformCa.certificate] });
    await expectRefusal(
      scene.verify("tdx", { replace: { rootCrl } }),
      "INTERMEDIATE_CA_REVOKED",
      "not-authentic",
    );
  });

  it("a revoked TCB signer", async () => {
    const rootCrl = await vendor.rootCrl({ revoked: [vendor.tcbSigner.certificate] });
    await expectRefusal(
      scene.verify("tdx", { replace: { rootCrl } }),
      "TCB_SIGNING_CERT_REVOKED",
      "not-authentic",
    );
  });

  it("others' revocations do not matter", async () => {
    const pckCrl = await vendor.pckCrl("platform", { revoked: ["0badc0de"] });
    await scene.verify("sgx", { replace: { pckCrl } });
  });
});

describe.each([
  ["the root's CRL", "rootCrl", "ROOT_CA_CRL_MISSING"],
  ["the PCK CA's CRL", "pckCrl", "PCK_CRL_MISSING"],
] as const)("%s", (_, part, missing) => {
  const issuer = part === "rootCrl" ? vendor.root : vendor.platformCa;
  const make = (change: Parameters<typeof vendor.rootCrl>[0]) =>
    part === "rootCrl" ? vendor.rootCrl(change) : vendor.pckCrl("platform", change);
  const refused = (crl: Uint8Array | undefined, code: string, category: "endorsements" | "not-authentic") =>
    expectRefusal(scene.verify("sgx", { replace: { [part]: crl } }), code, category);

  it("missing", () => refused(undefined, missing, "endorsements"));

  it("expired", async () => refused(await make({ nextUpdate: after(-0.5) }), "CRL_EXPIRED", "endorsements"));

  it("not valid yet", async () =>
    refused(await make({ thisUpdate: after(1) }), "CRL_NOT_YET_VALID", "endorsements"));

  it("issued under another name", async () =>
    refused(
      await make({ issuer: { name: named("SGX Root CB").subject, key: issuer.key } }),
      missing,
      "endorsements",
    ));

  it("issued by another key under the right name", async () =>
    refused(
      await make({ issuer: { name: issuer.name, key: stranger.root.key } }),
      "CRL_UNKNOWN_ISSUER",
      "not-authentic",
    ));

  it("with a broken signature", async () => {
    const crl = await make({});
    crl[crl.length - 1] = (crl.at(-1) ?? 0) ^ 1;
    await refused(crl, "CRL_INVALID_SIGNATURE", "not-authentic");
  });

  it("with a critical extension that nobody knows", async () =>
    refused(
      await make({ extensions: [{ oid: "2.5.29.27", critical: true, value: encodeDer.integer(1) }] }),
      "CRL_INVALID_EXTENSIONS",
      "not-authentic",
    ));

  it("without the extensions that every CRL of Intel has", async () => {
    const algorithm = encodeDer.sequence(encodeDer.oid("1.2.840.10045.4.3.2"));
    const tbs = encodeDer.sequence(
      encodeDer.integer(1),
      algorithm,
      issuer.certificate.subject.der,
      encodeDer.time(after(-1)),
      encodeDer.time(after(29)),
    );
    const signature = ecdsaToDer(await issuer.key.sign({ name: "ECDSA", hash: "SHA-256" }, tbs));
    const crl = encodeDer.sequence(tbs, algorithm, encodeDer.bitString(signature));
    await refused(crl, "CRL_INVALID_EXTENSIONS", "not-authentic");
  });
});

describe("CRLs and their places", () => {
  it("the Processor CA's CRL does not speak for the Platform CA", async () => {
    const pckCrl = await vendor.pckCrl("processor");
    await expectRefusal(scene.verify("sgx", { replace: { pckCrl } }), "PCK_CRL_MISSING", "endorsements");
  });

  it("an expired CRL that revokes does not hide behind its date", async () => {
    const pckCrl = await vendor.pckCrl("platform", {
      revoked: [platform.pck.certificate],
      nextUpdate: after(-0.5),
    });
    await expectRefusal(scene.verify("sgx", { replace: { pckCrl } }), "CRL_EXPIRED", "endorsements");
  });

  it("a time that is no date", async () => {
    await expectRefusal(
      scene.verify("sgx", { options: { now: new Date(Number.NaN) } }),
      "INVALID_TIME",
      "misuse",
    );
  });

  it.each([
    ["before anything was issued", after(-400), "PCK_CERT_CHAIN_NOT_YET_VALID"],
    ["after everything expired", after(40 * 365), "PCK_CERT_CHAIN_EXPIRED"],
  ])("%s", async (_, now, code) => {
    await expectRefusal(scene.verify("tdx", { options: { now } }), code, "endorsements");
  });

  it("the last valid second counts, the next one does not", async () => {
    const until = new Date(AT.getTime() + 5000);
    const pckCrl = await vendor.pckCrl("platform", { nextUpdate: until });
    await scene.verify("sgx", { replace: { pckCrl }, options: { now: until } });
    await expectRefusal(
      scene.verify("sgx", { replace: { pckCrl }, options: { now: new Date(until.getTime() + 1000) } }),
      "CRL_EXPIRED",
      "endorsements",
    );
  });
});

describe("the PCK certificate's extension", () => {
  it.each([
    ["no DER", fromHex("00")],
    ["empty", encodeDer.sequence()],
    ["an unknown member", encodeDer.sequence(encodeDer.sequence(encodeDer.oid("1.2.3"), encodeDer.null()))],
  ])("%s", async (_, value) => {
    const pck = { extensions: [{ oid: "1.2.840.113741.1.13.1", value }] };
    await expectRefusal(
      scene.verify("sgx", { platform: await vendor.platform({ pck }) }),
      "INVALID_PCK_CERT",
      "malformed",
    );
  });
});
