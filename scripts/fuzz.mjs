// SPDX-License-Identifier: Apache-2.0
// npm run fuzz -- [TARGET…] [--seconds N] [--jobs N] [--seed N]: coverage-guided fuzzing of the parsers.

import { ensureBuilt, ensureInstalled, ensureNode, root, run } from "./_ensure.mjs";

ensureNode();
await ensureInstalled();
await ensureBuilt();
process.exit(await run(process.execPath, [`${root}/fuzz/dist/main.js`, ...process.argv.slice(2)]));
