// SPDX-License-Identifier: Apache-2.0
// Requests that wait until others have approved them: kept sealed, with who asked, and carried out once, as they were.

import { createHash, randomBytes } from "node:crypto";
import { fromHex, fromUtf8, toHex, toUtf8 } from "@adyton/core/bytes";
import type { JsonObject } from "@adyton/core/json";
import { z } from "zod";
import { auditChange } from "../audit.ts";
import { BrokerError } from "../errors.ts";
import { jsonOf, matching } from "../protocol.ts";
import type { Change, Store } from "../store/types.ts";
import { countedStore } from "../tenants/quota.ts";
import type { Vault } from "../vault.ts";
import { type Source, sourceForm } from "./identify.ts";
import { type Action, fitsAction, type Principal } from "./principal.ts";

export interface ApprovalOptions {
  /** Patterns of actions that take more than one: `policy.set`, `resource.delete`, `key.*`. What only reads never does. */
  readonly actions: readonly string[];
  /** How many besides who asks. Default 1. */
  readonly approvers?: number;
  /** After which a proposal is void. Default seven days. */
  readonly lifetimeSeconds?: number;
}

const SPACE = "proposal";
/** What is carried out, apart: nobody has to read it to see what waits. Gone once it is closed. */
const BODIES = "proposal-body";
const DEFAULT_LIFETIME = 7 * 24 * 3600;
const LIMITS: ProposalLimits = { open: 1_000, openBytes: 64 * 1024 * 1024, kept: 2_000, closed: 500 };
const SALT_BYTES = 32;
const MAX_APPROVERS = 16;
const ID = /^[0-9a-f]{32}$/;
// Their content is no secret, and who approves has to know it.
const SHOWN: readonly string[] = ["policy.*", "reference.*", "tenant.*", "admin.*"];

/** How many there may be. */
export interface ProposalLimits {
  /** Waiting at the same time. */
  readonly open: number;
  /** Of these, all together, as they are stored. */
  readonly openBytes: number;
  /** With those that were closed. */
  readonly kept: number;
  /** Of the closed ones, once there are too many. */
  readonly closed: number;
}

const form: z.ZodType<Proposal> = z.strictObject({
  id: z.string(),
  created: z.string(),
  expires: z.string(),
  action: z.string(),
  // "" for everything.
  target: z.string(),
  by: z.string(),
  source: sourceForm,
  method: z.string(),
  path: z.string(),
  contentType: z.string().nullable(),
  bytes: z.int(),
  salt: z.string(),
  digest: z.string(),
  needed: z.int(),
  approvals: z.array(z.strictObject({ by: z.string(), time: z.string() })),
  state: z.enum(["open", "running", "done", "failed", "rejected"]),
  closedBy: z.string().exactOptional(),
  closed: z.string().exactOptional(),
  status: z.int().exactOptional(),
});

export interface Proposal {
  readonly id: string;
  /** RFC 3339, as every time here. */
  readonly created: string;
  readonly expires: string;
  readonly action: string;
  readonly target: string;
  /** The proposer's id, and what they proved. */
  readonly by: string;
  readonly source: Source;
  readonly method: string;
  /** With its query; within the tenant. */
  readonly path: string;
  readonly contentType: string | null;
  /** Of the body. */
  readonly bytes: number;
  /** Hex. Shown to nobody: the digest stands in the log, where guesses at a secret could be tried against it. */
  readonly salt: string;
  /** Over everything that is carried out; who approves says it. */
  readonly digest: string;
  /** How many have to approve it. */
  readonly needed: number;
  readonly approvals: readonly { readonly by: string; readonly time: string }[];
  readonly state: "open" | "running" | "done" | "failed" | "rejected";
  readonly closedBy?: string;
  readonly closed?: string;
  /** Of the answer, once carried out. */
  readonly status?: number;
}

/** What is asked, by whom. */
export interface Asked {
  readonly action: Action;
  readonly target: string | undefined;
  readonly principal: Principal;
  readonly source: Source;
  readonly request: Request;
  readonly body: Uint8Array;
}

/** Whether an action waits for others. */
export function needsApproval({ actions }: ApprovalOptions, action: Action): boolean {
  // Whoever could not approve an approval could approve nothing.
  if (action.startsWith("proposal.") || /\.(?:read|list)$/.test(action)) return false;
  return actions.some((pattern) => fitsAction(pattern, action));
}

/** Throws `STATE_INVALID`. */
export function checkApprovals({ approvers = 1, lifetimeSeconds = DEFAULT_LIFETIME }: ApprovalOptions): void {
  if (Number.isInteger(approvers) && approvers >= 1 && approvers <= MAX_APPROVERS && lifetimeSeconds > 0)
    return;
  throw new BrokerError(
    "STATE_INVALID",
    "misuse",
    `Cannot ask for ${approvers} approvals within ${lifetimeSeconds} s: expected 1 to ${MAX_APPROVERS}, and some time`,
  );
}

/** The proposals of one tenant. */
export class Proposals {
  readonly #store: Store;
  readonly #vault: Vault;
  readonly #limits: ProposalLimits;

