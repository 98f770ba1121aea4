// SPDX-License-Identifier: Apache-2.0
export { EndorsementsError, type EndorsementsErrorCode } from "./errors.ts";
export { type FoundEndorsements, readEndorsementPaths } from "./files.ts";
