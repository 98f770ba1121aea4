// SPDX-License-Identifier: Apache-2.0
// The gate before everything that administers: who asks, may they, and does it take more than one. Refusals are in the
// audit log.

import type { JsonObject } from "@adyton/core/json";
import { auditChange } from "../audit.ts";
import type { Clock } from "../clock.ts";
import { BrokerError } from "../errors.ts";
import { readBody } from "../http/body.ts";
import type { Store } from "../store/types.ts";
import type { PeerCertificate } from "./certificate.ts";
import type { Identifier, Source } from "./identify.ts";
import { type Action, ANYTHING, may, type Principal, type Target } from "./principal.ts";
import { type ApprovalOptions, needsApproval, type Proposals } from "./proposals.ts";

export interface AuthorizerOptions {
  readonly identifier: Identifier;
  readonly proposals: Proposals;
  readonly approvals: ApprovalOptions | undefined;
  readonly store: Store;
  readonly clock: Clock;
  readonly maxBodyBytes: number;
  /** What stands before the paths of requests here: access by address is about all of it. */
  readonly base: string;
  readonly certificateOf: (request: Request) => PeerCertificate | undefined;
}

interface Known {
  readonly source: Source;
  readonly principal: Principal;
}

/** Who proves nothing cannot fill the log: one entry in this time counts them all. */
const STRANGERS_MS = 1_000;

export class Authorizer {
  readonly #options: AuthorizerOptions;
  /** A route asks more than once about the same request. */
  readonly #proved: WeakMap<Request, Promise<Source>> = new WeakMap();
  /** Requests that were approved, and whose they are. */
  readonly #approved: WeakMap<Request, Source> = new WeakMap();
  #strangers = 0;
  #strangersAt = Number.NEGATIVE_INFINITY;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** From now on `request` is its proposer's, as far as they still may, and waits for nobody. */
  carry(request: Request, proposer: Source): void {
    this.#approved.set(request, proposer);
  }

  /** Rejects with `ADMIN_REFUSED`, `ADMIN_FORBIDDEN`, or `APPROVAL_NEEDED`. */
  async authorize(request: Request, action: Action, target?: Target): Promise<Principal> {
    const { approvals, clock, maxBodyBytes, proposals } = this.#options;
    const now = clock.now();
    let known: Known;
    try {
      known = await this.#known(request, now);
    } catch (error) {
      if (error instanceof BrokerError && error.code === "ADMIN_REFUSED")
        await this.#noteStranger(action, now);
      throw error;
    }
    const { principal, source } = known;
    if (!may(principal, action, target)) {
      await this.#note({ type: "admin.refuse", by: principal.id, action, ...named(target) }, now);
      throw forbidden(principal, action, target);
    }
    if (approvals !== undefined && !this.#approved.has(request) && needsApproval(approvals, action)) {
      const body = await readBody(request, maxBodyBytes);
      const asked = {
        action,
        target: target === ANYTHING ? undefined : target,
        principal,
        source,
        request,
        body,
      };
      const proposal = await proposals.propose(asked, approvals, now);
      throw approvalNeeded(proposals.facts(proposal, now));
    }
    return principal;
  }

  /** Who sent the request, whatever they may do. Rejects with `ADMIN_REFUSED`. */
  async identify(request: Request): Promise<Principal> {
    return (await this.#known(request, this.#options.clock.now())).principal;
  }

  async #known(request: Request, now: Date): Promise<Known> {
    const { base, identifier } = this.#options;
    const { pathname, search } = new URL(request.url);
    const source = await this.#source(request, now);
    return { source, principal: await identifier.principal(source, base + pathname + search, now) };
  }

  #source(request: Request, now: Date): Promise<Source> {
    const approved = this.#approved.get(request);
    if (approved !== undefined) return Promise.resolve(approved);
    const known = this.#proved.get(request);
    if (known !== undefined) return known;
    const { certificateOf, identifier } = this.#options;
    const proved = identifier.prove(request, certificateOf(request), now);
    this.#proved.set(request, proved);
    return proved;
  }

  async #noteStranger(action: Action, now: Date): Promise<void> {
    this.#strangers += 1;
    if (Math.abs(now.getTime() - this.#strangersAt) < STRANGERS_MS) return;
    const attempts = this.#strangers;
    this.#strangers = 0;
    this.#strangersAt = now.getTime();
    await this.#note({ type: "admin.refuse", action, attempts }, now);
  }

  async #note(event: JsonObject & { readonly type: string }, now: Date): Promise<void> {
    await this.#options.store.write([auditChange(now, event)]);
  }
}

function named(target: Target | undefined): JsonObject {
  return typeof target === "string" ? { target: target.slice(0, 300) } : {};
}

function forbidden({ id, roles }: Principal, action: Action, target: Target | undefined): BrokerError {
  const on = typeof target === "string" ? ` on ${target.slice(0, 300)}` : "";
  return new BrokerError(
    "ADMIN_FORBIDDEN",
    "policy",
    `Cannot administer: ${id} may not do ${action}${on} (roles: ${roles.join(", ") || "none"})`,
    { hint: `Ask an owner for a role that grants ${action}.` },
  );
}

function approvalNeeded(proposal: JsonObject): BrokerError {
  const { id, digest, needed } = proposal;
  return new BrokerError(
    "APPROVAL_NEEDED",
    "policy",
    `Nothing was done yet: it waits as proposal ${String(id)} for ${String(needed)} to approve it`,
    {
      detail: { proposal: { id: id ?? "", digest: digest ?? "", needed: needed ?? 0 } },
      hint: `Have it approved: adyton proposal approve ${String(id)}`,
    },
  );
}
