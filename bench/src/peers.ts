// SPDX-License-Identifier: Apache-2.0
// Other npm verifiers on the same evidence. Each accepts it, or the benchmark fails: a refusal must not look fast.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import type { Contender } from "./measure.ts";

const require = createRequire(import.meta.url);

/** Pure JavaScript. */
export async function phala(quote: Uint8Array, collateral: unknown, at: Date): Promise<Contender> {
  const { verify } = await import("@phala/dcap-qvl");
  const seconds = at.getTime() / 1000;
  const run = (): unknown => verify(quote, collateral as never, seconds);
  run();
  return { name: "@phala/dcap-qvl", run };
}

/** Rust compiled to WebAssembly. */
export async function phalaWeb(quote: Uint8Array, collateral: unknown, at: Date): Promise<Contender> {
  const { initSync, js_verify } = await import("@phala/dcap-qvl-web");
  initSync({ module: await readFile(require.resolve("@phala/dcap-qvl-web/dcap-qvl-web_bg.wasm")) });
  const bytes = Array.from(quote);
  const seconds = BigInt(at.getTime() / 1000);
  const run = (): unknown => js_verify(bytes, collateral, seconds);
  run();
  return { name: "@phala/dcap-qvl-web", run };
}

export async function tinfoil(report: Uint8Array, vcekPem: string): Promise<Contender> {
  const { PredicateType, verifyAttestation } = await import("@tinfoilsh/verifier");
  const document = { format: PredicateType.SevGuestV2, body: gzipSync(report).toString("base64") };
  const vcek = vcekPem.replace(/-----[^-]+-----|\s/g, "");
  const run = (): unknown => verifyAttestation(document, vcek);
  await run();
  return { name: "@tinfoilsh/verifier", run };
}
