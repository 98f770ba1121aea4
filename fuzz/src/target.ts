// SPDX-License-Identifier: Apache-2.0
// What a module in targets/ exports.

export interface Target {
  /** Fails only by throwing what is no AdytonError, by not coming back, or by eating memory. */
  fuzz(data: Uint8Array): void | Promise<void>;
  /** Where to begin: made by the simulator or by hand, so that what grows from them may be published. */
  seeds?(): Promise<readonly Uint8Array[]>;
  /** Folders or files of real evidence to begin from as well where it is at hand. Never written to the corpus. */
  readonly fixtures?: readonly string[];
}
