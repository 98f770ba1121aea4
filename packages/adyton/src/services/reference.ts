// SPDX-License-Identifier: Apache-2.0
// `adyton reference`: what a good workload looks like, set, listed and deleted by the administrator.

import { misuse } from "../errors.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { adminOf } from "./place.ts";

type Scalar = string | number | boolean;

/** JSON: `{id, values}`. */
export async function set(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = "", text = ""] = invocation.arguments;
  const values = valuesIn(text);
  await (await adminOf(invocation, io)).setReferenceValues({ [id]: values });
  if (invocation.json) writeJson(io.stdout, { id, values });
  else io.stderr.write(`Set ${printable(id)}: ${values.map((value) => JSON.stringify(value)).join(", ")}\n`);
  return EXIT.ok;
}

/** JSON: `{referenceValues: {id: values}}`. */
export async function list(invocation: Invocation, io: Io): Promise<ExitCode> {
  const referenceValues = await (await adminOf(invocation, io)).listReferenceValues();
  if (invocation.json) {
    writeJson(io.stdout, { referenceValues });
    return EXIT.ok;
  }
  const rows = Object.entries(referenceValues).map(([id, values]) => [
    printable(id),
    printable(values.map((value) => JSON.stringify(value)).join(", ")),
  ]);
  if (rows.length > 0) io.stdout.write(`${table(rows, 0)}\n`);
  return EXIT.ok;
}

/** JSON: `{id, deleted}`. */
export async function remove(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [id = ""] = invocation.arguments;
  await (await adminOf(invocation, io)).deleteReferenceValue(id);
  if (invocation.json) writeJson(io.stdout, { id, deleted: true });
  else io.stderr.write(`Deleted ${printable(id)}\n`);
  return EXIT.ok;
}

/**
 * Values between commas. TEEs spell versions as numbers or as text (`svn` of the software TEE is text), so a whole
 * number stands for both; true and false are booleans; anything else is text.
 */
function valuesIn(text: string): Scalar[] {
  const words = text.split(",").map((word) => word.trim());
  if (words.includes("")) {
    throw misuse("INVALID_VALUE", `Cannot take ${JSON.stringify(text)} as values: one of them is empty`);
  }
  return words.flatMap((word): Scalar[] => {
    if (word === "true" || word === "false") return [word === "true"];
    return /^(0|[1-9]\d{0,14})$/.test(word) ? [Number(word), word] : [word];
  });
}
