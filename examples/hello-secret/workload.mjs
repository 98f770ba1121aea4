// SPDX-License-Identifier: Apache-2.0
// A program that proves what it is and is given a secret for it. Copy it and put your work where the secret is printed.

import { createHash } from "node:crypto";
import { createClient } from "@adyton/client";

const NAME = process.env.ADYTON_RESOURCE ?? "default/hello/secret";

try {
  // Finds the TEE that this program runs in; on a laptop that is the software TEE that launched it.
  const client = createClient({ url: process.env.ADYTON_URL ?? "http://127.0.0.1:8080" });
  const secret = await client.getResource(NAME);

  // The secret is here, in this program's memory, and nowhere else outside the broker. Show that without showing it.
  const digest = createHash("sha256").update(secret).digest("hex");
  console.log(`Got ${NAME}: ${secret.length} bytes, SHA-256 ${digest}`);
} catch (error) {
  // Every error says what was found, what was expected and what to try next.
  console.error(`No secret: ${error.message}`);
  if (error.hint !== undefined) console.error(`Next: ${error.hint}`);
  process.exitCode = 1;
}
