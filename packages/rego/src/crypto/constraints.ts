// SPDX-License-Identifier: Apache-2.0
// Which names a certificate is good for: host names (RFC 6125 section 6.4) and name constraints of the authorities above
// it (RFC 5280 section 4.2.1.10). A name that cannot be compared is refused where there is a constraint.

import { formatAddress, parseAddress } from "../builtins/address.ts";
import { addressText } from "./asn1.ts";
import { type Constraints, isDomain, type Names, type Subtrees } from "./extensions.ts";

const HOST = /^(?:[A-Za-z0-9_][A-Za-z0-9_-]*\.)*[A-Za-z0-9_][A-Za-z0-9_-]*$/;

/** True when the names hold `host`: an address, in brackets or not, or a name; wildcards stand for one whole label. */
export function isNamed(names: Names, host: string): boolean {
  const address = parseAddress(/^\[(.+)\]$/.exec(host)?.[1] ?? host);
  if (address !== undefined)
    return names.addresses.some((candidate) => addressText(candidate) === formatAddress(address));
  const wanted = lower(host);
  const labels = wanted.replace(/\.$/, "").split(".");
  return names.dns.some((name) => {
    const pattern = lower(name);
    if (!HOST.test(wanted.replace(/\.$/, "")) || !HOST.test(pattern.replace(/^\*\./, "")))
      return pattern === wanted && pattern !== "" && pattern !== ".";
    const parts = pattern.split(".");
    return (
      parts.length === labels.length &&
      parts.every((part, i) => part === labels[i] || (i === 0 && part === "*"))
    );
  });
}

/** True when every name is permitted, and none excluded. `count` is told each comparison. */
export function areAllowed(names: Names, constraints: Constraints, count: () => void): boolean {
  const check = <T>(
    list: readonly T[],
    kind: keyof Subtrees,
    fits: (name: T, side: Subtrees, excluding: boolean) => boolean,
  ): boolean => {
    const { permitted, excluded } = constraints;
    return list.every((name) => {
      count();
      return (permitted[kind].length === 0 || fits(name, permitted, false)) && !fits(name, excluded, true);
    });
  };
  return (
    check(names.addresses, "ranges", (address, side) =>
      side.ranges.some((range) => isWithin(address, range)),
    ) &&
    names.dns.every(isDomain) &&
    check(names.dns, "dns", (name, side, excluding) =>
      side.dns.some((tree) => isUnder(name, tree, excluding)),
    ) &&
    names.uris.every(({ host }) => hostOf(host) !== undefined) &&
    check(names.uris, "uris", ({ host }, side, excluding) =>
      side.uris.some((tree) => isUnder(hostOf(host) ?? "", tree, excluding)),
    ) &&
    names.emails.every((email) => mailboxOf(email) !== undefined) &&
    check(names.emails, "emails", (email, side, excluding) =>
      side.emails.some((tree) => isMailUnder(email, tree, excluding)),
    )
  );
}

/** A tree that begins with a dot holds only what is below it; the empty one holds everything. */
function isUnder(name: string, tree: string, excluding: boolean): boolean {
  if (tree === "") return true;
  const [wanted, suffix] = [lower(name), lower(tree)];
  if (suffix.startsWith(".") ? wanted.endsWith(suffix) : wanted === suffix || wanted.endsWith(`.${suffix}`))
    return true;
  // A wildcard may stand for the excluded name.
  return (
    excluding &&
    wanted.startsWith("*.") &&
    wanted.slice(1) === suffix.slice(suffix.indexOf(".")) &&
    suffix.includes(".")
  );
}

function isMailUnder(email: string, tree: string, excluding: boolean): boolean {
  const mailbox = mailboxOf(email);
  if (mailbox === undefined) return false;
  if (!tree.includes("@")) return isUnder(mailbox.domain, tree, excluding);
  const exact = mailboxOf(tree);
  return exact !== undefined && exact.local === mailbox.local && exact.domain === mailbox.domain;
}

/** Plain addresses alone: a quoted local part has more than one way to be written. */
function mailboxOf(email: string): { readonly local: string; readonly domain: string } | undefined {
  const [, local = "", domain = ""] =
    /^([A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?:\.[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*)@([^@]+)$/.exec(email) ?? [];
  return local === "" || !isDomain(domain) ? undefined : { local, domain: lower(domain) };
}

/** The name in a URI's authority; undefined for addresses and for none. */
function hostOf(authority: string): string | undefined {
  const host = authority.replace(/:[0-9]*$/, "");
  return host === "" || host.includes("[") || parseAddress(host) !== undefined || !isDomain(host)
    ? undefined
    : host;
}

function isWithin(address: Uint8Array, range: Subtrees["ranges"][number]): boolean {
  return (
    address.length === range.address.length &&
    address.every(
      (byte, i) => (byte & (range.mask[i] ?? 0)) === ((range.address[i] ?? 0) & (range.mask[i] ?? 0)),
    )
  );
}

function lower(text: string): string {
  return text.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}
