// SPDX-License-Identifier: Apache-2.0
// The broker's voice: events with facts, handed to a logger of the caller's choice after redaction.

export type LogFacts = Readonly<Record<string, string | number | boolean | undefined>>;

/** Fits pino, console adapters and test recorders alike. */
export interface Logger {
  info(event: string, facts?: LogFacts): void;
  warn(event: string, facts?: LogFacts): void;
  error(event: string, facts?: LogFacts): void;
}

/** Says nothing. */
export const silentLogger: Logger = { info: () => {}, warn: () => {}, error: () => {} };

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
