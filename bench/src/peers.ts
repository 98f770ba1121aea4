// SPDX-License-Identifier: Apache-2.0
// Other npm verifiers on the same evidence. Each accepts it, or the benchmark fails: a refusal must not look fast.

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { gzipSync } from "node:zlib";
import type { Case } from "./cases.ts";
import type { Contender } from "./measure.ts";

const require = createRequire(import.meta.url);

export async function peersOf(of: Case): Promise<Contender[]> {
  return of.tee === "snp" ? [await tinfoil(of)] : [await phala(of), await phalaWeb(of)];
}

/** Pure JavaScript. */
async function phala(of: Case): Promise<Contender> {
  const { verify } = await import("@phala/dcap-qvl");
  const collateral = collateralOf(of);
  const seconds = of.now.getTime() / 1000;
  const run = (): unknown => verify(of.evidence, collateral as never, seconds);
  run();
  return { name: "@phala/dcap-qvl", run };
}

/** Rust compiled to WebAssembly. */
async function phalaWeb(of: Case): Promise<Contender> {
  const { initSync, js_verify } = await import("@phala/dcap-qvl-web");
  initSync({ module: await readFile(require.resolve("@phala/dcap-qvl-web/dcap-qvl-web_bg.wasm")) });
  const collateral = collateralOf(of);
  const quote = Array.from(of.evidence);
  const seconds = BigInt(of.now.getTime() / 1000);
  const run = (): unknown => js_verify(quote, collateral, seconds);
  run();
  return { name: "@phala/dcap-qvl-web", run };
}

async function tinfoil(of: Case): Promise<Contender> {
  const { PredicateType, verifyAttestation } = await import("@tinfoilsh/verifier");
  const document = { format: PredicateType.SevGuestV2, body: gzipSync(of.evidence).toString("base64") };
  const pem = Buffer.from(of.files[0]?.bytes ?? new Uint8Array()).toString("latin1");
  const vcek = pem.replace(/-----[^-]+-----|\s/g, "");
  const run = (): unknown => verifyAttestation(document, vcek);
  await run();
  return { name: "@tinfoilsh/verifier", run };
}

function collateralOf(of: Case): unknown {
  return JSON.parse(new TextDecoder().decode(of.files[0]?.bytes));
}
