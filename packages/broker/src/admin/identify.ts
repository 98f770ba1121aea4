// SPDX-License-Identifier: Apache-2.0
// From a request's credentials to a principal: the owner's token, tokens of stored administrators, JWTs of identity
// providers, client certificates.

import { createHash } from "node:crypto";
import { equalConstantTime, fromHex } from "@adyton/core/bytes";
import { z } from "zod";
import { BrokerError } from "../errors.ts";
import { bearerOf } from "../http/credentials.ts";
import type { Acl } from "./acl.ts";
import type { Admins, StoredAdmin } from "./admins.ts";
import { type CertificateRule, type PeerCertificate, peerIdentity, ruleFor } from "./certificate.ts";
import type { JwtIssuer, JwtIssuers } from "./jwt.ts";
import type { Grant, HeldGrant, Principal } from "./principal.ts";
import { grantsOf, type Roles } from "./roles.ts";

/** Who somebody proved to be: enough to ask later what they may do by then. */
export const sourceForm: z.ZodType<Source> = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("owner") }),
  z.strictObject({ kind: z.literal("stored"), scope: z.enum(["house", "tenant"]), name: z.string() }),
  z.strictObject({
    kind: z.literal("jwt"),
    issuer: z.string(),
    subject: z.string(),
    roles: z.array(z.string()),
  }),
  z.strictObject({
    kind: z.literal("certificate"),
    sha256: z.string(),
    spkiSha256: z.string(),
    trusted: z.boolean(),
    subject: z.string(),
    sans: z.array(z.string()),
  }),
]);

export type Source =
  | { readonly kind: "owner" }
  | { readonly kind: "stored"; readonly scope: "house" | "tenant"; readonly name: string }
  | {
      readonly kind: "jwt";
      readonly issuer: string;
      readonly subject: string;
      readonly roles: readonly string[];
    }
  | {
      readonly kind: "certificate";
      readonly sha256: string;
      readonly spkiSha256: string;
      readonly trusted: boolean;
      readonly subject: string;
      readonly sans: readonly string[];
    };

export interface IdentifierOptions {
  /** The owner's; undefined where it does not count. */
  readonly ownerToken: string | undefined;
  readonly issuers: readonly JwtIssuer[];
  readonly jwt: JwtIssuers;
  readonly certificates: readonly CertificateRule[];
  readonly roles: Roles;
  /** In place of what roles of JWTs grant. */
  readonly acl: Acl | undefined;
  /** Of the whole house. */
  readonly house: Admins;
  /** Of the tenant that the request is about, unless that is the default one. */
  readonly own: Admins | undefined;
  /** `default` for none. */
  readonly tenant: string;
}

/** A stored administrator's token: it names them, so that nobody is searched for by secret. */
const TOKEN = /^adyton~([a-z0-9._-]{1,64})~[A-Za-z0-9_-]{43}$/;
const EVERYTHING: readonly Grant[] = [{ actions: ["*"], targets: ["**"] }];
const OWNER: Principal = { id: "admin", roles: ["owner"], grants: EVERYTHING };
const NOBODY = new Uint8Array(32);

export class Identifier {
  readonly #options: IdentifierOptions;
  readonly #owner: Uint8Array | undefined;

  constructor(options: IdentifierOptions) {
    this.#options = options;
    this.#owner = options.ownerToken === undefined ? undefined : digest(options.ownerToken);
  }

