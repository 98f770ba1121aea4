// SPDX-License-Identifier: Apache-2.0
// The broker's voice: events with facts, handed to a logger of the caller's choice after redaction.

import { pino } from "pino";
import { currentScope } from "./telemetry/scope.ts";

export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** Fits pino, console adapters and test recorders alike. */
export interface Logger {
  info(event: string, facts?: LogFacts): void;
  warn(event: string, facts?: LogFacts): void;
  error(event: string, facts?: LogFacts): void;
}

export type LogLevel = "debug" | "info" | "warn" | "error" | "off";

export interface LogOptions {
  /** Default `info`. */
  readonly level?: LogLevel;
  /** `json` (default): one object a line. `pretty`: a line for people. */
  readonly format?: "json" | "pretty";
  /** Takes whole lines. */
  readonly write: (line: string) => void;
  readonly now?: () => Date;
}

/** Says nothing. */
export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} };

const RANKS: Readonly<Record<LogLevel, number>> = { debug: 20, info: 30, warn: 40, error: 50, off: 100 };
// What moves a terminal's cursor, or ends the line.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\u2028\u2029]/gu;

/**
 * A logger that writes lines. Each has the id of the request that is being answered, and of its trace; secrets and tokens
 * are taken out.
 */
export function createLogger({
  format = "json",
  level = "info",
  now = () => new Date(),
  write,
}: LogOptions): Logger {
  const sink = format === "json" ? jsonSink(write, now) : prettySink(write, now);
  const at =
    (rank: "info" | "warn" | "error") =>
    (event: string, facts: LogFacts = {}): void => {
      if (RANKS[rank] >= RANKS[level]) sink[rank](event, { ...facts, ...currentScope() });
    };
  return redacting({ info: at("info"), warn: at("warn"), error: at("error") });
}

function jsonSink(write: (line: string) => void, now: () => Date): Logger {
  const log = pino(
    {
      base: null,
      level: "trace",
      timestamp: () => `,"time":"${now().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      messageKey: "event",
      // Facts have names of their own: nothing is a reserved one.
      nestedKey: "facts",
    },
    { write },
  );
  return {
    info: (event, facts = {}) => log.info(facts, event),
    warn: (event, facts = {}) => log.warn(facts, event),
    error: (event, facts = {}) => log.error(facts, event),
  };
}

function prettySink(write: (line: string) => void, now: () => Date): Logger {
  const line =
    (level: string) =>
    (event: string, facts: LogFacts = {}): void => {
      const told = Object.entries(facts).map(([name, value]) => ` ${name}=${JSON.stringify(value)}`);
      const text = `${now().toISOString()} ${level} ${event}${told.join("")}`;
      write(`${text.replace(UNPRINTABLE, "\u{fffd}")}\n`);
    };
  return { info: line("info"), warn: line("warn"), error: line("error") };
}

const SECRET_NAME = /token|secret|password|cookie|authorization|session|private/i;
// A compact JWS or JWE, whatever the fact is called.
const JOSE_TEXT = /\beyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*){2,4}/g;
const REDACTED = "[redacted]";

/** Wraps a logger so that no fact with a secret's name, and no token inside any text, reaches it. */
export function redacting(logger: Logger): Logger {
  return {
    info: (event, facts) => logger.info(event, redact(facts)),
    warn: (event, facts) => logger.warn(event, redact(facts)),
    error: (event, facts) => logger.error(event, redact(facts)),
  };
}

function redact(facts: LogFacts = {}): LogFacts {
  const shown: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(facts)) {
    if (value === undefined) continue;
    if (SECRET_NAME.test(name)) shown[name] = REDACTED;
    else shown[name] = typeof value === "string" ? value.replace(JOSE_TEXT, REDACTED) : value;
  }
  return shown;
}
