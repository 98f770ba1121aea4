// SPDX-License-Identifier: Apache-2.0
// Trustee's attestation service by REST: evidence and what it binds in, a token out. Policies take an administrator.

import { readEvaluation } from "../attestation-service.ts";
import { loggedVerdict } from "../audit/verdict.ts";
import { BrokerError } from "../errors.ts";
import { attestationPolicyOf, isAttestation, POLICY_NAMES } from "../policy-names.ts";
import { referencesOf } from "../reference/references.ts";
import { readText } from "./body.ts";
import { type App, type AppParts, pathBelow } from "./parts.ts";

const ATTESTATION = "/attestation";
const CHALLENGE = "/challenge";
/** Set as at Trustee's key broker: see policy-routes.ts. */
export const SERVICE_POLICY = "/policy";
const PATHS = /^\/(?:attestation|challenge|policy(?:\/.*)?)$/;

/** Whether errors at this path are told as problem details (RFC 9457). */
export function isServicePath(path: string): boolean {
  return PATHS.test(path);
}

export function addServiceRoutes(app: App, parts: AppParts): void {
  const { authorize, challenges, clock, isFixed, logger, maxBodyBytes, policies, store, vault, verifier } =
    parts;
  app.post(ATTESTATION, async (c) => {
    const now = clock.now();
    const sent = await readEvaluation(await readText(c.req.raw, maxBodyBytes), challenges, now);
    const references = await referencesOf(store, vault).live(now);
    const [{ tee } = { tee: "sample" as const }] = sent;
    const token = await loggedVerdict(store, { tee, api: "as" }, now, () =>
      verifier.evaluate(sent, references, now),
    );
    logger.info("attested", { tee, api: "as" });
    return c.text(token);
  });
  app.post(CHALLENGE, async (c) => {
    return c.text(await challenges.open(await readText(c.req.raw, maxBodyBytes), clock.now()));
  });
  app.get(SERVICE_POLICY, async (c) => {
    await authorize(c.req.raw, "policy.read");
    const list = [];
    for (const name of POLICY_NAMES) {
      if (!isAttestation(name) || isFixed(name) || (await policies.get(name)) === undefined) continue;
      list.push({ "policy-id": name.replace(/^attestation/, "default") });
    }
    return c.json(list);
  });
  app.get(`${SERVICE_POLICY}/*`, async (c) => {
    const id = pathBelow(`${SERVICE_POLICY}/`, c.req.url);
    const name = attestationPolicyOf(id);
    await authorize(c.req.raw, "policy.read", name ?? id);
    const policy = name === undefined || isFixed(name) ? undefined : await policies.get(name);
    if (policy === undefined) {
      throw new BrokerError(
        "POLICY_NOT_FOUND",
        "misuse",
        `Cannot find policy ${JSON.stringify(id.slice(0, 80))}: none was set`,
        { hint: "The default is in force: every piece of evidence affirmed against the reference values." },
      );
    }
    return c.text(policy.text);
  });
}
