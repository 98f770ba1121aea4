// SPDX-License-Identifier: Apache-2.0
// Arm CCA alone, for small bundles: verify a token, read and write its parts.

export {
  type CcaForm,
  type CcaPart,
  type CcaToken,
  encodeCcaToken,
  parseCcaToken,
} from "./arm/evidence.ts";
export type { CcaHash } from "./arm/hash.ts";
export { isSecured, type LifecycleState, lifecycleStateOf } from "./arm/lifecycle.ts";
export {
  encodePlatformClaims,
  PLATFORM_PROFILES,
  type PlatformClaims,
  type PlatformProfile,
  parsePlatformClaims,
  type SoftwareComponent,
} from "./arm/platform.ts";
export {
  encodeRealmClaims,
  encodeRealmKey,
  type MecPolicy,
  parseRealmClaims,
  REALM_PROFILES,
  type RealmClaims,
  type RealmProfile,
  realmKeyOf,
} from "./arm/realm.ts";
export { cca } from "./arm/scheme.ts";
export { verifyCca } from "./arm/verify.ts";
