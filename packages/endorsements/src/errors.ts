// SPDX-License-Identifier: Apache-2.0
import { AdytonError } from "@adyton/core/errors";

/** Codes of `@adyton/endorsements`. */
export type EndorsementsErrorCode = "PATH_NOT_FOUND" | "PATH_NOT_READABLE" | "FOLDER_TOO_LARGE";

/** Thrown by `@adyton/endorsements`. */
export class EndorsementsError extends AdytonError<EndorsementsErrorCode> {}
