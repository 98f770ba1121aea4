// SPDX-License-Identifier: Apache-2.0
// IBM's names. Its certificates and lists spell the signing service's name in several orders and places, which s390-tools
// takes for the same; here too, and nothing else is.

import { equal } from "@adyton/core/bytes";
import { type DerValue, parseDer, TAG } from "@adyton/core/der";
import type { DistinguishedName } from "@adyton/core/x509";

const COMMON_NAME = "2.5.4.3";
const COUNTRY = "2.5.4.6";
const LOCALITY = "2.5.4.7";
const STATE = "2.5.4.8";
const ORGANIZATION = "2.5.4.10";
const UNIT = "2.5.4.11";
const IBM = "International Business Machines Corporation";
/** The two sites that the signing service goes by. */
const SITES: ReadonlySet<string> = new Set(["Armonk", "Poughkeepsie"]);
const SIGNING_UNIT = "Key Signing Service";
const MAX_ATTRIBUTES = 16;

/** Whether this is the name of IBM's service that signs host-key documents. */
export function isSigningServiceName(name: DistinguishedName): boolean {
  const attributes = attributesOf(name);
  return (
    attributes !== undefined &&
    attributes.size === 6 &&
    attributes.get(COUNTRY) === "US" &&
    attributes.get(STATE) === "New York" &&
    attributes.get(ORGANIZATION) === IBM &&
    attributes.get(COMMON_NAME) === IBM &&
    SITES.has(attributes.get(LOCALITY) ?? "") &&
    attributes.get(UNIT)?.endsWith(SIGNING_UNIT) === true
  );
}

/** Equal, or the signing service's name both, but for the order of their parts and which of its sites they name. */
export function isSameService(a: DistinguishedName, b: DistinguishedName): boolean {
  if (equal(a.der, b.der)) return true;
  if (!isSigningServiceName(a) || !isSigningServiceName(b)) return false;
  return attributesOf(a)?.get(UNIT) === attributesOf(b)?.get(UNIT);
}

/** Attributes by type; undefined where one is there twice. */
function attributesOf(name: DistinguishedName): ReadonlyMap<string, string> | undefined {
  const attributes = new Map<string, string>();
  for (const set of parseDer(name.der, "name").sequence()) {
    for (const pair of set.elements(TAG.SET)) {
      const [type, value] = pair.sequence(2) as [DerValue, DerValue];
      const oid = type.oid();
      if (attributes.has(oid) || attributes.size === MAX_ATTRIBUTES) return undefined;
      attributes.set(oid, value.string());
    }
  }
  return attributes;
}
