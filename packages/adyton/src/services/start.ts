// SPDX-License-Identifier: Apache-2.0
// The trust services, started: state folder, software TEE in development, socket, and the note that tells the other
// commands where they are.

import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { openSoftwareTee, type SoftwareTee } from "@adyton/attester";
import { createBroker, type Logger, openBrokerState, type RootKeyAccess, serveBroker } from "@adyton/broker";
import { provisionerPlugin, transitPlugin, wrapPlugin } from "@adyton/broker/plugins";
import { type Admin, createAdmin } from "@adyton/client";
import { softwareTeeFolder } from "./local-tee.ts";
import { URL_FILE } from "./place.ts";

export interface StartOptions {
  /** The state folder, absolute; made when it is not there. */
  readonly dir: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Trust this machine's software TEE, and allow simulated evidence. */
  readonly dev: boolean;
  /** Who keeps the root keys, and what it takes to open them. */
  readonly rootKey?: RootKeyAccess;
  readonly now: () => Date;
  readonly logger: Logger;
}

export interface Services {
  readonly url: string;
  readonly dir: string;
  readonly adminTokenFile: string;
  readonly admin: Admin;
  /** In development. */
  readonly softwareTee: SoftwareTee | undefined;
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

/** Starts. Throws what is wrong with the state folder, or `LISTEN_FAILED`. */
export async function startServices(options: StartOptions): Promise<Services> {
  const { dir, port, dev, logger } = options;
  const clock = { now: options.now };
  const { adminTokenFile, ...state } = await openBrokerState(dir, {
    clock,
    logger,
    ...(options.rootKey === undefined ? {} : { rootKey: options.rootKey }),
  });
  const softwareTee = dev ? await openedTee(dir) : undefined;
  const broker = createBroker({
    ...state,
    clock,
    logger,
    roots: softwareTee === undefined ? state.roots : [...state.roots, softwareTee.root],
    allowSimulated: dev,
    plugins: [transitPlugin({ vaultPaths: true }), wrapPlugin(), provisionerPlugin()],
  });
  const served = await serveBroker(broker, { host: "127.0.0.1", port });
  const note = join(dir, URL_FILE);
  await writeFile(note, `${served.url}\n`, { mode: 0o600 });
  const admin = createAdmin({ url: served.url, token: state.adminToken });
  if (dev) await admin.setReferenceValues(SOFTWARE_TEE_REFERENCES);
  return {
    url: served.url,
    dir,
    adminTokenFile,
    admin,
    softwareTee,
    close: async () => {
      await rm(note, { force: true });
      await served.close();
    },
  };
}

async function openedTee(dir: string): Promise<SoftwareTee> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  return openSoftwareTee({ dir: softwareTeeFolder(dir) });
}
