// SPDX-License-Identifier: Apache-2.0
// NVIDIA's GPUs and switches in the registry.

import type { Scheme } from "../scheme.ts";
import { claimsOf } from "./claims.ts";
import { isNvidiaReport, NVIDIA_NONCE_SIZE, parseNvidiaReport } from "./evidence.ts";
import { nvidiaFromKbs, nvidiaToKbs, splitNvidia } from "./kbs.ts";
import { verifyNvidia } from "./verify.ts";

export const nvidia: Scheme = {
  tee: "nvidia",
  title: "NVIDIA GPU or switch report",
  reportDataWidth: NVIDIA_NONCE_SIZE,
  detect: isNvidiaReport,
  inspect: (evidence) => claimsOf(parseNvidiaReport(evidence)),
  verify: verifyNvidia,
  fromKbs: nvidiaFromKbs,
  toKbs: nvidiaToKbs,
  split: splitNvidia,
};
