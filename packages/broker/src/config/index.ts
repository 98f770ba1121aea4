// SPDX-License-Identifier: Apache-2.0
// The broker's configuration: from files, environment and flags to the options of its parts.

export { settingsMarkdown } from "./describe.ts";
export { brokerOptionsOf, type Surroundings, serveOptionsOf, stateOptionsOf } from "./options.ts";
export {
  ENV_PREFIX,
  parsedFile,
  type ReadSettings,
  readSettings,
  type SettingsSources,
  settingsOf,
} from "./read.ts";
export type { Settings } from "./settings.ts";
export { settingsJsonSchema } from "./shape.ts";
export { type ShownSetting, shownSettings } from "./show.ts";
export { type ImportedSettings, importTrustee } from "./trustee.ts";
