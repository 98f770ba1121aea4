// SPDX-License-Identifier: Apache-2.0
// A broker that puts secrets without end and tells its parent of each acknowledgement: to be killed.

import { randomBytes } from "node:crypto";
import { createBroker, openBrokerState } from "../src/index.ts";

const [folder = "", round = "", url, schema = ""] = process.argv.slice(2);
const state = await openBrokerState(folder, url === undefined ? {} : { postgres: { url, schema } });
const broker = createBroker({ ...state, rateLimit: false });

/** One of several writers at once, so that commits hold several secrets. */
async function writeForever(name: string): Promise<never> {
  for (let n = 0; ; n++) {
    const key = `${round}/${name}/${n}`;
    const value = randomBytes(200).toString("hex");
    const response = await broker.fetch(
      new Request(`http://broker.test/kbs/v0/resource/${key}`, {
        method: "POST",
        headers: { authorization: `Bearer ${state.adminToken}` },
        body: value,
      }),
    );
    if (response.status !== 200) throw new Error(`put answered ${response.status}`);
    process.send?.({ key, value });
  }
}

/** New root keys without end, each with everything sealed anew under it. */
async function rotateForever(): Promise<never> {
  for (;;) {
    await state.rootKeys.rotate();
    await state.rootKeys.settled();
    await state.rootKeys.retire();
  }
}

const rotating = round.startsWith("rotating") ? [rotateForever()] : [];
await Promise.all([...["a", "b", "c", "d"].map(writeForever), ...rotating]);
