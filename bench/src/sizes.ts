// SPDX-License-Identifier: Apache-2.0
// What a browser downloads to verify one kind of evidence: minified, gzipped.

import { fileURLToPath } from "node:url";
import { BUDGETS, gzippedSize } from "@adyton/tools/size";

export interface BundleSize {
  readonly title: string;
  /** Null where the package does not bundle for browsers as it is. */
  readonly gzipBytes: number | null;
}

const PEERS = [
  { title: "@phala/dcap-qvl", code: 'export { verify } from "@phala/dcap-qvl";' },
  {
    title: "@phala/dcap-qvl-web (without its WebAssembly)",
    code: 'export { default, js_verify } from "@phala/dcap-qvl-web";',
  },
  { title: "@tinfoilsh/verifier", code: 'export { verifyAttestation } from "@tinfoilsh/verifier";' },
];

export async function bundleSizes(): Promise<BundleSize[]> {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const sizes: BundleSize[] = [];
  for (const { title, code } of [...BUDGETS, ...PEERS]) {
    let gzipBytes: number | null = null;
    try {
      gzipBytes = await gzippedSize(root, code);
    } catch (error) {
      // A peer that needs Node modules is reported as such; ours must bundle.
      if (BUDGETS.some((budget) => budget.title === title)) throw error;
    }
    sizes.push({ title, gzipBytes });
  }
  return sizes;
}
