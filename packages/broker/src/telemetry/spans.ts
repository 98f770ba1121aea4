// SPDX-License-Identifier: Apache-2.0
// Spans of OpenTelemetry around what a request is made of. Without an SDK in the process they cost next to nothing.

import { AdytonError } from "@adyton/core/errors";
import {
  type Attributes,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from "@opentelemetry/api";

const NAME = "@adyton/broker";

function tracer(): Tracer {
  return trace.getTracer(NAME);
}

/** Runs within a span. Of an error it keeps the code: messages could name what a trace's readers may not know. */
export function withSpan<T>(
  name: string,
  attributes: Attributes,
  run: (span: Span) => Promise<T>,
): Promise<T> {
  return tracer().startActiveSpan(name, { attributes }, (span) => ended(span, run));
}

/** As `withSpan`, for a request that may bring its trace along (W3C traceparent). */
export function withServerSpan<T>(
  name: string,
  headers: Headers,
  attributes: Attributes,
  run: (span: Span) => Promise<T>,
): Promise<T> {
  const parent = propagation.extract(context.active(), headers, {
    get: (carrier, key) => carrier.get(key) ?? undefined,
    keys: (carrier) => [...carrier.keys()],
  });
  return tracer().startActiveSpan(name, { attributes, kind: SpanKind.SERVER }, parent, (span) =>
    ended(span, run),
  );
}

async function ended<T>(span: Span, run: (span: Span) => Promise<T>): Promise<T> {
  try {
    return await run(span);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR });
    span.setAttribute("error.type", error instanceof AdytonError ? error.code : "unexpected");
    throw error;
  } finally {
    span.end();
  }
}
