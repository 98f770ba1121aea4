// SPDX-License-Identifier: Apache-2.0
// PEM text: blocks written back are read alike.

import { equal } from "@adyton/core/bytes";
import { parsePem, toPem } from "@adyton/core/pem";
import { parseCertificates } from "@adyton/core/x509";
import { intelMachine } from "../simulated.ts";
import { bytesOf, textOf, tolerant } from "../tolerant.ts";

export function fuzz(data: Uint8Array): void {
  const text = textOf(data);
  tolerant(
    () => parseCertificates(text),
    () => {
      for (const { label, der } of parsePem(text)) {
        const [again] = parsePem(toPem(label, der));
        if (again === undefined || again.label !== label || !equal(again.der, der))
          throw new Error("a PEM block does not survive writing and reading");
      }
    },
  );
}

export async function seeds(): Promise<Uint8Array[]> {
  const { chain } = await intelMachine();
  return [
    ...chain.map(({ der }) => toPem("CERTIFICATE", der)),
    `${toPem("A", Uint8Array.of(1))}\r\n${toPem("X509 CRL", Uint8Array.of(1, 2, 3, 4))}`,
    "-----BEGIN A-----\n-----END B-----\n",
  ].map(bytesOf);
}
