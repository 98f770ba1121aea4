// SPDX-License-Identifier: Apache-2.0
// The functions that every policy may call. More stand behind subpaths of their own.

import type { Builtin } from "../builtin.ts";
import { aggregates } from "./aggregates.ts";
import { arrays } from "./arrays.ts";
import { bits } from "./bits.ts";
import { comparison } from "./comparison.ts";
import { conversions } from "./conversions.ts";
import { encoding } from "./encoding.ts";
import { glob } from "./glob.ts";
import { graph } from "./graph.ts";
import { internal } from "./internal.ts";
import { json } from "./json.ts";
import { net } from "./net.ts";
import { numbers } from "./numbers.ts";
import { objects } from "./objects.ts";
import { patch } from "./patch.ts";
import { rand } from "./rand.ts";
import { regex } from "./regex.ts";
import { semver } from "./semver.ts";
import { sets } from "./sets.ts";
import { sprintf } from "./sprintf.ts";
import { strings } from "./strings.ts";
import { template } from "./template.ts";
import { time } from "./time.ts";
import { types } from "./types.ts";
import { units } from "./units.ts";
import { uri } from "./uri.ts";
import { uuid } from "./uuid.ts";

export { type Builtin, type BuiltinContext, BuiltinFailure } from "../builtin.ts";

export const standardBuiltins: readonly Builtin[] = [
  ...aggregates,
  ...arrays,
  ...bits,
  ...comparison,
  ...conversions,
  ...encoding,
  ...glob,
  ...graph,
  ...internal,
  ...json,
  ...net,
  ...numbers,
  ...objects,
  ...patch,
  ...rand,
  ...regex,
  ...semver,
  ...sets,
  ...sprintf,
  ...strings,
  ...template,
  ...time,
  ...types,
  ...units,
  ...uri,
  ...uuid,
];
