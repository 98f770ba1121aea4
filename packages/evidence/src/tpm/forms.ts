// SPDX-License-Identifier: Apache-2.0
// The forms that TPM evidence travels in, one line each.

import { alibabaForm } from "../alibaba/form.ts";
import { EvidenceError } from "../errors.ts";
import { gceForm } from "../gcp/form.ts";
import { jsonForm, type TpmEvidence, type TpmForm } from "./evidence.ts";

const FORMS: readonly TpmForm[] = [jsonForm, alibabaForm, gceForm];

/** The form of `bytes`, or undefined. */
export function formOf(bytes: Uint8Array): TpmForm | undefined {
  return FORMS.find((form) => form.detect(bytes));
}

/** Parses evidence in any form. Throws `INVALID_ENVELOPE`, `INVALID_TPM_STRUCTURE` or an error about an encoding. */
export function parseTpmEvidence(bytes: Uint8Array): TpmEvidence {
  const form = formOf(bytes);
  if (form !== undefined) return form.parse(bytes);
  const known = FORMS.map(({ title }) => title).join(", ");
  throw new EvidenceError(
    "INVALID_ENVELOPE",
    "malformed",
    `Cannot read TPM evidence: ${bytes.length} bytes in none of the forms of ${known}`,
    { detail: { size: bytes.length } },
  );
}
