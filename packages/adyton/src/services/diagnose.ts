// SPDX-License-Identifier: Apache-2.0
// `adyton diagnose`: the way of a guest to its secret, one step after the other, each with what was found and what to do.

import { createClient } from "@adyton/client";
import { fromBase64Url, toUtf8 } from "@adyton/core/bytes";
import { AdytonError, type ErrorCategory } from "@adyton/core/errors";
import { isJsonObject, type JsonObject, parseJson } from "@adyton/core/json";
import { EXIT, type ExitCode, exitCodeOf } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, type Style, styleOf } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { teeOption } from "../values.ts";
import { localAttester } from "./local-tee.ts";
import { servicesUrl, stateFolder } from "./place.ts";

const NAMES = [
  "attester",
  "network",
  "clock",
  "protocol",
  "evidence",
  "endorsements",
  "policy",
  "secret",
] as const;
type StepName = (typeof NAMES)[number];

/** `ok` is null for what could not be tried, or was not asked for. */
interface Step {
  readonly step: StepName;
  readonly ok: boolean | null;
  readonly found: string;
  readonly next?: string;
}

interface Failure {
  readonly category: ErrorCategory;
  readonly found: string;
  readonly next: string;
}

type LocalAttester = Awaited<ReturnType<typeof localAttester>>;

const PROTOCOL = "0.4.0";
const REPORT_DATA_BYTES = 64;
const PATIENCE_MS = 10_000;
const MAX_DRIFT_SECONDS = 60;
const NEXT: Readonly<Partial<Record<StepName, string>>> = {
  network:
    "check the URL, that the services run (`adyton up`), and what stands between: DNS, firewall, proxy, TLS",
  protocol: "compare the versions of guest and services, and the services' log",
  evidence: "`adyton attest --out FILE` and `adyton evidence verify FILE` say more about the evidence",
  endorsements:
    "bring the vendor's certificates, lists and TCB data to endorsements/ of the services' state folder",
  secret: "`adyton explain last`, where the services are administered, says which condition did not hold",
};

/** JSON: `{url, tee, steps: [{step, ok, found, next?}]}`. Exits as the first step that failed. */
export async function diagnose(invocation: Invocation, io: Io): Promise<ExitCode> {
  const url = await servicesUrl(invocation, io);
  const journey = new Journey();
  const attester = await attesterStep(journey, invocation, io);
  if (await networkStep(journey, url, io)) {
    if (attester !== undefined && (await protocolStep(journey, url, attester.tee)))
      await attestationSteps(journey, url, attester, invocation.arguments[0]);
  }
  const steps = journey.steps();
  if (invocation.json) writeJson(io.stdout, { url, tee: attester?.tee ?? null, steps });
  else print(url, steps, io);
  return journey.exit();
}

/** What was found so far; the first failure decides how the command ends. */
class Journey {
  readonly #found = new Map<StepName, Step>();
  #exit: ExitCode = EXIT.ok;

  passed(step: StepName, found: string): void {
    this.#found.set(step, { step, ok: true, found });
  }

