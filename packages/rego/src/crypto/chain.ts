// SPDX-License-Identifier: Apache-2.0
// Certification paths as OPA judges them: Go's `Certificate.Verify` with one root and given intermediates (RFC 5280
// section 6). Stricter in one thing: chains with policy constraints, policy mappings or inhibitAnyPolicy are refused.

import { equal } from "@adyton/core/bytes";
import { ecdsaFromDer } from "@adyton/core/crypto";
import { CoreError } from "@adyton/core/errors";
import type { BuiltinContext } from "../builtin.ts";
import type { ParsedCertificate } from "./certificate.ts";
import { areAllowed, isNamed } from "./constraints.ts";
import { OID_SUBJECT_ALTERNATIVE_NAME } from "./extensions.ts";
import { SIGNATURE_STEPS } from "./guard.ts";
import { verifyingKeyOf } from "./public-key.ts";

export interface ChainOptions {
  /** Milliseconds since 1970. */
  readonly at: number;
  /** A name or address that the leaf must hold; empty for any. */
  readonly dnsName: string;
  /** OIDs of purposes, one of which the whole chain must allow; `anyExtendedKeyUsage` among them allows all. */
  readonly purposes: readonly string[];
}

const ANY_PURPOSE = "2.5.29.37.0";
const SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
/** Signature checks and comparisons in one search for a path. */
const MAX_SIGNATURES = 100;
/** Extensions that only a policy tree could judge (RFC 5280 sections 4.2.1.5, 4.2.1.11, 4.2.1.14). */
const POLICY_EXTENSIONS: readonly string[] = ["2.5.29.33", "2.5.29.36", "2.5.29.54"];
const KEY_CERT_SIGN = 1 << 5;

type Chain = readonly ParsedCertificate[];

/** Leaf to root, or undefined where there is no path that holds. The first certificate is the root, the last the leaf. */
export function verifyChain(
  certificates: readonly ParsedCertificate[],
  options: ChainOptions,
  context: BuiltinContext,
): Chain | undefined {
  const [root, ...others] = certificates;
  const leaf = others.pop();
  if (root === undefined || leaf === undefined) return undefined;
  if (!isCurrent(leaf, options.at) || leaf.extensions.unhandled.length > 0) return undefined;
  if (!pathLengthHolds(leaf, [])) return undefined;
  if (options.dnsName !== "" && !isNamed(leaf.extensions.names, options.dnsName)) return undefined;
  let checks = 0;

  const search = (chain: Chain): Chain | undefined => {
    const child = chain.at(-1) ?? leaf;
    for (const parent of [root, ...others]) {
      if (!equal(parent.subject, child.issuer) || isIn(parent, chain)) continue;
      checks++;
      context.spend(SIGNATURE_STEPS);
      if (checks > MAX_SIGNATURES) return undefined;
      if (!mayIssue(parent, parent === root) || !isSignedBy(child, parent)) continue;
      if (!isCurrent(parent, options.at) || parent.extensions.unhandled.length > 0) continue;
      if (!pathLengthHolds(parent, chain)) continue;
      const longer = [...chain, parent];
      const found = parent === root ? (holds(longer, options, context) ? longer : undefined) : search(longer);
      if (found !== undefined) return found;
    }
    return undefined;
  };

  if (equal(leaf.der, root.der)) return holds([leaf], options, context) ? [leaf] : undefined;
  return search([leaf]);
}

function isCurrent({ notBefore, notAfter }: ParsedCertificate, at: number): boolean {
  return at >= notBefore.getTime() && at <= notAfter.getTime();
}

/** CAs below a certificate, the leaf not counted. */
function pathLengthHolds({ extensions }: ParsedCertificate, below: Chain): boolean {
  const limit = extensions.basic?.maxPathLength ?? -1;
  return limit < 0 || below.length - 1 <= limit;
}

/** RFC 5280 section 4.2.1.9 and 4.2.1.3. A root of version 1 has no extension to say that it is a CA. */
function mayIssue({ version, extensions, hasKnownKey }: ParsedCertificate, isRoot: boolean): boolean {
  const { basic, keyUsage } = extensions;
  if (basic === undefined ? version === 3 || !isRoot : !basic.isCa) return false;
  return hasKnownKey && (keyUsage === 0 || (keyUsage & KEY_CERT_SIGN) !== 0);
}

/** Signed by a key that may, with an algorithm that is still trusted: SHA-1 and MD5 are not. */
function isSignedBy(
  child: Pick<ParsedCertificate, "tbs" | "signature" | "algorithm">,
  parent: Pick<ParsedCertificate, "spki">,
): boolean {
  if (child.algorithm === undefined) return false;
  try {
    const key = verifyingKeyOf(parent.spki);
    const signature =
      child.algorithm.name === "ECDSA" && key.algorithm.name === "EC"
        ? ecdsaFromDer(key.algorithm.curve, child.signature)
        : child.signature;
    return key.verify(child.algorithm, signature, child.tbs);
  } catch (error) {
    // A key or a signature that is malformed has signed nothing.
    if (error instanceof CoreError) return false;
    throw error;
  }
}

/** The same subject, key and alternative names: cross-signed certificates must not make a circle. */
function isIn(candidate: ParsedCertificate, chain: Chain): boolean {
  return chain.some(
    (other) =>
      equal(other.subject, candidate.subject) &&
      equal(other.spki, candidate.spki) &&
      equal(namesOf(other), namesOf(candidate)),
  );
}

function namesOf({ extensions }: ParsedCertificate): Uint8Array {
  return extensions.list.find(({ oid }) => oid === OID_SUBJECT_ALTERNATIVE_NAME)?.value ?? new Uint8Array(0);
}

/** What only a whole chain shows: policies, purposes, name constraints. */
function holds(chain: Chain, { purposes }: ChainOptions, context: BuiltinContext): boolean {
  if (chain.length > 1 && chain.slice(0, -1).some(({ extensions }) => hasPolicyRules(extensions.list)))
    return false;
  return serves(chain, purposes) && namesAreAllowed(chain, context);
}

function hasPolicyRules(list: readonly { readonly oid: string }[]): boolean {
  return list.some(({ oid }) => POLICY_EXTENSIONS.includes(oid));
}

/** One wanted purpose is allowed by every certificate that names any. */
function serves(chain: Chain, purposes: readonly string[]): boolean {
  if (purposes.includes(ANY_PURPOSE)) return true;
  return (purposes.length === 0 ? [SERVER_AUTH] : purposes).some((purpose) =>
    chain.every(({ extensions }) => {
      const named = extensions.purposes;
      return named.length === 0 || named.includes(purpose) || named.includes(ANY_PURPOSE);
    }),
  );
}

/** The constraints of each certificate hold for the names of all below it. */
function namesAreAllowed(chain: Chain, context: BuiltinContext): boolean {
  return chain.every(({ extensions: { constraints } }, i) => {
    if (constraints === undefined) return true;
    const trees = [constraints.permitted, constraints.excluded];
    const steps = trees.reduce(
      (sum, side) => sum + side.dns.length + side.emails.length + side.uris.length + side.ranges.length,
      1,
    );
    return chain
      .slice(0, i)
      .every(({ extensions }) => areAllowed(extensions.names, constraints, () => context.spend(steps)));
  });
}