  constructor(store: Store, vault: Vault, limits: ProposalLimits = LIMITS) {
    const { open: maxResources, openBytes: maxBytes } = limits;
    this.#store = countedStore(
      store,
      { maxResources, maxBytes },
      { spaces: /^proposal-body$/, key: "proposals", exceeded: () => exceeded(limits) },
    );
    this.#vault = vault;
    this.#limits = limits;
  }

  /** Keeps a request until it is approved. Rejects with `QUOTA_EXCEEDED`. */
  async propose(asked: Asked, options: ApprovalOptions, now: Date): Promise<Proposal> {
    const { action, target = "", principal, source, request, body } = asked;
    const { approvers = 1, lifetimeSeconds = DEFAULT_LIFETIME } = options;
    const { pathname, search } = new URL(request.url);
    const id = toHex(randomBytes(16));
    const what = {
      method: request.method,
      path: pathname + search,
      contentType: request.headers.get("content-type"),
      salt: toHex(randomBytes(SALT_BYTES)),
    };
    const proposal: Proposal = {
      ...what,
      id,
      created: now.toISOString(),
      expires: new Date(now.getTime() + lifetimeSeconds * 1000).toISOString(),
      action,
      target,
      by: principal.id,
      source: matching(sourceForm, JSON.parse(JSON.stringify(source))),
      bytes: body.length,
      digest: digestOf(id, what, body),
      needed: approvers,
      approvals: [],
      state: "open",
    };
    const kept: Change = { kind: "put", space: BODIES, key: id, value: this.#vault.seal(BODIES, id, body) };
    const write = () => this.#write(undefined, proposal, now, "proposal.create", principal.id, kept);
    if ((await this.#store.keys(SPACE)).length >= this.#limits.kept) await this.#tidy(now);
    try {
      await write();
    } catch (error) {
      if (!(error instanceof BrokerError) || error.code !== "QUOTA_EXCEEDED") throw error;
      // Those whose time is over make room.
      await this.#tidy(now);
      await write();
    }
    return proposal;
  }

  /** Newest first. */
  async list(): Promise<readonly Proposal[]> {
    const all = [...(await this.#store.entries(SPACE))].map(([id, sealed]) => this.#opened(id, sealed));
    return all.sort((a, b) => (a.created < b.created ? 1 : a.created > b.created ? -1 : 0));
  }

  /** Rejects with `PROPOSAL_NOT_FOUND`. */
  async get(id: string): Promise<Proposal> {
    return (await this.#current(id)).proposal;
  }

  /**
   * Adds an approval. The answer is `running` for whoever gave the last one that was needed, and for nobody else: the request
   * is theirs to carry out. Rejects with `PROPOSAL_NOT_FOUND`, `PROPOSAL_CLOSED` or `ADMIN_FORBIDDEN`.
   */
  async approve(id: string, digest: string, principal: Principal, now: Date): Promise<Proposal> {
    const { proposal, sealed } = await this.#open(id, now);
    const { approvals, by, needed } = proposal;
    if (digest !== proposal.digest) throw forbidden("it is not what you looked at", "Look at it again.");
    if (by === principal.id) throw forbidden("you proposed it yourself", "Ask somebody else to approve it.");
    if (approvals.some((approval) => approval.by === principal.id))
      throw forbidden("you approved it already", "Ask somebody else to approve it, too.");
    const all = [...approvals, { by: principal.id, time: now.toISOString() }];
    const next: Proposal = { ...proposal, approvals: all, state: all.length < needed ? "open" : "running" };
    await this.#write(sealed, next, now, "proposal.approve", principal.id);
    return next;
  }

  /** Closes it for good; who proposed it may, too. Rejects as `approve`. */
  async reject(id: string, principal: Principal, now: Date): Promise<Proposal> {
    const { proposal, sealed } = await this.#open(id, now);
    const next = closedOf(proposal, "rejected", principal.id, now);
    await this.#write(sealed, next, now, "proposal.reject", principal.id, withoutBody(id));
    return next;
  }

  /** Notes what came of carrying it out. */
  async finish(id: string, status: number, by: string, now: Date): Promise<Proposal> {
    const { proposal, sealed } = await this.#current(id);
    const state = status < 400 ? "done" : "failed";
    const next: Proposal = { ...closedOf(proposal, state, by, now), status };
    await this.#write(sealed, next, now, `proposal.${state}`, by, withoutBody(id));
    return next;
  }

  /** The request as it was. Rejects with `SECRET_CORRUPT` when it is not what was approved. */
  async requestOf(proposal: Proposal): Promise<Request> {
    const { contentType, digest, id, method, path } = proposal;
    const body = await this.#bodyOf(proposal);
    if (body === undefined || digestOf(id, proposal, body) !== digest)
      throw new BrokerError("SECRET_CORRUPT", "not-authentic", "Cannot carry out a proposal: it was changed");
    return new Request(`http://proposal.invalid${path}`, {
      method,
      ...(contentType === null ? {} : { headers: { "content-type": contentType } }),
      ...(method === "GET" || body.length === 0 ? {} : { body }),
    });
  }

  /** The state of a proposal whose time is over shows as `expired`. */
  facts(proposal: Proposal, now: Date): JsonObject {
    const { source: _source, contentType: _type, salt: _salt, ...facts } = proposal;
    const expired = proposal.state === "open" && new Date(proposal.expires) <= now;
    return { ...facts, ...(expired ? { state: "expired" } : {}) };
  }

  /** Its facts, and what it would do where that is no secret. */
  async shown(proposal: Proposal, now: Date): Promise<JsonObject> {
    const isSecret = !SHOWN.some((pattern) => fitsAction(pattern, proposal.action));
    const body = isSecret ? undefined : await this.#bodyOf(proposal);
    return { ...this.facts(proposal, now), ...(body === undefined ? {} : contentOf(body)) };
  }

  async #bodyOf({ id }: Proposal): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const sealed = await this.#store.get(BODIES, id);
    return sealed === undefined ? undefined : Uint8Array.from(this.#vault.open(BODIES, id, sealed));
  }

  async #open(id: string, now: Date): Promise<{ proposal: Proposal; sealed: Uint8Array }> {
    const current = await this.#current(id);
    const { state, expires } = current.proposal;
    if (state !== "open" || new Date(expires) <= now) {
      const why = state === "open" ? "has expired" : `is ${state}`;
      throw new BrokerError("PROPOSAL_CLOSED", "misuse", `Cannot decide about proposal ${id}: it ${why}`, {
        hint: "Have it proposed again.",
      });
    }
    return current;
  }

  async #current(id: string): Promise<{ proposal: Proposal; sealed: Uint8Array }> {
    const sealed = ID.test(id) ? await this.#store.get(SPACE, id) : undefined;
    if (sealed === undefined) {
      throw new BrokerError("PROPOSAL_NOT_FOUND", "misuse", "Cannot find that proposal", {
        hint: "List the proposals to see what waits.",
      });
    }
    return { proposal: this.#opened(id, sealed), sealed };
  }

  /** Of two that decide at the same time one meets `STORE_CONFLICT`. */
  async #write(
    before: Uint8Array | undefined,
    proposal: Proposal,
    now: Date,
    type: string,
    by: string,
    ...beside: readonly Change[]
  ): Promise<void> {
    const { id, action, target, digest, status } = proposal;
    await this.#store.write([
      { kind: "check", space: SPACE, key: id, expect: before },
      {
        kind: "put",
        space: SPACE,
        key: id,
        value: this.#vault.seal(SPACE, id, fromUtf8(JSON.stringify(proposal))),
      },
      ...beside,
      auditChange(now, {
        type,
        by,
        proposal: id,
        action,
        target,
        digest,
        ...(status === undefined ? {} : { status }),
      }),
    ]);
  }

  /** Old ones make room, also those that a crash left running. */
  async #tidy(now: Date): Promise<void> {
    const closed = (await this.list()).filter(
      ({ state, expires }) => (state !== "open" && state !== "running") || new Date(expires) <= now,
    );
    const old = closed
      .slice(this.#limits.closed)
      .map(({ id }): Change => ({ kind: "delete", space: SPACE, key: id }));
    const kept = new Set(await this.#store.keys(BODIES));
    const spent = closed.filter(({ id }) => kept.has(id)).map(({ id }) => withoutBody(id));
    if (old.length + spent.length > 0) await this.#store.write([...old, ...spent]);
  }

  #opened(id: string, sealed: Uint8Array): Proposal {
    return matching(form, jsonOf(toUtf8(this.#vault.open(SPACE, id, sealed))));
  }
}

function closedOf(proposal: Proposal, state: Proposal["state"], closedBy: string, now: Date): Proposal {
  return { ...proposal, state, closedBy, closed: now.toISOString() };
}

function withoutBody(id: string): Change {
  return { kind: "delete", space: BODIES, key: id };
}

/** Ties an approval to what was looked at. */
function digestOf(
  id: string,
  { contentType, method, path, salt }: Pick<Proposal, "contentType" | "method" | "path" | "salt">,
  body: Uint8Array,
): string {
  const hash = createHash("sha256").update("adyton proposal v1\0").update(fromHex(salt));
  return hash
    .update(`${JSON.stringify([id, method, path, contentType])}\0`)
    .update(body)
    .digest("hex");
}

function contentOf(bytes: Uint8Array): JsonObject {
  let text: string;
  try {
    text = toUtf8(bytes);
  } catch {
    return {};
  }
  try {
    return { content: jsonOf(text) };
  } catch {
    return { content: { body: text } };
  }
}

function forbidden(why: string, hint: string): BrokerError {
  return new BrokerError("ADMIN_FORBIDDEN", "policy", `Cannot approve the proposal: ${why}`, { hint });
}

function exceeded({ open, openBytes }: ProposalLimits): BrokerError {
  return new BrokerError(
    "QUOTA_EXCEEDED",
    "policy",
    `Cannot propose more: at most ${open} proposals of ${openBytes} bytes together can wait`,
    { hint: "Decide about some of them." },
  );
}
