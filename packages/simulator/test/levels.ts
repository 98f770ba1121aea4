// SPDX-License-Identifier: Apache-2.0
// TCB levels and module identities for tests, short to write.

import { DEFAULT_PCE_SVN } from "../src/intel/defaults.ts";
import type {
  IsvLevelTemplate,
  ModuleIdentityTemplate,
  ModuleSignerTemplate,
  TcbLevelTemplate,
} from "../src/intel/documents.ts";
import { after } from "./scene.ts";

/** A level of 50 days ago at the default PCESVN. */
export function level(
  sgx: readonly number[],
  status: string,
  more: Partial<TcbLevelTemplate> = {},
): TcbLevelTemplate {
  return { sgx, pceSvn: DEFAULT_PCE_SVN, status, date: after(-50), ...more };
}

/** A level of an enclave or module, of 70 days ago. */
export function isv(isvSvn: number, status: string, more: Partial<IsvLevelTemplate> = {}): IsvLevelTemplate {
  return { isvSvn, status, date: after(-70), ...more };
}

/** Intel's modules are signed by a zero key and have no attributes. */
export const ZERO_SIGNER: ModuleSignerTemplate = {
  mrSigner: new Uint8Array(48),
  attributes: new Uint8Array(8),
  attributesMask: new Uint8Array(8).fill(0xff),
};

/** A module identity with that signer. */
export function identity(
  id: string,
  levels: readonly IsvLevelTemplate[],
  more: Partial<ModuleIdentityTemplate> = {},
): ModuleIdentityTemplate {
  return { id, ...ZERO_SIGNER, levels, ...more };
}
