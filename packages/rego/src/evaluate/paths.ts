// SPDX-License-Identifier: Apache-2.0
// Members at paths whose keys are known.

import type { Operand } from "../compile/program.ts";
import type { Coder } from "./coder.ts";
import { constantOf } from "./constants.ts";
import { field, member } from "./members.ts";
import type { Get } from "./state.ts";

/** The member at a path below a value. */
export function below(
  coder: Coder,
  root: Get,
  path: readonly Operand[],
  lookup: typeof member = member,
): Get {
  let get = root;
  for (const part of path) {
    const outer = get;
    const key = constantOf(part);
    if (typeof key === "string") {
      get = (e) => field(outer(e), key);
    } else if (key !== undefined) {
      get = (e) => lookup(outer(e), key);
    } else {
      const keyGet = coder.get(part);
      get = (e) => {
        const collection = outer(e);
        if (collection === undefined) return undefined;
        const found = keyGet(e);
        return found === undefined ? undefined : lookup(collection, found);
      };
    }
  }
  return get;
}
