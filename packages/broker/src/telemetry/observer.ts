// SPDX-License-Identifier: Apache-2.0
// Around every request: its id, its span, what it took, and a line in the log where that is wanted.

import type { Logger } from "../log.ts";
import type { Metrics } from "../metrics/metrics.ts";
import type { Plugin } from "../plugins/types.ts";
import { pluginPrefixes, type Route, routeOf } from "./routes.ts";
import { inScope, REQUEST_ID_HEADER, requestIdOf } from "./scope.ts";
import { withServerSpan } from "./spans.ts";

export interface ObserverOptions {
  readonly metrics: Metrics | undefined;
  readonly logger: Logger;
  readonly plugins: readonly Plugin[];
  /** Tell of each answer. */
  readonly logRequests: boolean;
}

/** Passes a request on and its answer back. */
export type Observer = (request: Request, answer: () => Promise<Response>) => Promise<Response>;

const METHODS: readonly string[] = ["GET", "POST", "PUT", "DELETE"];
const NO_TRACE = "00000000000000000000000000000000";

export function createObserver({ logRequests, logger, metrics, plugins }: ObserverOptions): Observer {
  const prefixes = pluginPrefixes(plugins);
  return (request, answer) => {
    const requestId = requestIdOf(request);
    const { pathname } = new URL(request.url);
    const route = routeOf(pathname, prefixes);
    // Methods are the client's choice, too.
    const method = METHODS.includes(request.method) ? request.method : "other";
    const attributes = {
      "http.request.method": method,
      "http.route": route.route,
      "adyton.tenant": route.tenant,
    };
    return withServerSpan(`${method} ${route.route}`, request.headers, attributes, async (span) => {
      const { traceId } = span.spanContext();
      const scope = { requestId, ...(traceId === NO_TRACE ? {} : { traceId }) };
      return inScope(scope, async () => {
        const begun = performance.now();
        const end = metrics?.begin();
        try {
          const given = await answer();
          const { response, bytes } =
            metrics === undefined ? { response: given, bytes: 0 } : await sized(given);
          const ms = performance.now() - begun;
          response.headers.set(REQUEST_ID_HEADER, requestId);
          const { status } = response;
          span.setAttribute("http.response.status_code", status);
          const code = response.headers.get("adyton-error")?.split(";")[0];
          if (code !== undefined) span.setAttribute("error.type", code);
          metrics?.answered({
            ...factsOf(request, route, method),
            status,
            seconds: ms / 1000,
            responseBytes: bytes,
          });
          if (logRequests)
            logger.info("request", {
              method,
              route: route.route,
              tenant: route.tenant,
              status,
              ms: Math.round(ms * 100) / 100,
            });
          return response;
        } finally {
          end?.();
        }
      });
    });
  };
}

function factsOf(
  request: Request,
  { plugin, route, tenant }: Route,
  method: string,
): Route & { readonly method: string; readonly requestBytes: number } {
  const length = Number(request.headers.get("content-length") ?? 0);
  const requestBytes = Number.isSafeInteger(length) && length >= 0 ? length : 0;
  return { method, route, tenant, requestBytes, ...(plugin === undefined ? {} : { plugin }) };
}

/** Answers are small and whole before they leave: reading one tells its length. */
async function sized(response: Response): Promise<{ readonly response: Response; readonly bytes: number }> {
  if (response.body === null) return { response, bytes: 0 };
  const body = await response.arrayBuffer();
  const { headers, status, statusText } = response;
  return { response: new Response(body, { headers, status, statusText }), bytes: body.byteLength };
}
