// SPDX-License-Identifier: Apache-2.0
// From an address to a room: `/tenants/<name>/…` is that tenant's, everything else the house's own.

import type { ResourceBackend } from "../backends/types.ts";
import type { App } from "../http/parts.ts";
import { type House, openRoom, type Room } from "./room.ts";
import { type Tenant, unknown } from "./tenants.ts";

/** A request as the routes of its room see it. */
export interface Addressed {
  readonly app: App;
  readonly request: Request;
}

interface Held {
  readonly tenant: Tenant;
  readonly room: Room;
}

const ADDRESS = /^\/tenants\/([^/]+)(\/.*)$/;
/** Rooms with their compiled policies; others are opened again when they are asked for. */
const MAX_ROOMS = 256;

export class Rooms {
  readonly #house: House;
  readonly #own: Room;
  readonly #held: Map<string, Held> = new Map();
  /** Of tenants, where they have their own: rooms come and go, these stay open. */
  readonly #backends: Map<string, ResourceBackend> = new Map();

  constructor(house: House) {
    const { tenantBackend: make } = house.options;
    const tenantBackend = make && ((tenant: string) => this.#backendOf(tenant, make));
    this.#house =
      tenantBackend === undefined ? house : { ...house, options: { ...house.options, tenantBackend } };
    this.#own = openRoom(this.#house);
  }

  /** Rejects with `TENANT_UNKNOWN`. */
  async find(request: Request): Promise<Addressed> {
    const url = new URL(request.url);
    const [, name, path] = ADDRESS.exec(url.pathname) ?? [];
    if (name === undefined || path === undefined) return { app: this.#own.app, request };
    const tenant = await this.#house.tenants.active(name);
    if (tenant === undefined) {
      this.#held.delete(name);
      throw unknown(name);
    }
    url.pathname = path;
    return { app: this.#roomOf(tenant).app, request: moved(request, url) };
  }

  async close(): Promise<void> {
    for (const backend of [this.#own.backend, ...this.#backends.values()]) await backend.close?.();
  }

  #backendOf(tenant: string, make: (tenant: string) => ResourceBackend): ResourceBackend {
    const backend = this.#backends.get(tenant) ?? make(tenant);
    this.#backends.set(tenant, backend);
    return backend;
  }

  #roomOf(tenant: Tenant): Room {
    const { name } = tenant;
    const held = this.#held.get(name);
    // What is known of a tenant is read anew when it changes, and not before.
    const room = held?.tenant === tenant ? held.room : openRoom(this.#house, tenant);
    this.#held.delete(name);
    if (this.#held.size >= MAX_ROOMS) this.#held.delete(this.#held.keys().next().value ?? name);
    this.#held.set(name, { tenant, room });
    return room;
  }
}

/** Not a copy of the request but of its parts: servers give requests of their own making. */
function moved(request: Request, url: URL): Request {
  const { body, headers, method, signal } = request;
  const init: RequestInit & { readonly duplex?: "half" } = {
    method,
    headers,
    signal,
    ...(body === null ? {} : { body, duplex: "half" }),
  };
  return new Request(url, init);
}
