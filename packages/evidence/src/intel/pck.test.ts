// SPDX-License-Identifier: Apache-2.0
import { toHex } from "@adyton/core/bytes";
import { parseCertificates } from "@adyton/core/x509";
import { fixtureText, hasFixtures } from "@adyton/testing";
import { describe, expect, it } from "vitest";
import {
  cpuSvnAgrees,
  encodePckExtension,
  parsePckExtension,
  pckExtensionOf,
  SGX_EXTENSION_OID,
} from "./pck.ts";

describe.skipIf(!hasFixtures)("Intel's sample PCK certificates", () => {
  it.each([
    ["sgx/intel-qvl-sample/pckCert.pem", "00707f000000"],
    ["tdx/intel-qvl-sample/pckCert.pem", "ed742af8adf5"],
  ])("%s: parse, encode, same bytes", async (path, fmspc) => {
    const [certificate] = parseCertificates(await fixtureText(path));
    if (certificate === undefined) throw new Error("the fixture holds a certificate");
    const extension = pckExtensionOf(certificate);
    expect(toHex(extension.fmspc)).toBe(fmspc);
    expect(encodePckExtension(extension)).toEqual(
      Uint8Array.from(certificate.extensions.get(SGX_EXTENSION_OID)?.value ?? []),
    );
    expect(parsePckExtension(encodePckExtension(extension))).toEqual(extension);
    expect(cpuSvnAgrees(extension)).toBeTypeOf("boolean");
  });
});
