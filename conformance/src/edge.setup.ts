// SPDX-License-Identifier: Apache-2.0
// In vitest's edge runtime the text encoder is the host's, and so is the Uint8Array that it returns: equal to the
// context's own for every purpose but `toEqual`, which asks for the same prototype. In a real runtime there is one.

class ContextTextEncoder extends TextEncoder {
  override encode(text?: string): Uint8Array<ArrayBuffer> {
    return new Uint8Array(super.encode(text));
  }
}

globalThis.TextEncoder = ContextTextEncoder;