  /** What the request proves. An `Authorization` header decides alone. Rejects with `ADMIN_REFUSED`. */
  async prove(request: Request, certificate: PeerCertificate | undefined, now: Date): Promise<Source> {
    if (request.headers.get("authorization") === null && certificate !== undefined)
      return { kind: "certificate", ...peerIdentity(certificate, now) };
    const token = bearerOf(request);
    if (token === undefined) throw refused("the request carries no bearer token");
    const given = digest(token);
    // Digests are compared, so that not even the length of the token shows in the time.
    if (equalConstantTime(given, this.#owner ?? NOBODY) && this.#owner !== undefined)
      return { kind: "owner" };
    const name = TOKEN.exec(token)?.[1];
    if (name !== undefined) {
      for (const scope of ["tenant", "house"] as const) {
        const admin = await this.#admins(scope)?.find(name);
        const expected = admin?.credential.kind === "token" ? fromHex(admin.credential.sha256) : NOBODY;
        if (equalConstantTime(given, expected)) return { kind: "stored", scope, name };
      }
    } else if (token.split(".").length === 3 && this.#options.issuers.length > 0) {
      const { issuer, subject, roles } = await this.#options.jwt.identify(token, now);
      return { kind: "jwt", issuer: issuer.issuer, subject, roles };
    }
    throw refused("the bearer token is not the administrator's");
  }

  /** Who that is here and now, and what they may ask for at `path`. Rejects with `ADMIN_REFUSED`. */
  async principal(source: Source, path: string, now: Date): Promise<Principal> {
    const { acl, certificates, issuers, roles } = this.#options;
    switch (source.kind) {
      case "owner":
        if (this.#owner === undefined) throw refused("the owner's token does not count");
        return OWNER;
      case "stored": {
        const admin = await this.#admins(source.scope)?.find(source.name);
        if (admin === undefined || admin.credential.kind !== "token" || !this.#counts(admin, now))
          throw refused("the administrator is not one here, or not any more");
        const id =
          source.scope === "house" ? `admin:${admin.name}` : `${this.#options.tenant}/admin:${admin.name}`;
        return { id, roles: admin.roles, grants: this.#grants([admin]) };
      }
      case "jwt": {
        const { issuer, subject } = source;
        const known = issuers.find((one) => one.issuer === issuer);
        if (known === undefined || !this.#here(known.tenants))
          throw refused("its issuer counts for nothing here");
        const stored = await this.#stored(
          ({ credential: c }) => c.kind === "jwt" && c.issuer === issuer && c.subject === subject,
          now,
        );
        const own = acl === undefined ? grantsOf(roles, source.roles) : aclGrants(acl, source.roles, path);
        return {
          id: `jwt:${issuer}#${subject}`,
          roles: [...source.roles, ...stored.flatMap((admin) => admin.roles)],
          grants: [...within(own, known.tenants), ...this.#grants(stored)],
        };
      }
      case "certificate": {
        const rule = ruleFor(
          certificates.filter(({ tenants }) => this.#here(tenants)),
          source,
        );
        const stored = await this.#stored(
          ({ credential: c }) => c.kind === "certificate" && c.spkiSha256 === source.spkiSha256,
          now,
        );
        if (rule === undefined && stored.length === 0)
          throw refused("the client certificate is nobody's here");
        return {
          id: `cert:${rule?.name ?? source.spkiSha256}`,
          roles: [...(rule?.roles ?? []), ...stored.flatMap((admin) => admin.roles)],
          grants: [...within(grantsOf(roles, rule?.roles ?? []), rule?.tenants), ...this.#grants(stored)],
        };
      }
    }
  }

  #admins(scope: "house" | "tenant"): Admins | undefined {
    return scope === "house" ? this.#options.house : this.#options.own;
  }

  async #stored(fits: (admin: StoredAdmin) => boolean, now: Date): Promise<readonly StoredAdmin[]> {
    const all = [...((await this.#options.own?.list()) ?? []), ...(await this.#options.house.list())];
    return all.filter((admin) => fits(admin) && this.#counts(admin, now));
  }

  #counts({ expires, tenants }: StoredAdmin, now: Date): boolean {
    return (expires === undefined || new Date(expires) > now) && this.#here(tenants);
  }

  #here(tenants: readonly string[] | undefined): boolean {
    return tenants === undefined || tenants.includes(this.#options.tenant);
  }

  #grants(admins: readonly StoredAdmin[]): readonly HeldGrant[] {
    return admins.flatMap(({ roles, grants, tenants }) =>
      within([...grantsOf(this.#options.roles, roles), ...grants], tenants),
    );
  }
}

function within(grants: readonly Grant[], tenants: readonly string[] | undefined): readonly HeldGrant[] {
  return tenants === undefined ? grants : grants.map((grant) => ({ ...grant, tenants }));
}

function aclGrants(acl: Acl, roles: readonly string[], path: string): readonly Grant[] {
  return acl.allows(roles, path) ? EVERYTHING : [];
}

function digest(text: string): Uint8Array {
  return new Uint8Array(createHash("sha256").update(text).digest());
}

function refused(why: string): BrokerError {
  return new BrokerError("ADMIN_REFUSED", "not-authentic", `Cannot administer: ${why}`, {
    hint: "Send the content of admin.token in the state folder, or a token of your own, as Authorization: Bearer.",
  });
}
