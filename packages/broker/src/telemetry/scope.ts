// SPDX-License-Identifier: Apache-2.0
// What belongs to the request that is being answered, wherever somebody asks: its id, for the log.

import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";

export interface RequestScope {
  readonly requestId: string;
  /** Of the trace that it is part of. */
  readonly traceId?: string;
}

const scopes = new AsyncLocalStorage<RequestScope>();
// What a client chooses stands in our log: short, and nothing that could be read as something else.
const REQUEST_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;

export const REQUEST_ID_HEADER = "x-request-id";

/** The request's own id where it brings one that can be taken, else a new one. */
export function requestIdOf(request: Request): string {
  const given = request.headers.get(REQUEST_ID_HEADER);
  return given !== null && REQUEST_ID.test(given) ? given : randomUUID();
}

export function inScope<T>(scope: RequestScope, run: () => Promise<T>): Promise<T> {
  return scopes.run(scope, run);
}

/** Undefined outside of requests. */
export function currentScope(): RequestScope | undefined {
  return scopes.getStore();
}
