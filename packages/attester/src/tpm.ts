// SPDX-License-Identifier: Apache-2.0
// A TPM 2.0 at hand: keys, quotes, PCRs, sealed data, NV indices and credential activation, with commands written here.

export {
  createAttestationKey,
  defaultAkScheme,
  deriveAttestationKey,
  loadAttestationKey,
  type ProvisionedKey,
  persistentAttestationKey,
  provisionedAttestationKey,
} from "./tpm/attestation-key.ts";
export { AK_VARIABLE, type AkChoice, createTpmAttester, type TpmAttesterOptions } from "./tpm/attester.ts";
export { eccCurves, handlesBetween, pcrBanks, type TpmProperties, tpmProperties } from "./tpm/capability.ts";
export { flushContext, type OpenTpmOptions, openTpm, type Tpm, withLoaded } from "./tpm/connection.ts";
export { type ActivationRequest, activateCredential } from "./tpm/credential.ts";
export { createEndorsementKey, type EkCertificate, readEkCertificates } from "./tpm/endorsement.ts";
export { NO_AUTH, type TpmAuthorization, type TpmCommand, type TpmResponse } from "./tpm/frame.ts";
export {
  type CreateKeyOptions,
  createKey,
  createPrimary,
  type Hierarchy,
  loadKey,
  readPublic,
  type TpmKey,
  type WrappedKey,
} from "./tpm/keys.ts";
export { readNv } from "./tpm/nv.ts";
export { extendPcr, type PcrDigest, readPcrs } from "./tpm/pcr.ts";
export { type QuoteRequest, quoteOnly, quotePcrs } from "./tpm/quote.ts";
export { parseResponseCode, type ResponseCode } from "./tpm/response-code.ts";
export { type PcrSelector, type SealedData, sealData, unsealData } from "./tpm/seal.ts";
export { type AkScheme, akTemplate, type EkKind, ekTemplate, storageTemplate } from "./tpm/templates.ts";
export { parseTpmAddress, TPM_VARIABLE, type TpmAddress, type TpmTransport } from "./tpm/transport.ts";
