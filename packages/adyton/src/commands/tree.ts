// SPDX-License-Identifier: Apache-2.0
// Every command, one line each.

import type { Group } from "../frame/command.ts";
import { admin, proposal } from "./admin.ts";
import { agent } from "./agent.ts";
import { audit } from "./audit.ts";
import { backup } from "./backup.ts";
import { certificate } from "./certificate.ts";
import { completion } from "./completion.ts";
import { config } from "./config.ts";
import { diagnose } from "./diagnose.ts";
import { doctor } from "./doctor.ts";
import { evidence } from "./evidence.ts";
import { explain } from "./explain.ts";
import { key } from "./key.ts";
import { policy } from "./policy.ts";
import { recovery } from "./recovery.ts";
import { reference } from "./reference.ts";
import { rootKey } from "./root-key.ts";
import { sample } from "./sample.ts";
import { attest, secret, tour, up } from "./services.ts";
import { tenant } from "./tenant.ts";
import { token } from "./token.ts";
import { tokenKey } from "./token-key.ts";

export const ROOT: Group = {
  kind: "group",
  name: "adyton",
  summary: "confidential computing: prove what runs, and release secrets only to that",
  description: [
    "Verifies evidence of trusted execution environments, runs the trust services that release secrets to attested workloads, and tells what this machine can do.",
  ],
  commands: [
    tour,
    evidence,
    token,
    policy,
    explain,
    up,
    secret,
    key,
    certificate,
    reference,
    tenant,
    admin,
    proposal,
    audit,
    attest,
    sample,
    agent,
    rootKey,
    tokenKey,
    recovery,
    backup,
    config,
    doctor,
    diagnose,
    completion,
  ],
};
