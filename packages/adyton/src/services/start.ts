// SPDX-License-Identifier: Apache-2.0
// The trust services, started: state folder, software TEE in development, socket, and the note that tells the other
// commands where they are.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSoftwareTee, type SoftwareTee } from "@adyton/attester";
import {
  createBroker,
  type Logger,
  Metrics,
  openBrokerState,
  type RootKeyAccess,
  type ServedBroker,
  serveBroker,
  serveMetrics,
} from "@adyton/broker";
import {
  brokerOptionsOf,
  type Settings,
  serveOptionsOf,
  settingsOf,
  stateOptionsOf,
} from "@adyton/broker/config";
import { type Admin, createAdmin } from "@adyton/client";
import { VERSION } from "../version.ts";
import { softwareTeeFolder } from "./local-tee.ts";
import { URL_FILE } from "./place.ts";
import { together } from "./root-access.ts";

export interface StartOptions {
  /** The state folder, absolute; made when it is not there. */
  readonly dir: string;
  /** 0 takes a free one. Default: what the settings say. */
  readonly port?: number;
  /** Trust this machine's software TEE, and allow simulated evidence. */
  readonly dev: boolean;
  /** Default: those of an empty configuration. */
  readonly settings?: Settings;
  /** Who keeps the root keys, and what it takes to open them: counts before what the settings say. */
  readonly rootKey?: RootKeyAccess;
  /** Counts where neither say how to open them. */
  readonly asked?: RootKeyAccess;
  /** One of several processes: metrics are read from their parent. */
  readonly worker?: boolean;
  readonly now: () => Date;
  readonly logger: Logger;
}

export interface Services {
  readonly url: string;
  readonly dir: string;
  readonly adminTokenFile: string;
  /** Of the listener for metrics, when there is one. */
  readonly metricsUrl: string | undefined;
  readonly admin: Admin;
  /** In development. */
  readonly softwareTee: SoftwareTee | undefined;
  /** Takes the certificate anew. */
  reload(): Promise<boolean>;
  /** Ends open requests, closes the store and takes the note away. */
  close(): Promise<void>;
}

/**
 * What the default policy asks of the software TEE itself (claims svn and platform_version). Set in development,
 * so that only the launch digest is left for the user to decide.
 */
const SOFTWARE_TEE_REFERENCES: Readonly<Record<string, readonly (string | number)[]>> = {
  svn: ["1"],
  major_version: [1],
  minimum_minor_version: [0],
};

/** Starts. Throws what is wrong with settings or the state folder, or `LISTEN_FAILED`. */
export async function startServices(options: StartOptions): Promise<Services> {
  const { dev, dir, logger, settings = settingsOf({}), worker = false } = options;
  const around = { clock: { now: options.now }, logger };
  const stateOptions = await stateOptionsOf(settings, around);
  const state = await openBrokerState(dir, {
    ...stateOptions,
    rootKey: together(options.asked ?? {}, stateOptions.rootKey ?? {}, options.rootKey ?? {}),
  });
  const { adminTokenFile } = state;
  const softwareTee = dev ? await openedTee(dir) : undefined;
  const metrics = settings.metrics.enabled
    ? new Metrics({ version: VERSION, labels: settings.metrics.resource_paths })
    : undefined;
  if (worker) metrics?.shareWithParent();
  const brokerOptions = await brokerOptionsOf(settings, state, around);
  const broker = createBroker({
    ...brokerOptions,
    ...(softwareTee === undefined ? {} : { roots: [...state.roots, softwareTee.root] }),
    allowSimulated: dev || settings.attestation.allow_simulated,
    ...(metrics === undefined ? {} : { metrics }),
  });
  const { port } = options;
  let served: ServedBroker | undefined;
  try {
    served = await serveBroker(broker, {
      ...serveOptionsOf(settings),
      ...(port === undefined ? {} : { port }),
      logger,
    });
    const { listen } = settings.metrics;
    const metricsListener =
      listen === undefined || metrics === undefined || worker
        ? undefined
        : await serveMetrics(
            { contentType: metrics.registry.contentType, metrics: () => metrics.registry.metrics() },
            listen,
          );
    const { close, reload, url } = served;
    const note = join(dir, URL_FILE);
    await writeFile(note, `${url}\n`, { mode: 0o600 });
    // Not over the socket: its certificate may be one that this process does not trust.
    const inside = createAdmin({
      url,
      token: state.adminToken,
      fetch: (address, init) => broker.fetch(new Request(address, init)),
    });
    if (dev) await inside.setReferenceValues(SOFTWARE_TEE_REFERENCES);
    return {
      url,
      dir,
      adminTokenFile,
      metricsUrl: metricsListener?.url,
      admin: createAdmin({ url, token: state.adminToken }),
      softwareTee,
      reload,
      close: async () => {
        await rm(note, { force: true });
        await close();
        await metricsListener?.close();
      },
    };
  } catch (error) {
    await (served ?? broker).close();
    throw error;
  }
}

async function openedTee(dir: string): Promise<SoftwareTee> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return openSoftwareTee({ dir: softwareTeeFolder(dir) });
}
