// SPDX-License-Identifier: Apache-2.0
// Programs for the software TEE to launch, as plain JavaScript: they speak the socket's protocol by themselves.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";

/** Sends each argument as one connection's bytes, prints what came back, one line each. */
export const TALKER = `
import { connect } from "node:net";
const ask = (bytes) => new Promise((resolve) => {
  let answer = "";
  const socket = connect(process.env.ADYTON_SAMPLE_TEE, () => socket.write(bytes));
  socket.on("data", (data) => { answer += data; });
  socket.on("error", () => {});
  socket.on("close", () => resolve(answer));
});
for (const bytes of process.argv.slice(2)) process.stdout.write(await ask(bytes) || "nothing\\n");
`;

/** Prints the socket's path and stays until it is told to end. */
export const WAITER = `
process.stdout.write(process.env.ADYTON_SAMPLE_TEE + "\\n");
setInterval(() => {}, 1000);
`;

/** Asks for evidence and dies before the answer. */
export const CRASHER = `
import { connect } from "node:net";
const socket = connect(process.env.ADYTON_SAMPLE_TEE, () => {
  socket.write(process.argv[2], () => process.kill(process.pid, "SIGKILL"));
});
`;

/** Writes a program file and returns its path. */
export async function programIn(folder: string, name: string, source: string, mode = 0o600): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, source, { mode });
  return path;
}