  failed(step: StepName, { category, found, next }: Failure): void {
    if (this.#exit === EXIT.ok) this.#exit = exitCodeOf(category);
    this.#found.set(step, { step, ok: false, found, next });
  }

  skipped(step: StepName, found: string): void {
    this.#found.set(step, { step, ok: null, found });
  }

  steps(): readonly Step[] {
    return NAMES.map((step) => this.#found.get(step) ?? { step, ok: null, found: "not tried" });
  }

  exit(): ExitCode {
    return this.#exit;
  }
}

async function attesterStep(
  journey: Journey,
  invocation: Invocation,
  io: Io,
): Promise<LocalAttester | undefined> {
  try {
    const attester = await localAttester(teeOption(invocation), stateFolder(invocation, io), io);
    const { evidence } = await attester.collect(new Uint8Array(REPORT_DATA_BYTES));
    journey.passed(
      "attester",
      `${attester.tee}, through ${attester.title}: ${evidence.length} bytes of evidence`,
    );
    return attester;
  } catch (error) {
    journey.failed(
      "attester",
      failureOf(error, "`adyton doctor` tells which TEE this machine has and what it lacks"),
    );
    return undefined;
  }
}

async function networkStep(journey: Journey, url: string, io: Io): Promise<boolean> {
  try {
    const answer = await asked(`${url}/healthz`);
    if (!answer.ok) throw new Error(`it answers with status ${answer.status}`);
    journey.passed("network", `${url} answers`);
    clockStep(journey, answer.headers.get("date"), io.now());
    return true;
  } catch (error) {
    const found = `${url} does not answer: ${reasonOf(error)}`;
    journey.failed("network", { category: "unavailable", found, next: NEXT.network ?? "" });
    return false;
  }
}

function clockStep(journey: Journey, date: string | null, now: Date): void {
  const there = new Date(date ?? Number.NaN).getTime();
  if (Number.isNaN(there)) {
    journey.skipped("clock", "the services do not say what time it is");
    return;
  }
  const seconds = Math.round(Math.abs(there - now.getTime()) / 1000);
  const found = `differs from the services' by ${seconds} s`;
  const next = "find out which of the two is right: certificates and tokens are judged by it";
  if (seconds <= MAX_DRIFT_SECONDS) journey.passed("clock", found);
  else journey.failed("clock", { category: "unavailable", found, next });
}

async function protocolStep(journey: Journey, url: string, tee: string): Promise<boolean> {
  const hashes = ["sha256", "sha384", "sha512"];
  const request = { version: PROTOCOL, tee, "extra-params": { "supported-hash-algorithms": hashes } };
  try {
    const answer = await asked(`${url}/kbs/v0/auth`, {
      method: "POST",
      body: JSON.stringify(request),
      headers: { "content-type": "application/json" },
    });
    const body: unknown = await answer.json();
    if (answer.ok && isJsonObject(body) && typeof body.nonce === "string") {
      journey.passed("protocol", `KBS protocol ${PROTOCOL}, evidence of ${tee} is taken`);
      return true;
    }
    const detail =
      isJsonObject(body) && typeof body.detail === "string" ? body.detail : "no key broker's answer";
    throw new Error(`status ${answer.status}: ${detail}`);
  } catch (error) {
    const found = `${PROTOCOL} with ${tee} is refused: ${reasonOf(error)}`;
    journey.failed("protocol", { category: "misuse", found, next: NEXT.protocol ?? "" });
    return false;
  }
}

async function attestationSteps(
  journey: Journey,
  url: string,
  attester: LocalAttester,
  name: string | undefined,
): Promise<void> {
  const client = createClient({ url, attester });
  let token: string;
  try {
    ({ token } = await client.getToken());
  } catch (error) {
    const missing = error instanceof AdytonError && error.category === "endorsements";
    if (missing) journey.skipped("evidence", "reached the services, which lack what to verify it with");
    const step = missing ? "endorsements" : "evidence";
    journey.failed(step, failureOf(error, NEXT[step] ?? ""));
    return;
  }
  journey.passed("evidence", "authentic, fresh, and bound to a key of this program");
  journey.passed("endorsements", "all that was needed");
  policyStep(journey, claimsOf(token));
  if (name === undefined) {
    journey.skipped("secret", "not asked for: name one to try");
    return;
  }
  try {
    const secret = await client.getResource(name);
    journey.passed("secret", `${name} is released: ${secret.length} bytes, not shown`);
    secret.fill(0);
  } catch (error) {
    journey.failed("secret", failureOf(error, NEXT.secret ?? ""));
  }
}

function policyStep(journey: Journey, claims: JsonObject): void {
  const submods = isJsonObject(claims.submods) ? Object.entries(claims.submods) : [];
  const statuses = submods.map(([name, submod]) =>
    isJsonObject(submod) ? `${name} is ${String(submod["ear.status"])}` : name,
  );
  const simulated = claims["adyton.simulated"] === true ? "; simulated: proves flows, not secrecy" : "";
  const found = `${statuses.join(", ")}${simulated}`;
  const findings = submods.flatMap(([, submod]) =>
    isJsonObject(submod) && Array.isArray(submod["adyton.explanation"])
      ? submod["adyton.explanation"].filter(isJsonObject).filter(({ ok }) => ok !== true)
      : [],
  );
  if (submods.every(([, submod]) => isJsonObject(submod) && submod["ear.status"] === "affirming")) {
    journey.passed("policy", found);
    return;
  }
  const told = findings.map(({ message, next }) =>
    [message, next].filter((text) => typeof text === "string").join(" "),
  );
  journey.failed("policy", {
    category: "policy",
    found,
    next: told.join("\n") || "the administrator's `adyton explain last` says which condition did not hold",
  });
}

function failureOf(error: unknown, next: string): Failure {
  if (!(error instanceof AdytonError)) throw error;
  const { category, hint } = error;
  return { category, found: error.message, next: hint ?? next };
}

/** The claims as the services wrote them: nobody here relies on them. */
function claimsOf(token: string): JsonObject {
  const payload = parseJson(toUtf8(fromBase64Url(token.split(".")[1] ?? "")));
  return isJsonObject(payload) ? payload : {};
}

function asked(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, redirect: "error", signal: AbortSignal.timeout(PATIENCE_MS) });
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error ? `${error.message}: ${cause.message}` : error.message;
}

function print(url: string, steps: readonly Step[], io: Io): void {
  const style = styleOf(io.stdout, io.env);
  io.stdout.write(`${steps.map((step) => stepText(step, style)).join("\n")}\n`);
  const fault = steps.find(({ ok }) => ok === false);
  io.stderr.write(
    fault === undefined
      ? `Everything stands between this program and ${printable(url)}.\n`
      : `Mend first: ${fault.step}\n`,
  );
}

function stepText({ step, ok, found, next }: Step, style: Style): string {
  const mark = ok === true ? style.good("✓") : ok === false ? style.bad("✗") : "-";
  const lines = next?.split("\n").map((line) => `                next: ${printable(line)}`) ?? [];
  return [`${mark} ${step.padEnd(14)}${printable(found)}`, ...lines].join("\n");
}
