// SPDX-License-Identifier: Apache-2.0
// `adyton tour`: the whole story in a few seconds, each step checked.

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { silentLogger } from "@adyton/broker";
import { createAuditLog, createClient, fetchLogKey } from "@adyton/client";
import { toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import { checkLogProof, parseLogProof } from "@adyton/core/log-proof";
import { EXIT, type ExitCode } from "../exit.ts";
import type { Invocation } from "../frame/command.ts";
import { writeJson } from "../frame/json.ts";
import { printable, styleOf, table } from "../frame/style.ts";
import type { Io } from "../io.ts";
import { reasonTexts } from "../services/explain.ts";
import { type Services, startServices } from "../services/start.ts";
import { hasRealEvidence, judgeExhibit, realExhibits, simulatedExhibits } from "./evidence.ts";
import { createStage, type Stage } from "./stage.ts";
import { findWorkload, runInside, tamper } from "./workload.ts";

const SECRET = "default/hello/secret";
const SECRET_BYTES = 32;
const PAYROLL = "payroll/salaries/march";
const PAYROLL_POLICY = `package policy

default allow := false

allow if {
  input["adyton.simulated"] == false
}
`;

/** JSON: one object after the last step, `{url, steps: [{title, held}]}`; what happens is then told on stderr. */
export async function tour(invocation: Invocation, io: Io): Promise<ExitCode> {
  const once = invocation.flag("once");
  const output = invocation.json ? io.stderr : io.stdout;
  const style = styleOf(output, io.env);
  const stage = createStage(output, style);
  const interrupted = io.interruption();
  output.write(`${style.bold("Adyton, the tour.")} Everything happens on this machine; nothing leaves it.\n`);

  const folder = await mkdtemp(join(tmpdir(), "adyton-tour-"));
  let services: Services | undefined;
  try {
    services = await startStep(stage, join(folder, "state"), io);
    await evidenceStep(stage, invocation, io);
    await secretSteps(stage, services, join(folder, "tampered"));
    await policySteps(stage, services);
    if (invocation.json) writeJson(io.stdout, { url: services.url, steps: stage.steps() });
    output.write(`\n${style.good("Everything did what it promised.")}\n`);
    if (!once) {
      io.stderr.write(nextText(services));
      await interrupted;
      io.stderr.write("Stopped.\n");
    }
  } finally {
    await services?.close();
    await rm(folder, { recursive: true, force: true });
  }
  return EXIT.ok;
}

async function startStep(stage: Stage, dir: string, io: Io): Promise<Services> {
  stage.step("Start the trust services");
  const services = await startServices({ dir, port: 0, dev: true, now: io.now, logger: silentLogger });
  stage.say(`${services.url}, state in ${dir} until the end of the tour`);
  stage.say("development mode: this machine's software TEE is trusted, which proves flows, not secrecy");
  const health = await fetch(`${services.url}/healthz`);
  stage.promise(health.ok, "the verifier, the reference values, the policy and the key broker are up");
  return services;
}

async function evidenceStep(stage: Stage, invocation: Invocation, io: Io): Promise<void> {
  const named = invocation.value("fixtures") ?? io.env.ADYTON_FIXTURES;
  const folder = resolve(io.cwd, named ?? join(checkoutOr(io.cwd), "..", "shared", "fixtures"));
  const real = hasRealEvidence(folder);
  stage.step(real ? "Verify real evidence" : "Verify evidence (simulated: no real evidence at hand)");
  const exhibits = real ? await realExhibits(folder) : await simulatedExhibits(io.now());
  const rows: string[][] = [];
  let asExpected = 0;
  for (const exhibit of exhibits) {
    const { row, expected } = await judgeExhibit(exhibit);
    rows.push(row);
    if (expected) asExpected++;
  }
  stage.say(table([["evidence", "verified for", "verdict", "TCB status, or why not"], ...rows], 0));
  stage.promise(
    asExpected === exhibits.length,
    `${asExpected} of ${exhibits.length} verdicts are as they must be`,
  );
}

async function secretSteps(stage: Stage, services: Services, folder: string): Promise<void> {
  const { admin, softwareTee, url } = services;
  if (softwareTee === undefined) throw new TypeError("the tour starts the services in development mode");
  const workload = findWorkload();

  stage.step("Put a secret");
  const secret = randomBytes(SECRET_BYTES);
  await admin.putResource(SECRET, secret);
  const names = await admin.listResources();
  stage.promise(names.includes(SECRET), `${SECRET_BYTES} random bytes are stored as ${SECRET}`);
  stage.promise(
    !(await isStoredIn(services.dir, secret)),
    "no file of the state folder holds them in the clear",
  );
  const unattested = await fetch(`${url}/kbs/v0/resource/${SECRET}`);
  stage.promise(unattested.status === 401, "whoever asks without attesting is refused");

  stage.step("Run a workload that was vouched for");
  const launchDigest = await softwareTee.measure(workload.program);
  await admin.setReferenceValues({ launch_digest: [launchDigest] });
  stage.say(
    `reference value launch_digest: ${launchDigest.slice(0, 32)}… (examples/hello-secret/workload.mjs)`,
  );
  const good = await runInside(softwareTee, workload.program, url);
  stage.quote(good.stdout + good.stderr);
  const digest = createHash("sha256").update(secret).digest("hex");
  stage.promise(good.code === 0 && good.stdout.includes(digest), "it attested and got the secret");

  stage.step("Change one line of the workload, and run it again");
  const bad = await runInside(softwareTee, await tamper(workload, folder), url);
  stage.say(`its launch digest is now ${bad.launchDigest.slice(0, 32)}…`);
  stage.quote(bad.stdout + bad.stderr);
  const told = bad.stdout + bad.stderr;
  stage.promise(bad.code !== 0 && bad.code !== null && !told.includes(digest), "it did not get the secret");
  stage.promise(told.includes("launch_digest"), "the refusal names the rule that failed and the next step");

  stage.step("Ask the trust services why");
  const [newest] = await admin.listExplanations(1);
  const explained = await admin.getExplanation(String(newest?.id));
  const reasons = reasonTexts(explained).join("\n");
  stage.quote(reasons);
  stage.promise(
    reasons.includes(bad.launchDigest.slice(0, 32)) && /sample\.rego:\d+/.test(reasons),
    "the administrator sees claim, policy line, reference value, and what would make it pass",
  );
}

/** A policy for some names, in the words of the audit log; and the proof that they stand there. */
async function policySteps(stage: Stage, services: Services): Promise<void> {
  const { admin, adminTokenFile, softwareTee, url } = services;
  if (softwareTee === undefined) throw new TypeError("the tour starts the services in development mode");
  const tee = softwareTee;
  const digest = await tee.measure(findWorkload().program);
  const guest = createClient({
    url,
    attester: {
      tee: "sample",
      collect: async (reportData) => await tee.evidenceFor(digest, reportData),
    },
  });

  stage.step("Let a policy decide for some names");
  await admin.putResource(PAYROLL, randomBytes(SECRET_BYTES));
  await admin.resourcePolicies.set("payroll/**", PAYROLL_POLICY);
  stage.say("payroll/** goes by a policy of its own, the other names by the default one:");
  stage.quote(PAYROLL_POLICY);
  const released = await guest.getResource(SECRET);
  stage.promise(released.length === SECRET_BYTES, `the same workload still gets ${SECRET}`);
  const refused = await guest.getResource(PAYROLL).then(
    () => false,
    (error: unknown) => error instanceof AdytonError && error.category === "policy",
  );
  stage.promise(refused, `and is refused ${PAYROLL}, without learning whether it is there`);
  const logKey = await fetchLogKey({ url });
  const log = createAuditLog({ url, logKey, token: (await readFile(adminTokenFile, "utf8")).trim() });
  const seq = (await log.checkpoint())?.size ?? 0;
  const { text } = await admin.explainDecision(seq);
  stage.quote(String(text));
  stage.promise(/resource\.rego:6/.test(String(text)), "the audit log names the line that refused");

  stage.step("Prove it");
  const proof = await log.prove(seq);
  const { entry, checkpoint } = checkLogProof(parseLogProof(proof), logKey);
  stage.say(`${proof.split("\n").length} lines: the entry, hashes, and a checkpoint that the log signed`);
  stage.promise(
    toUtf8(entry).includes(PAYROLL) && checkpoint.size >= seq,
    `entry ${seq} is proven to stand in the log, offline, by the log's key alone`,
  );
  const end = await log.verify();
  stage.promise(
    end !== undefined && end.size >= seq,
    `all ${end?.size ?? 0} entries are what the log signed`,
  );
}

function checkoutOr(folder: string): string {
  try {
    return findWorkload().checkout;
  } catch {
    return folder;
  }
}

/** Whether the bytes stand in any file of the folder, as they are or in a usual encoding. */
async function isStoredIn(dir: string, secret: Buffer): Promise<boolean> {
  const needles = [secret, ...(["hex", "base64", "base64url"] as const).map((form) => secret.toString(form))];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const content = await readFile(join(entry.parentPath, entry.name));
    if (needles.some((needle) => content.includes(needle))) return true;
  }
  return false;
}

function nextText({ url, dir }: Services): string {
  const commands = [
    [`export ADYTON_DIR=${dir}`],
    ["alias adyton='npx adyton'"],
    ["adyton sample run examples/hello-secret/workload.mjs", "gets the secret"],
    [`adyton secret get ${SECRET} --out secret.bin`, "is refused: nobody vouched for this program"],
    [`adyton attest --url ${url}`, "what the services say of this program"],
    ["adyton doctor", "what this machine can do"],
  ];
  return printable(
    `\nThe services stay up at ${url}. In another terminal, in this checkout:\n${table(commands)}\nCtrl-C stops.\n`,
  );
}
