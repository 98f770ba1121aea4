// SPDX-License-Identifier: Apache-2.0
// npm run bench -- verify [--json] [--quick]: the benchmarks.

import { ensureBuilt, ensureInstalled, ensureNode, root, run } from "./_ensure.mjs";

ensureNode();
await ensureInstalled();
await ensureBuilt();
process.exit(await run(process.execPath, [`${root}/bench/dist/index.js`, ...process.argv.slice(2)]));
