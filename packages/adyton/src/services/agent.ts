// SPDX-License-Identifier: Apache-2.0
// `adyton agent`: the guest API until Ctrl-C.

import { resolve } from "node:path";
import { createClient } from "@adyton/client";
import { createAgent } from "../agent/agent.ts";
import { AGENT_FEATURES, MEASURE_CHOICES } from "../agent/choices.ts";
import { createMeasurer } from "../agent/measure.ts";
import { serveAgent } from "../agent/serve.ts";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { styleOf } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { integerOf, teeOption } from "../values.ts";
import { VERSION } from "../version.ts";
import { localAttester } from "./local-tee.ts";
import { servicesUrl, stateFolder } from "./place.ts";

const DEFAULT_PORT = "8006";
const DEFAULT_LOG = "aael.log";

/** JSON: one object when the agent is up, `{url, tee, services, features}`. */
export async function agent(invocation: Invocation, io: Io): Promise<ExitCode> {
  const port = integerOf("port", invocation.value("port") ?? DEFAULT_PORT, 0, 65_535);
  const features = AGENT_FEATURES.find((each) => each === invocation.value("features")) ?? "all";
  const measure = MEASURE_CHOICES.find((each) => each === invocation.value("measure"));
  const interrupted = io.interruption();
  const attester = await localAttester(teeOption(invocation), stateFolder(invocation, io), io);
  const services = await servicesUrl(invocation, io);
  const keys = invocation.value("sealing-keys");
  const tpm = io.env.ADYTON_TPM;
  const pcr = invocation.value("measure-pcr");
  const served = await serveAgent(
    createAgent({
      client: createClient({ url: services, attester, exportableKey: true }),
      attester,
      features,
      version: VERSION,
      ...(keys === undefined ? {} : { sealedSecrets: { keys: resolve(io.cwd, keys) } }),
      ...(measure === undefined
        ? {}
        : {
            measurer: await createMeasurer(measure, {
              log: resolve(io.cwd, invocation.value("measure-log") ?? DEFAULT_LOG),
              ...(pcr === undefined ? {} : { pcr: integerOf("measure-pcr", pcr, 0, 23) }),
              ...(tpm === undefined || tpm === "" ? {} : { tpm }),
            }),
          }),
    }),
    port,
  );
  if (invocation.json) writeJson(io.stdout, { url: served.url, tee: attester.tee, services, features });
  else {
    io.stdout.write(
      `${styleOf(io.stdout, io.env).good("UP")}  ${served.url}, as ${attester.tee}, for ${services}\n`,
    );
    io.stderr.write(
      `Next, in a container of this machine:\n  curl ${served.url}/cdh/resource/default/hello/secret\n`,
    );
  }
  try {
    await interrupted;
  } finally {
    await served.close();
  }
  return EXIT.ok;
}
