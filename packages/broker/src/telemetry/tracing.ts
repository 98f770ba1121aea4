// SPDX-License-Identifier: Apache-2.0
// The OpenTelemetry SDK, for the process that is the server: loaded only where traces are asked for. Programs that bring an
// SDK of their own leave this out, and see the same spans.

import { AsyncLocalStorage } from "node:async_hooks";
import {
  type Context,
  type ContextManager,
  context,
  propagation,
  ROOT_CONTEXT,
  trace,
} from "@opentelemetry/api";
import { W3CTraceContextPropagator } from "@opentelemetry/core";
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-http";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  BasicTracerProvider,
  BatchSpanProcessor,
  ParentBasedSampler,
  SimpleSpanProcessor,
  type SpanExporter,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace-base";

export interface TracingOptions {
  /** OTLP over HTTP: `http://127.0.0.1:4318/v1/traces`; or where spans go instead. */
  readonly to: string | SpanExporter;
  /** Of the requests whose sender did not decide. Default 1. */
  readonly ratio?: number;
  readonly version: string;
}

export interface Tracing {
  /** Sends what is left. Never rejects: traces stop nothing. */
  stop(): Promise<void>;
}

/** Takes traces from now on, in the whole process. */
export function startTracing({ ratio = 1, to, version }: TracingOptions): Tracing {
  const processor =
    typeof to === "string"
      ? new BatchSpanProcessor(new OTLPTraceExporter({ url: to }))
      : new SimpleSpanProcessor(to);
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ "service.name": "adyton-broker", "service.version": version }),
    sampler: new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(ratio) }),
    spanProcessors: [processor],
  });
  context.setGlobalContextManager(new AsyncContexts());
  propagation.setGlobalPropagator(new W3CTraceContextPropagator());
  trace.setGlobalTracerProvider(provider);
  return {
    stop: async () => {
      trace.disable();
      context.disable();
      propagation.disable();
      try {
        await provider.shutdown();
      } catch {
        // A collector that is away.
      }
    },
  };
}

/** Which span is around, across awaits. */
class AsyncContexts implements ContextManager {
  readonly #storage: AsyncLocalStorage<Context> = new AsyncLocalStorage();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    within: Context,
    run: F,
    self?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(within, () => run.apply(self, args));
  }

  bind<T>(within: Context, target: T): T {
    if (typeof target !== "function") return target;
    const bound = (...args: unknown[]): unknown =>
      this.#storage.run(within, () => target(...args) as unknown);
    return bound as T;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}
