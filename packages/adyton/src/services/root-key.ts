// SPDX-License-Identifier: Apache-2.0
// `adyton root-key`: the running broker's, and those of a state folder.

import { rootKeyProvider, withRootKeys } from "@adyton/broker";
import type { RootKeyState } from "@adyton/client";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { adminOf } from "./place.ts";
import { kindOf } from "./root-access.ts";
import { statePlace } from "./state-place.ts";

/** JSON: what `Admin.rootKeys.state` answers. */
export async function show(invocation: Invocation, io: Io): Promise<ExitCode> {
  tell(await (await adminOf(invocation, io)).rootKeys.state(), invocation, io);
  return EXIT.ok;
}

/** JSON: as `show`. */
export async function rotate(invocation: Invocation, io: Io): Promise<ExitCode> {
  tell(await (await adminOf(invocation, io)).rootKeys.rotate(), invocation, io);
  return EXIT.ok;
}

/** JSON: as `show`. */
export async function retire(invocation: Invocation, io: Io): Promise<ExitCode> {
  tell(await (await adminOf(invocation, io)).rootKeys.retire(), invocation, io);
  return EXIT.ok;
}

/** JSON: `{provider, was}`. */
export async function move(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [kind = ""] = invocation.arguments;
  const { access, folder, place } = await statePlace(invocation, io);
  const [present, next] = [access(), access(kindOf(kind))];
  const was = await withRootKeys(
    folder,
    present,
    io.now(),
    async (keys) => {
      const { provider } = keys.facts();
      await keys.move(rootKeyProvider(kind, folder, next), rootKeyProvider(provider, folder, present));
      return provider;
    },
    place,
  );
  if (invocation.json) writeJson(io.stdout, { provider: kind, was });
  else io.stderr.write(`The root keys are with ${kind} now, no longer with ${was}\n`);
  return EXIT.ok;
}

function tell(state: RootKeyState, invocation: Invocation, io: Io): void {
  if (invocation.json) {
    writeJson(io.stdout, state);
    return;
  }
  const { provider, active, generations, recipients, reseal } = state;
  const rows = generations.map(({ id, created, retired }) => [
    printable(id),
    `made ${printable(created)}`,
    id === active ? "seals" : retired === undefined ? "in use" : `unused since ${printable(retired)}`,
  ]);
  io.stdout.write(`${table(rows, 0)}\n`);
  const shares = recipients.map(({ id, threshold, shares: count }) => `${id} (${threshold} of ${count})`);
  io.stdout.write(
    `kept by ${printable(provider)}; recovery shares: ${printable(shares.join(", ")) || "none"}\n`,
  );
  if (reseal.running || reseal.total > 0)
    io.stdout.write(
      `sealed anew: ${reseal.resealed}, looked at ${reseal.seen} of ${reseal.total}${reseal.running ? ", going on" : ""}\n`,
    );
}
