// SPDX-License-Identifier: Apache-2.0
// Secrets in a PKCS #11 token: the common suite on SoftHSM.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { beside, testBackend } from "../../test/backend-suite.ts";
import { createSoftHsm, hasSoftHsm, type SoftHsm } from "../../test/softhsm.ts";
import { openPkcs11Token, type Pkcs11Token } from "../pkcs11/token.ts";
import { pkcs11Backend } from "./pkcs11-backend.ts";

describe.skipIf(!hasSoftHsm)("secrets in a token", () => {
  let hsm: SoftHsm;
  let token: Pkcs11Token;

  beforeAll(async () => {
    hsm = createSoftHsm();
    token = await openPkcs11Token(hsm.options);
  });
  afterAll(() => {
    token.close();
  });

  const empty = async () => {
    for (const label of token.secretLabels())
      for (const handle of token.secrets(label)) token.destroy(handle);
    return pkcs11Backend(token);
  };
  testBackend(empty, { versions: false, restores: false });

  it("stand beside keys of others, which are not listed", async () => {
    const backend = await empty();
    token.putSecret("somebody else's", Uint8Array.of(1));
    await backend.put("a/b/c", Uint8Array.of(2), beside);
    expect(await backend.list()).toEqual(["a/b/c"]);
  });
});
