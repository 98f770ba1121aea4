// SPDX-License-Identifier: Apache-2.0
// `adyton token-key`: the keys that sign attestation results.

import type { TokenKey } from "@adyton/client";
import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { adminOf } from "./place.ts";

const ALGORITHMS = ["ES256", "ES384", "EdDSA"] as const;

/** JSON: `{keys: [{id, algorithm, created, retired?, until?}]}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  tell(await (await adminOf(invocation, io)).tokenKeys.list(), invocation, io);
  return EXIT.ok;
}

/** JSON: as `list`. */
export async function rotate(invocation: Invocation, io: Io): Promise<ExitCode> {
  const named = invocation.value("algorithm");
  const algorithm = ALGORITHMS.find((each) => each === named);
  if (named !== undefined && algorithm === undefined)
    throw misuse(
      "INVALID_VALUE",
      `Cannot take ${JSON.stringify(named)} for --algorithm: expected ${ALGORITHMS.join(", ")}`,
    );
  tell(await (await adminOf(invocation, io)).tokenKeys.rotate(algorithm), invocation, io);
  return EXIT.ok;
}

function tell(keys: readonly TokenKey[], invocation: Invocation, io: Io): void {
  if (invocation.json) {
    writeJson(io.stdout, { keys });
    return;
  }
  const rows = keys.map(({ id, algorithm, created, until }) => [
    printable(id),
    printable(algorithm),
    `made ${printable(created)}`,
    until === undefined ? "signs" : `shown until ${printable(until)}`,
  ]);
  io.stdout.write(`${table(rows, 0)}\n`);
}
