// SPDX-License-Identifier: Apache-2.0
// What a machine offers to confidential computing: kernel interfaces and CPU flags, and what each is for.

/** A file or folder that the kernel or a runtime provides. */
export interface KernelInterface {
  readonly path: string;
  readonly purpose: string;
  /** How to get it where the hardware has it. */
  readonly next: string;
}

export const KERNEL_INTERFACES: readonly KernelInterface[] = [
  {
    path: "/sys/kernel/config/tsm/report",
    purpose: "configfs-tsm: evidence of TDX, SEV-SNP and CCA guests without a driver's ioctl",
    next: "Linux 6.7 or newer, `modprobe tsm` (6.17 and newer: `tsm_reports`), configfs mounted at /sys/kernel/config",
  },
  { path: "/dev/tdx_guest", purpose: "this machine is a TDX guest", next: "`modprobe tdx_guest` in a TD" },
  {
    path: "/dev/sev-guest",
    purpose: "this machine is an SEV-SNP guest",
    next: "`modprobe sev-guest` in an SNP guest",
  },
  {
    path: "/dev/csv-guest",
    purpose: "this machine is a Hygon CSV guest",
    next: "`modprobe csv-guest` in a CSV guest, on a kernel that Hygon supports",
  },
  {
    path: "/dev/nsm",
    purpose: "this machine is an AWS Nitro enclave",
    next: "`modprobe nsm` in a Nitro enclave",
  },
  {
    path: "/dev/sgx_enclave",
    purpose: "SGX enclaves can be created",
    next: "turn SGX on in the firmware; needs flexible launch control (CPU flag sgx_lc)",
  },
  {
    path: "/dev/sgx_provision",
    purpose: "SGX enclaves may use the provisioning key, which quoting needs",
    next: "add this user to the group sgx_prv",
  },
  {
    path: "/dev/attestation/quote",
    purpose: "this process runs in an SGX enclave under Gramine",
    next: 'start the program with `gramine-sgx` and sgx.remote_attestation = "dcap" in its manifest',
  },
  { path: "/dev/tpmrm0", purpose: "TPM 2.0 through the kernel's resource manager", next: "turn the TPM on" },
  { path: "/dev/kvm", purpose: "virtual machines can be started", next: "turn virtualization on" },
  { path: "/dev/sev", purpose: "this machine is an SEV host", next: "turn SEV on in the firmware" },
];

/** A CPU flag as /proc/cpuinfo names it. */
export interface CpuFlag {
  readonly name: string;
  readonly purpose: string;
}

export const CPU_FLAGS: readonly CpuFlag[] = [
  { name: "sgx", purpose: "Intel SGX" },
  { name: "sgx_lc", purpose: "SGX flexible launch control" },
  { name: "tdx_guest", purpose: "running in an Intel TDX guest" },
  { name: "sev", purpose: "AMD SEV" },
  { name: "sev_es", purpose: "AMD SEV-ES" },
  { name: "sev_snp", purpose: "AMD SEV-SNP" },
  { name: "hypervisor", purpose: "running in a virtual machine" },
  { name: "aes", purpose: "AES in hardware" },
  { name: "sha_ni", purpose: "SHA in hardware" },
];
