// SPDX-License-Identifier: Apache-2.0
// What policies see of a CCA token. Trustee passes on the names of Veraison's claim sets, kebab-case, with byte strings
// in base64; report_data and init_data beside them in hex. Claims that a token lacks are absent.

import { toBase64, toHex } from "@adyton/core/bytes";
import type { JsonObject, JsonValue } from "@adyton/core/json";
import type { CcaToken } from "./evidence.ts";
import { lifecycleStateOf } from "./lifecycle.ts";
import type { PlatformClaims, SoftwareComponent } from "./platform.ts";
import type { RealmClaims } from "./realm.ts";

type Claim = JsonValue | Uint8Array | undefined;

/** The claims of both tokens. */
export function claimsOf({ platform, realm }: CcaToken): JsonObject {
  return {
    realm: realmClaims(realm.claims),
    platform: platformClaims(platform.claims),
    report_data: toHex(realm.claims.challenge),
    init_data: toHex(realm.claims.personalizationValue),
  };
}

function realmClaims(claims: RealmClaims): JsonObject {
  return jsonOf({
    "cca-realm-profile": claims.profile,
    "cca-realm-challenge": claims.challenge,
    "cca-realm-instance-id": claims.instanceId,
    "cca-realm-personalization-value": claims.personalizationValue,
    "cca-realm-initial-measurement": claims.initialMeasurement,
    "cca-realm-extensible-measurements": claims.extensibleMeasurements.map(toBase64),
    "cca-realm-hash-algo-id": claims.hashAlgorithm,
    "cca-realm-public-key": claims.publicKey,
    "cca-realm-public-key-hash-algo-id": claims.publicKeyHashAlgorithm,
    "cca-realm-mec-policy": claims.mecPolicy,
  });
}

function platformClaims(claims: PlatformClaims): JsonObject {
  return jsonOf({
    "cca-platform-profile": claims.profile,
    "cca-platform-challenge": claims.challenge,
    "cca-platform-implementation-id": claims.implementationId,
    "cca-platform-instance-id": claims.instanceId,
    "cca-platform-config": claims.config,
    "cca-platform-lifecycle": claims.lifecycle,
    "cca-platform-lifecycle-state": lifecycleStateOf(claims.lifecycle),
    "cca-platform-sw-components": claims.softwareComponents.map(componentClaims),
    "cca-platform-service-indicator": claims.verificationService,
    "cca-platform-hash-algo-id": claims.hashAlgorithm,
    "cca-platform-client-id": claims.clientId,
    "cca-platform-manufacturing-config": claims.manufacturingConfig,
    "cca-platform-peer-signers": claims.peerSigners,
  });
}

function componentClaims(component: SoftwareComponent): JsonObject {
  return jsonOf({
    "measurement-type": component.type,
    "measurement-value": component.measurement,
    version: component.version,
    "signer-id": component.signerId,
    "hash-algo-id": component.hashAlgorithm,
  });
}

function jsonOf(claims: Readonly<Record<string, Claim>>): JsonObject {
  const entries = Object.entries(claims).flatMap(([name, claim]): [string, JsonValue][] =>
    claim === undefined ? [] : [[name, claim instanceof Uint8Array ? toBase64(claim) : claim]],
  );
  return Object.fromEntries(entries);
}
