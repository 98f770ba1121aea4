// SPDX-License-Identifier: Apache-2.0
// `adyton token verify`: a token under keys that are named, at a time, and its status.

import { type EarClaims, readEarUnverified, type VerifyEarOptions, verifyEar } from "@adyton/appraisal";
import { AdytonError } from "@adyton/core/errors";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, styleOf } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { hexOf, integerOf, timeOf } from "../values.ts";
import { readToken } from "./input.ts";
import { type TrustedKey, trustedKeys } from "./keys.ts";
import { tierText, tokenSections } from "./print.ts";

const MAX_SECONDS = 2 ** 31;

/**
 * JSON: `{verified: true, affirming, code, form, header, key: {from, kid}, claims}`; `code` is `OK` or `POLICY_REFUSED`. A
 * token that is not authentic is an error.
 */
export async function verify(invocation: Invocation, io: Io): Promise<ExitCode> {
  const [path = "-"] = invocation.arguments;
  const options = optionsOf(invocation, io);
  const trusted = await trustedKeys(invocation, io);
  const token = await readToken(path, io);
  const claims = await verifyEar(token, { ...options, keys: trusted.map(({ key }) => key) });
  const { form, header } = readEarUnverified(token);
  const used = await signerOf(token, trusted, options);
  const bad = Object.entries(claims.submods).filter(([, part]) => part["ear.status"] !== "affirming");
  const affirming = bad.length === 0;
  if (invocation.json) {
    const code = affirming ? "OK" : "POLICY_REFUSED";
    const key = { from: used.from, kid: used.key.kid ?? null };
    writeJson(io.stdout, { verified: true, affirming, code, form, header, key, claims });
    return affirming ? EXIT.ok : EXIT.policy;
  }
  const style = styleOf(io.stdout, io.env);
  const statuses = bad.map(([name, part]) => `${printable(name)} is ${tierText(part["ear.status"], style)}`);
  const kid = used.key.kid === undefined ? "" : ` (${used.key.kid})`;
  const simulated = claims["adyton.simulated"] === true ? `, ${style.caution("SIMULATED")}` : "";
  const sections = [
    affirming
      ? `${style.good("VERIFIED")}  affirming${simulated}`
      : `${style.bad("REFUSED")}  authentic, but ${statuses.join(", ")}${simulated} [POLICY_REFUSED]`,
    printable(`signed by a key of ${used.from}${kid}`),
    ...tokenSections(form, header, claims, style, Math.min(110, io.stdout.columns)),
    ...(invocation.flag("claims") ? [printable(JSON.stringify(claims, null, 2))] : []),
  ];
  io.stdout.write(`${sections.join("\n\n")}\n`);
  io.stderr.write(`Next: ${printable(nextOf(claims))}\n`);
  return affirming ? EXIT.ok : EXIT.policy;
}

function optionsOf(invocation: Invocation, io: Io): Omit<VerifyEarOptions, "keys"> {
  const seconds = (name: string): number | undefined => {
    const text = invocation.value(name);
    return text === undefined ? undefined : integerOf(name, text, 0, MAX_SECONDS);
  };
  const at = invocation.value("at");
  const issuer = invocation.value("issuer");
  const nonce = invocation.value("nonce");
  const maxAgeSeconds = seconds("max-age");
  const toleranceSeconds = seconds("tolerance");
  return {
    now: at === undefined ? io.now() : timeOf("at", at),
    ...(issuer === undefined ? {} : { issuer }),
    ...(nonce === undefined ? {} : { nonce: hexOf("nonce", nonce) }),
    ...(maxAgeSeconds === undefined ? {} : { maxAgeSeconds }),
    ...(toleranceSeconds === undefined ? {} : { toleranceSeconds }),
  };
}

/** Which of the keys made the signature that all of them together were found to have made. */
async function signerOf(
  token: string | Uint8Array,
  trusted: readonly TrustedKey[],
  options: Omit<VerifyEarOptions, "keys">,
): Promise<TrustedKey> {
  for (const each of trusted) {
    try {
      await verifyEar(token, { ...options, keys: [each.key] });
      return each;
    } catch (error) {
      if (!(error instanceof AdytonError) || error.code !== "EAR_SIGNATURE") throw error;
    }
  }
  throw new TypeError("a token that verified has a signer");
}

function nextOf(claims: EarClaims): string {
  for (const part of Object.values(claims.submods)) {
    const finding = part["adyton.explanation"]?.find(({ ok }) => !ok);
    if (finding?.next !== undefined) return finding.next;
  }
  return "The claims may decide now; look at the nonce and the key if the token was meant for you.";
}
