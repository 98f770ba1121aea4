// SPDX-License-Identifier: Apache-2.0
// The claims of an enclave's quote, as Trustee names them; `enclave_attributes` is ours.

import { toHex } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { type Description, hex16, hex32, type Kind } from "./claims.ts";
import type { Quote, QuoteHeader } from "./evidence.ts";
import { otherTee } from "./refusal.ts";
import { bitOf, ENCLAVE_FLAG, type EnclaveReport } from "./reports.ts";

/** An enclave: what SGX quotes speak of. */
export const ENCLAVE: Kind = { tee: "sgx", describe };

function describe({ header, body }: Quote, others: JsonObject): Description {
  if (body.tee !== "sgx") throw otherTee(body.tee, "sgx");
  const { report } = body;
  return {
    tee: "sgx",
    debug: bitOf(report.attributes, ENCLAVE_FLAG.debug),
    initDataField: report.configId,
    claims: claimsOfEnclave(header, report, others),
  };
}

function claimsOfEnclave(header: QuoteHeader, report: EnclaveReport, others: JsonObject): JsonObject {
  const reserved = report.reserved ?? [12, 32, 32, 42].map((size) => new Uint8Array(size));
  const [reserved1, reserved2, reserved3, reserved4] = reserved.map(toHex);
  return {
    ...others,
    header: {
      version: hex16(header.version),
      att_key_type: hex16(header.attestationKeyType),
      att_key_data_0: hex32(header.teeType),
      qe_svn: hex16(header.qeSvn),
      pce_svn: hex16(header.pceSvn),
      vendor_id: toHex(header.qeVendorId),
      user_data: toHex(header.userData),
    },
    body: {
      cpu_svn: toHex(report.cpuSvn),
      misc_select: hex32(report.miscSelect),
      reserved1: reserved1 ?? "",
      isv_ext_prod_id: toHex(report.isvExtProdId),
      "attributes.flags": toHex(report.attributes.subarray(0, 8)),
      "attributes.xfrm": toHex(report.attributes.subarray(8)),
      mr_enclave: toHex(report.mrEnclave),
      reserved2: reserved2 ?? "",
      mr_signer: toHex(report.mrSigner),
      reserved3: reserved3 ?? "",
      config_id: toHex(report.configId),
      isv_prod_id: hex16(report.isvProdId),
      isv_svn: hex16(report.isvSvn),
      config_svn: hex16(report.configSvn),
      reserved4: reserved4 ?? "",
      isv_family_id: toHex(report.isvFamilyId),
      report_data: toHex(report.reportData),
    },
    enclave_attributes: {
      debug: bitOf(report.attributes, ENCLAVE_FLAG.debug),
      init: bitOf(report.attributes, ENCLAVE_FLAG.init),
      mode64: bitOf(report.attributes, ENCLAVE_FLAG.mode64),
      provision_key: bitOf(report.attributes, ENCLAVE_FLAG.provisionKey),
      einittoken_key: bitOf(report.attributes, ENCLAVE_FLAG.einittokenKey),
      kss: bitOf(report.attributes, ENCLAVE_FLAG.kss),
      aex_notify: bitOf(report.attributes, ENCLAVE_FLAG.aexNotify),
    },
    report_data: toHex(report.reportData),
    init_data: toHex(report.configId),
  };
}
