// SPDX-License-Identifier: Apache-2.0
// npm start [-- --once]: the tour. It starts the trust services, verifies evidence, releases a secret, refuses a thief.

import { ensureBuilt, ensureInstalled, ensureNode, root, run } from "./_ensure.mjs";

ensureNode();
await ensureInstalled();
await ensureBuilt();
process.exit(
  await run(process.execPath, [`${root}/packages/adyton/bin/adyton.js`, "tour", ...process.argv.slice(2)]),
);
