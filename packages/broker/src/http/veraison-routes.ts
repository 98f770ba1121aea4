// SPDX-License-Identifier: Apache-2.0
// Veraison's challenge-response API, version 1, and its discovery: the same appraisal, the result in Veraison's profile.

import { fromBase64Url, toBase64Url } from "@adyton/core/bytes";
import { loggedVerdict } from "../audit/verdict.ts";
import { invalid } from "../protocol.ts";
import { referencesOf } from "../reference/references.ts";
import { EVIDENCE_TYPES, evidenceOf, SCHEME_NAMES } from "../veraison-media.ts";
import { sessionAnswered, type VeraisonSession } from "../veraison-sessions.ts";
import { readBody } from "./body.ts";
import type { App, AppParts } from "./parts.ts";

const API = "/challenge-response/v1";
const SESSION = `${API}/session`;
const DISCOVERY = "/.well-known/veraison/verification";
const SESSION_TYPE = "application/vnd.veraison.challenge-response-session+json";
const DISCOVERY_TYPE = "application/vnd.veraison.discovery+json";
/** RFC 9711 section 4.1: what `eat_nonce` may have. */
const MIN_NONCE = 8;
const MAX_NONCE = 64;
const DEFAULT_NONCE = 32;

/** Whether errors below this path are told as problem details (RFC 9457). */
export function isVeraisonPath(path: string): boolean {
  return ["/challenge-response/", "/management/", "/.well-known/veraison/"].some((each) =>
    path.startsWith(each),
  );
}

export function addVeraisonRoutes(app: App, parts: AppParts): void {
  const { clock, logger, maxBodyBytes, store, vault, verifier, veraisonSessions: sessions } = parts;
  app.post(`${API}/newSession`, async (c) => {
    const session = await sessions.open(nonceIn(new URL(c.req.url).searchParams), clock.now());
    return answer(session, 201, { location: `session/${session.id}` });
  });
  app.get(`${SESSION}/:id`, async (c) => answer(await sessions.find(c.req.param("id"), clock.now()), 200));
  app.delete(`${SESSION}/:id`, async (c) => {
    await sessions.delete(c.req.param("id"), clock.now());
    return c.body(null, 204);
  });
  app.post(`${SESSION}/:id`, async (c) => {
    const now = clock.now();
    const session = await sessions.find(c.req.param("id"), now);
    const body = await readBody(c.req.raw, maxBodyBytes);
    const evidence = evidenceOf(c.req.header("content-type") ?? "", body);
    if (session.status !== "waiting") throw sessionAnswered(session.status);
    // From here on nobody else answers this challenge.
    const taken = await sessions.change(session, { status: "processing" }, now);
    let result: string;
    try {
      const references = await referencesOf(store, vault).live(now);
      result = await loggedVerdict(store, { tee: evidence.tee, api: "veraison" }, now, () =>
        verifier.attestToNonce(evidence, session.nonce, references, now),
      );
    } catch (error) {
      await sessions.change(taken, { status: "failed" }, now);
      throw error;
    }
    const complete = await sessions.change(taken, { status: "complete", result }, now);
    logger.info("attested", { tee: evidence.tee, api: "veraison" });
    return answer(complete, 200);
  });
  app.get(DISCOVERY, async () =>
    json(
      {
        "ear-verification-key": (await parts.tokenKeys.publicKeys())[0],
        "media-types": EVIDENCE_TYPES,
        "attestation-schemes": SCHEME_NAMES,
        version: "1.0.0",
        "service-state": "READY",
        "api-endpoints": {
          newChallengeResponseSession: `${API}/newSession`,
        },
      },
      200,
      DISCOVERY_TYPE,
    ),
  );
}

function nonceIn(query: URLSearchParams): Uint8Array | number {
  const unknown = [...query.keys()].find((name) => name !== "nonce" && name !== "nonceSize");
  if (unknown !== undefined)
    throw invalid(`${JSON.stringify(unknown.slice(0, 80))} is no parameter of newSession`);
  const nonces = query.getAll("nonce");
  const sizes = query.getAll("nonceSize");
  if (nonces.length + sizes.length > 1) throw invalid("expected one of nonce and nonceSize");
  const [nonce] = nonces;
  if (nonce !== undefined) return givenNonce(nonce);
  const [size = String(DEFAULT_NONCE)] = sizes;
  if (!/^[1-9]\d?$/.test(size) || Number(size) < MIN_NONCE || Number(size) > MAX_NONCE)
    throw invalid(`nonceSize is not ${MIN_NONCE} to ${MAX_NONCE}`);
  return Number(size);
}

function givenNonce(text: string): Uint8Array {
  let nonce: Uint8Array;
  try {
    nonce = fromBase64Url(text.replace(/=+$/, ""));
  } catch {
    throw invalid("nonce is no base64url");
  }
  if (nonce.length < MIN_NONCE || nonce.length > MAX_NONCE)
    throw invalid(`nonce has ${nonce.length} bytes, expected ${MIN_NONCE} to ${MAX_NONCE}`);
  return nonce;
}

function answer(
  { status, nonce, expires, result }: VeraisonSession,
  code: number,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = {
    status,
    nonce: toBase64Url(nonce),
    expiry: expires.toISOString(),
    accept: EVIDENCE_TYPES,
    ...(result === undefined ? {} : { result }),
  };
  return json(body, code, SESSION_TYPE, headers);
}

function json(
  body: unknown,
  status: number,
  type: string,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(JSON.stringify(body), { status, headers: { "content-type": type, ...headers } });
}
