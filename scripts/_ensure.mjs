// SPDX-License-Identifier: Apache-2.0
// What every script needs first: a Node that is new enough, installed packages, a build. Plain Node, no dependencies,
// because on a fresh clone nothing is installed yet. Talk goes to stderr; stdout belongs to the job.

import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository, whatever the current folder is. */
export const root = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

const OLDEST = [20, 19];

/** Ends the process with a kind word when Node is too old. */
export function ensureNode(version = process.versions.node) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  console.error(`Adyton needs Node ${OLDEST.join(".")} or newer; this is Node ${version}.`);
  console.error("Next: install a current release from https://nodejs.org and run the command again.");
  process.exit(1);
}

/** Runs `npm ci` when what is installed is not what package-lock.json asks for. */
export async function ensureInstalled() {
  const missing = missingPackage();
  if (missing === undefined) return;
  say(`Installing packages (${missing}), about a minute…`);
  // npm's own talk goes to stderr with ours.
  await mustRun("npm", ["ci", "--no-audit", "--no-fund"], { stdio: ["ignore", 2, 2] }, "npm ci");
}

/** Runs `tsc -b`, which compiles what changed and nothing else. */
export async function ensureBuilt() {
  if (!existsSync(join(root, "packages/core/dist/.tsbuildinfo"))) say("Building, about half a minute…");
  await mustRun(
    process.execPath,
    [tool("typescript", "bin/tsc"), "-b"],
    { stdio: ["ignore", 2, 2] },
    "tsc -b",
  );
}

/** A package's program, run with this Node: no shell, no PATH. */
export function tool(name, path) {
  return join(root, "node_modules", name, path);
}

/**
 * Runs a program in the repository, hands signals on, and resolves to its exit code (128 + n after signal n).
 */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    // npm is a .cmd file on Windows, which only a shell starts.
    const shell = process.platform === "win32" && command === "npm";
    const child = spawn(command, args, { cwd: root, stdio: "inherit", shell, ...options });
    const forward = (signal) => child.kill(signal);
    const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
    for (const signal of signals) process.on(signal, forward);
    const finish = (code) => {
      for (const signal of signals) process.off(signal, forward);
      resolve(code);
    };
    child.on("error", (error) => {
      console.error(`Cannot run ${command}: ${error.message}`);
      finish(127);
    });
    child.on("close", (code, signal) => finish(code ?? 128 + (constants.signals[signal ?? "SIGTERM"] ?? 0)));
  });
}

/** Why packages have to be installed, or undefined. npm notes what it installed in node_modules/.package-lock.json. */
export function missingPackage(folder = root) {
  const installedLock = join(folder, "node_modules/.package-lock.json");
  if (!existsSync(installedLock)) return "none are here yet";
  const wanted = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")).packages;
  const installed = JSON.parse(readFileSync(installedLock, "utf8")).packages;
  for (const [path, entry] of Object.entries(wanted)) {
    if (!path.startsWith("node_modules/") || entry.optional || entry.devOptional || entry.peer) continue;
    if (!existsSync(join(folder, path))) return `${path.slice("node_modules/".length)} is missing`;
    if (entry.link || installed[path]?.version === entry.version) continue;
    return `${path.slice("node_modules/".length)} should be ${entry.version}`;
  }
  return undefined;
}

async function mustRun(command, args, options, title) {
  const code = await run(command, args, options);
  if (code === 0) return;
  console.error(`\n${title} failed with exit code ${code}; its messages are above.`);
  process.exit(code);
}

function say(message) {
  console.error(`adyton: ${message}`);
}
