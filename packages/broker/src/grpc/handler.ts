// SPDX-License-Identifier: Apache-2.0
// gRPC, gRPC-Web and Connect beside the broker's other paths, on the same sockets.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";
import { createContextKey, createContextValues } from "@connectrpc/connect";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import type { Broker } from "../broker.ts";
import type { Connection } from "../http/parts.ts";
import { addServices } from "./services.ts";

type Incoming = IncomingMessage | Http2ServerRequest;
type Handler = (incoming: Incoming, outgoing: ServerResponse | Http2ServerResponse) => void;

/** Of one message: evidence in base64url, twice over. The broker's own limit on bodies stands behind. */
const MAX_MESSAGE = 8 * 1024 * 1024;
const CONNECTION = createContextKey<Connection>({});

/** Answers calls of the services, and leaves all other requests to `others`. */
export function grpcHandler(
  broker: Pick<Broker, "fetch">,
  connectionOf: (incoming: Incoming) => Connection,
  others: Handler,
): Handler {
  return connectNodeAdapter({
    routes: (router) => addServices(router, broker, ({ values }) => values.get(CONNECTION)),
    contextValues: (incoming) => createContextValues().set(CONNECTION, connectionOf(incoming)),
    fallback: (incoming, outgoing) => others(incoming, outgoing as ServerResponse | Http2ServerResponse),
    readMaxBytes: MAX_MESSAGE,
  });
}
