// SPDX-License-Identifier: Apache-2.0
// Bodies of requests and of others' answers, never more of them than allowed.

import { concat } from "@adyton/core/bytes";

/** The whole body. Rejects with what `tooLarge` makes before more than `limit` bytes are held. */
export async function boundedBytes(
  { body }: Pick<Response, "body">,
  limit: number,
  tooLarge: () => Error,
): Promise<Uint8Array<ArrayBuffer>> {
  if (body === null) return new Uint8Array(0);
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return concat(...parts);
    length += value.length;
    if (length > limit) {
      // Nobody waits for the sender to hear of it.
      void reader.cancel().catch(() => undefined);
      throw tooLarge();
    }
    parts.push(value);
  }
}
