// SPDX-License-Identifier: Apache-2.0
// What string tokens stand for.

/** The text of a string token, or undefined when it holds an escape sequence that JSON does not have. */
export function stringValue(token: string): string | undefined {
  const inner = token.slice(1, -1);
  return token.startsWith("`") ? inner : fromJson(inner);
}

/** The text of a piece of a template string; `raw` between back quotes. */
export function templateText(token: string, raw: boolean): string | undefined {
  // The first piece begins with $ and a quote, others with the brace that ended an expression.
  const inner = token.slice(token.startsWith("$") ? 2 : 1, -1);
  return raw
    ? inner.replaceAll("\\{", "{")
    : fromJson(inner.replace(/\\[\s\S]/g, (pair) => (pair === "\\{" ? "{" : pair)));
}

function fromJson(inner: string): string | undefined {
  // A control character is taken as it is, but not beside an escape sequence: so does the reference implementation.
  if (!inner.includes("\\")) return inner;
  try {
    return (JSON.parse(`"${inner}"`) as string).toWellFormed();
  } catch {
    return undefined;
  }
}
