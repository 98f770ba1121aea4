// SPDX-License-Identifier: Apache-2.0
// Which Compute Engine instance a vTPM's key belongs to: extension 1.3.6.1.4.1.11129.2.1.21 of Google's certificates.

import { toHex } from "@adyton/core/bytes";
import { type DerValue, parseDer } from "@adyton/core/der";
import type { JsonObject } from "@adyton/core/json";
import type { Certificate } from "@adyton/core/x509";
import { invalidStructure } from "../tpm/error.ts";

const INSTANCE_INFO = "1.3.6.1.4.1.11129.2.1.21";

/** The instance as claims, empty when the certificate names none. Throws `INVALID_DER` or `INVALID_TPM_STRUCTURE`. */
export function instanceClaims(certificate: Certificate): JsonObject {
  const extension = certificate.extensions.get(INSTANCE_INFO);
  if (extension === undefined) return {};
  const [zone, projectNumber, projectId, instanceId, instanceName] = parseDer(
    extension.value,
    "instance info",
  ).sequence();
  if (instanceName === undefined) throw invalidStructure("instance info", "fewer than five fields");
  return {
    gce_instance: {
      zone: (zone as DerValue).string(),
      project_number: decimal(projectNumber as DerValue),
      project_id: (projectId as DerValue).string(),
      instance_id: decimal(instanceId as DerValue),
      instance_name: instanceName.string(),
    },
  };
}

/** Identifiers of 64 bits are text in JSON. */
function decimal(value: DerValue): string {
  return BigInt(`0x${toHex(value.unsigned())}`).toString();
}
