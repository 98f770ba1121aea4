// SPDX-License-Identifier: Apache-2.0
// What this machine gets by attesting: who asks, and where secrets may be written.

import { type Client, createClient } from "@adyton/client";
import type { TeeName } from "@adyton/evidence";
import { misuse } from "../errors.ts";
import { writePrivateFile } from "../files.ts";
import type { Invocation } from "../frame/command.ts";
import type { Io } from "../io.ts";
import { teeOption } from "../values.ts";
import { localAttester } from "./local-tee.ts";
import { servicesUrl, stateFolder } from "./place.ts";

/** A client that attests on this machine. Throws as `detectAttester`. */
export async function attestedClient(
  invocation: Invocation,
  io: Io,
): Promise<{ readonly client: Client; readonly tee: TeeName }> {
  const attester = await localAttester(teeOption(invocation), stateFolder(invocation, io), io);
  return { client: createClient({ url: await servicesUrl(invocation, io), attester }), tee: attester.tee };
}

/**
 * Where --out, --json and --force let a secret go: the file, or undefined for stdout. Throws `MISSING_VALUE` or
 * `SECRET_TO_TERMINAL`. Asked before anything is asked for: a refusal must not cost a release.
 */
export function secretPlace(invocation: Invocation, io: Io): string | undefined {
  const out = invocation.value("out");
  if (out === undefined && invocation.json) {
    throw misuse("MISSING_VALUE", "Cannot put a secret into JSON: expected --out FILE beside --json");
  }
  if (out === undefined && io.stdout.isTTY && !invocation.flag("force")) {
    throw misuse(
      "SECRET_TO_TERMINAL",
      "Cannot show a secret on a terminal: scroll-back and logs would keep it",
      "Write it to a file with --out FILE, pipe it on, or give --force.",
    );
  }
  return out;
}

/** To a file that only its owner can read, or to stdout. */
export async function writeSecret(out: string | undefined, secret: Uint8Array, io: Io): Promise<void> {
  if (out === undefined) io.stdout.write(secret);
  else await writePrivateFile(out, secret, io);
}
