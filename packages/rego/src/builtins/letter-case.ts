// SPDX-License-Identifier: Apache-2.0
// Upper and lower case one character for one, by Unicode's simple mappings, which JavaScript does not offer: its own may
// give several characters for one and look at neighbours.

const ASCII = /^[\0-\x7f]*$/;

export function lowerCase(text: string): string {
  if (ASCII.test(text)) return text.toLowerCase();
  // A capital I with a dot is the one character whose full mapping is longer.
  return Array.from(text, (char) => (char === "\u0130" ? "i" : char.toLowerCase())).join("");
}

export function upperCase(text: string): string {
  if (ASCII.test(text)) return text.toUpperCase();
  return Array.from(text, (char) => {
    const upper = char.toUpperCase();
    return upper.length > char.length ? simpleUpper(char) : upper;
  }).join("");
}

/** Of a character whose full mapping is longer: Greek letters with a iota below have a capital, all others have none. */
function simpleUpper(char: string): string {
  const c = char.charCodeAt(0);
  if (c >= 0x1f80 && c < 0x1fb0) return String.fromCharCode(c | 8);
  return /[\u1fb3\u1fc3\u1ff3]/.test(char) ? String.fromCharCode(c + 9) : char;
}
