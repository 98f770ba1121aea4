// SPDX-License-Identifier: Apache-2.0
// What a proposal would change: policies against those in force, line by line, and the rest in a sentence.

import { type Admin, ClientError, POLICY_NAMES, type ProposalFacts } from "@adyton/client";
import { fromBase64, fromBase64Url, toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, parseJson } from "@adyton/core/json";
import { lineDiff } from "../line-diff.ts";

export interface ProposedChange {
  /** A sentence without its end. */
  readonly summary: string;
  /** Of a policy: what differs from the one in force. Absent where there is none to show, or it cannot be told. */
  readonly diff?: string;
  /** Of a policy: why there is no diff. */
  readonly note?: string;
  /** The request's body as people read it: what was packed in base64 is unpacked. */
  readonly content?: JsonObject;
}

/** A policy as a proposal would have it. */
interface ProposedPolicy {
  /** "" to take it away. */
  readonly text: string;
  readonly tests?: string;
}

const SCOPED = "resource:";
const DONE = new Set(["done", "failed", "rejected"]);

/** What `facts` asks for. Rejects as the client, but where it may not see the policy in force. */
export async function proposedChange(facts: ProposalFacts, admin: Admin): Promise<ProposedChange> {
  if (facts.action !== "policy.set") return { summary: summaryOf(facts), ...unpacked(facts) };
  const summary = policySummary(facts);
  // Once it is decided, what is in force is something else than it was then.
  if (DONE.has(facts.state) || facts.content === undefined)
    return facts.method === "DELETE" && !DONE.has(facts.state)
      ? { summary, ...(await differing(facts, { text: "" }, admin)) }
      : { summary, ...unpacked(facts) };
  const proposed = facts.method === "DELETE" ? { text: "" } : await policyIn(facts, admin);
  if (proposed === undefined) return { summary, ...unpacked(facts) };
  const tests = proposed.tests === undefined ? {} : { content: { tests: proposed.tests } };
  return { summary, ...(await differing(facts, proposed, admin)), ...tests };
}

async function differing(
  { target }: ProposalFacts,
  { text }: ProposedPolicy,
  admin: Admin,
): Promise<Pick<ProposedChange, "diff" | "note" | "content">> {
  try {
    const before = (await inForce(target, admin)) ?? "";
    const diff = lineDiff(before, text);
    const note = before === "" ? "none is set there: the default is in force" : "the same text is in force";
    return before === "" || diff === "" ? { diff, note } : { diff };
  } catch (error) {
    if (!(error instanceof ClientError) || error.code !== "ADMIN_REFUSED") throw error;
    return { note: "you may not see the policy in force", content: { policy: text } };
  }
}

/** The text in force under the name that the broker calls it by; undefined when none was set. */
async function inForce(target: string, admin: Admin): Promise<string | undefined> {
  const name = POLICY_NAMES.find((known) => known === target);
  try {
    if (name !== undefined) return await admin.getPolicy(name);
    if (target.startsWith(SCOPED)) return await admin.resourcePolicies.get(target.slice(SCOPED.length));
  } catch (error) {
    const { broker } = error instanceof ClientError ? error.detail : {};
    if (isJsonObject(broker) && broker.code === "POLICY_NOT_FOUND") return undefined;
    throw error;
  }
  return undefined;
}

/** The policy in a request: as text, in base64url, or by the number of a version that is kept. */
async function policyIn(
  { content = {}, path, target }: ProposalFacts,
  admin: Admin,
): Promise<ProposedPolicy | undefined> {
  const { policy, tests, version } = content;
  if (typeof version === "number") {
    const name = POLICY_NAMES.find((known) => known === target);
    const versions = name === undefined ? [] : await admin.listPolicyVersions(name);
    const text = versions.find((each) => each.version === version)?.text;
    return text === undefined ? undefined : { text };
  }
  if (typeof policy !== "string") return undefined;
  const plain = path.startsWith("/v1/resource-policies/");
  const text = plain ? policy : unpackedText(policy, fromBase64Url);
  if (text === undefined) return undefined;
  const tested = typeof tests !== "string" || plain ? tests : unpackedText(tests, fromBase64Url);
  return { text, ...(typeof tested === "string" ? { tests: tested } : {}) };
}

function policySummary({ content, method, target }: ProposalFacts): string {
  if (method === "DELETE") return `take the policy ${target} away`;
  const { version } = content ?? {};
  return typeof version === "number"
    ? `put version ${version} of the policy ${target} in force again`
    : `put another policy ${target} in force`;
}

function summaryOf({ action, bytes, content, method, path, target }: ProposalFacts): string {
  const what = target === "" ? "" : ` ${target}`;
  const verb = path.split("?")[0]?.split("/").at(-1) ?? "";
  switch (action) {
    case "resource.put":
      return `store ${bytes} bytes as${what}, in place of what is there`;
    case "resource.delete":
      return verb === "restore" ? `bring${what} back` : `delete${what}`;
    case "reference.write":
      return referenceSummary(verb, method, what, content ?? {});
    case "admin.manage":
    case "tenant.manage":
    case "key.manage": {
      const kind = action === "admin.manage" ? "administrator" : action.split(".")[0];
      const named = typeof content?.name === "string" ? ` ${content.name}` : what;
      const doing = method === "DELETE" ? "remove" : method === "PUT" ? "change" : "make or change";
      return `${doing} the ${kind}${named}`;
    }
    default:
      return `${method} ${path}, ${bytes} bytes`;
  }
}

function referenceSummary(verb: string, method: string, what: string, content: JsonObject): string {
  const about = typeof content.id === "string" ? ` of ${content.id}` : what;
  const value = content.value === undefined ? "every value" : JSON.stringify(content.value);
  if (method === "DELETE") return `delete the reference value${what}`;
  if (verb === "revoke" || verb === "unrevoke") return `${verb} ${value}${about}`;
  if (verb === "expire") return `let ${value}${about} end at ${String(content.expires)}`;
  if (typeof content.enabled === "boolean")
    return `let the values of a group count${content.enabled ? " again" : " no more"}`;
  return `register reference values from a document (${String(content.type ?? "of no type")})`;
}

/** The body; the values in a plain document of reference values instead of their base64. */
function unpacked({ action, content }: ProposalFacts): Pick<ProposedChange, "content"> {
  if (content === undefined) return {};
  const { payload, type } = content;
  if (action !== "reference.write" || type !== "sample" || typeof payload !== "string") return { content };
  const text = unpackedText(payload, fromBase64);
  try {
    return text === undefined ? { content } : { content: { ...content, payload: parseJson(text) } };
  } catch {
    return { content };
  }
}

function unpackedText(encoded: string, decode: (text: string) => Uint8Array): string | undefined {
  try {
    return toUtf8(decode(encoded));
  } catch (error) {
    if (error instanceof AdytonError) return undefined;
    throw error;
  }
}
