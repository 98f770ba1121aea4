// SPDX-License-Identifier: Apache-2.0
// The keys of tokens, as an administrator sees them: of the whole broker, or of a tenant in its room.

import { EAR_ALGORITHMS } from "@adyton/appraisal";
import { z } from "zod";
import { jsonOf, matching } from "../protocol.ts";
import { readText } from "./body.ts";
import type { App, AppParts } from "./parts.ts";

const PATH = "/v1/token-keys";
const wish = z.strictObject({ algorithm: z.enum(EAR_ALGORITHMS).exactOptional() });

export function addTokenKeyRoutes(app: App, parts: AppParts): void {
  const { authorize, maxBodyBytes, tokenKeys, tokenLifetimeSeconds: lifetimeSeconds } = parts;
  app.get(PATH, async (c) => {
    await authorize(c.req.raw, "key.read", "tokens");
    return c.json({ keys: await tokenKeys.list() });
  });
  app.post(`${PATH}/rotate`, async (c) => {
    const { id: by } = await authorize(c.req.raw, "key.manage", "tokens");
    const text = await readText(c.req.raw, maxBodyBytes);
    const asked = text === "" ? {} : matching(wish, jsonOf(text));
    return c.json({ keys: await tokenKeys.rotate({ ...asked, lifetimeSeconds, by }) });
  });
}
