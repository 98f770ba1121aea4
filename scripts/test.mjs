// SPDX-License-Identifier: Apache-2.0
// npm test [-- vitest arguments]: every test, in Node and, where Chromium is installed, in the browser too.

import { ensureBuilt, ensureInstalled, ensureNode, run, tool } from "./_ensure.mjs";

ensureNode();
await ensureInstalled();
// Tests run on the sources; the build is for those that start the command line as a program.
await ensureBuilt();
process.exit(await run(process.execPath, [tool("vitest", "vitest.mjs"), "run", ...process.argv.slice(2)]));
