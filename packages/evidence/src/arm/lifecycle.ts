// SPDX-License-Identifier: Apache-2.0
// The platform's security lifecycle: the high byte names the state, the low byte is the maker's own.
// RMM specification (DEN0137) A7.2.3.2.7 "CCA platform lifecycle claim".

export type LifecycleState =
  | "unknown"
  | "assembly_and_test"
  | "cca_platform_rot_provisioning"
  | "secured"
  | "non_cca_platform_debug"
  | "recoverable_cca_platform_debug"
  | "decommissioned";

const STATES: Readonly<Record<number, LifecycleState>> = {
  0: "unknown",
  16: "assembly_and_test",
  32: "cca_platform_rot_provisioning",
  48: "secured",
  64: "non_cca_platform_debug",
  80: "recoverable_cca_platform_debug",
  96: "decommissioned",
};

/** The state that a lifecycle value names, undefined for values that the specification leaves out. */
export function lifecycleStateOf(lifecycle: number): LifecycleState | undefined {
  return STATES[lifecycle >>> 8];
}

/** The only state in which nobody but the platform's own firmware reaches its keys and the realms' memory. */
export function isSecured(lifecycle: number): boolean {
  return lifecycleStateOf(lifecycle) === "secured";
}
