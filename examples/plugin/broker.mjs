// SPDX-License-Identifier: Apache-2.0
// A broker with the plugin, on 127.0.0.1:8080, its state in the folder that is named.

import { createBroker, openBrokerState, serveBroker } from "@adyton/broker";
import { seatsPlugin } from "./seats.mjs";

const folder = process.argv[2] ?? ".adyton";
const state = await openBrokerState(folder);
const broker = createBroker({ ...state, plugins: [seatsPlugin()] });
const { url } = await serveBroker(broker, { host: "127.0.0.1", port: 8080 });
console.log(`Seats at ${url}/kbs/v0/seats/pool`);
