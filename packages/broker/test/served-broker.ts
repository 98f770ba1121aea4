// SPDX-License-Identifier: Apache-2.0
// A broker on a socket in a process of its own, which tells its parent where it is: to be killed, or starved of its disk
// or its database.

import { createBroker, openBrokerState, serveBroker } from "../src/index.ts";

const [folder = "", port = "0", url, schema = ""] = process.argv.slice(2);
const postgres = { url: url ?? "", schema, timeoutMs: 2_000 };
const state = await openBrokerState(folder, url === undefined ? {} : { postgres });
const broker = createBroker({ ...state, allowSimulated: true, rateLimit: false });
const served = await serveBroker(broker, { port: Number(port) });
process.send?.({ url: served.url, adminToken: state.adminToken });
