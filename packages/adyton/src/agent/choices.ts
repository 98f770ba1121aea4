// SPDX-License-Identifier: Apache-2.0
// What the agent can be told to serve and where to measure: words for the command line, without the code behind them.

export const AGENT_FEATURES = ["resource", "attestation", "all"] as const;
export type AgentFeature = (typeof AGENT_FEATURES)[number];

export const MEASURE_CHOICES = ["tpm", "tdx"] as const;
export type MeasureKind = (typeof MEASURE_CHOICES)[number];
