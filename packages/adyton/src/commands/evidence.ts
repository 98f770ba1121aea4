// SPDX-License-Identifier: Apache-2.0
// Pages of `adyton evidence`.

import { TEE_NAMES } from "@adyton/evidence";
import type { ArgumentSpec, Group, OptionSpec } from "../frame/command.ts";

const FILE: ArgumentSpec = {
  name: "FILE",
  summary:
    "the evidence, - for stdin: raw bytes, hex or base64; or JSON, either {tee, evidence: base64} or the primary evidence of the KBS protocol",
  file: true,
};

const TEE: OptionSpec = {
  name: "tee",
  value: "T",
  summary: "the TEE that made the evidence; detected when not given",
  choices: TEE_NAMES,
};

export const evidence: Group = {
  kind: "group",
  name: "evidence",
  summary: "read evidence and establish whether it is authentic",
  description: [
    "Evidence is what a trusted execution environment (TEE) says about itself, signed by its hardware: an SGX or TDX quote, an SEV-SNP report. These commands work offline on files.",
  ],
  commands: [
    {
      kind: "command",
      name: "inspect",
      summary: "show what evidence claims, without verifying it",
      description: [
        "Parses the evidence and prints its claims as they stand. Nothing is verified: anyone can write a file that claims anything. Use `adyton evidence verify` before you rely on a claim.",
      ],
      arguments: [FILE],
      options: [TEE],
      exits: [2, 6],
      examples: [
        { line: "adyton evidence inspect quote.dat", what: "Shows the claims of a quote." },
        {
          line: "adyton evidence inspect report.hex --json | jq .claims.measurement",
          what: "Picks one claim.",
        },
      ],
      next: "`adyton evidence verify FILE --endorsements FOLDER` says whether the claims are true.",
      load: async () => (await import("../evidence/inspect.ts")).inspect,
    },
    {
      kind: "command",
      name: "verify",
      summary: "establish whether evidence is authentic, and judge it by simple rules",
      description: [
        "Checks signatures, certificate chains, revocation, dates and the vendor's TCB data, in the vendor's own order. Nothing is fetched: endorsements (certificates, CRLs, TCB info, identities) come from --endorsements, the hardware vendors' roots are built in.",
        "A TCB status such as OutOfDate is a finding, not a refusal: authentic evidence exits 0 whatever its status, except Revoked and NotSupported (3). The options --require-tcb, --min-tcb-date, --min-evaluation-number, --min-tcb and --require-revocation turn findings into refusals. A TEE in debug mode is refused (5) unless --allow-debug is given, because its owner can look inside.",
        'Evidence under a root that you name with --root verifies and is reported as simulated: no hardware vendor stands behind it. Where vendors publish no root (Arm CCA), --root names the device\'s public key: PEM, JWK, COSE_Key, or a list of {pkey, instance-id, implementation-id}. A list entry with "hardware": true says that you vouch for the device, and its evidence is not reported as simulated.',
      ],
      arguments: [FILE],
      options: [
        TEE,
        {
          name: "endorsements",
          value: "PATH",
          multiple: true,
          file: true,
          summary:
            "a file or folder with endorsements of any sort: Intel API responses, PCCS collateral JSON, certificates and CRLs in PEM, DER, hex or base64",
        },
        {
          name: "at",
          value: "TIME",
          summary: "verify for this time (RFC 3339, or a date alone for its midnight UTC); default now",
        },
        {
          name: "root",
          value: "FILE",
          multiple: true,
          file: true,
          summary: "trust this root certificate or device key too; what it anchors is reported as simulated",
        },
        {
          name: "verifier-key",
          value: "FILE",
          multiple: true,
          file: true,
          summary:
            "a secret key of this verifier's own, raw or in hex, for evidence that answers an encrypted request (IBM SE)",
        },
        {
          name: "report-data",
          value: "HEX",
          summary: "require this report data; shorter values are padded with zeros on the right",
        },
        {
          name: "event-log",
          value: "FILE",
          multiple: true,
          file: true,
          summary:
            "the log of what was measured into the evidence's PCRs or RTMRs (binary_bios_measurements, CCEL data); what it proves becomes claims",
        },
        {
          name: "event-log-registers",
          value: "N[,N…]",
          summary:
            "check the log for these registers alone, by its index; default all that it has events for",
        },
        {
          name: "require-tcb",
          value: "S[,S…]",
          summary: "require one of these TCB statuses, for example UpToDate,SWHardeningNeeded",
        },
        {
          name: "min-tcb-date",
          value: "DATE",
          summary: "require every TCB component to be at least of this date",
        },
        {
          name: "min-evaluation-number",
          value: "N",
          summary: "require judgement under at least this TCB evaluation data number (Intel)",
        },
        {
          name: "min-tcb",
          value: "NAME=N[,…]",
          summary: "require at least these security version numbers, for example snp=8,microcode=115 (AMD)",
        },
        {
          name: "reference",
          value: "FILE",
          multiple: true,
          file: true,
          summary:
            'also judge by the default policy, with these reference values: JSON such as {"mr_td": ["705ee9…"]}, a CoRIM, or an integrity manifest of NVIDIA\'s',
        },
        {
          name: "reference-trust",
          value: "FILE",
          multiple: true,
          file: true,
          summary:
            "take signed reference values of whoever has this public key, or a certificate under this root (PEM)",
        },
        {
          name: "policy",
          value: "FILE",
          multiple: true,
          file: true,
          summary:
            "judge by this policy in Rego instead of the default one (Trustee's, verdictd's or Veraison's form)",
        },
        { name: "allow-debug", summary: "accept a TEE in debug mode" },
        { name: "require-revocation", summary: "refuse when no revocation list could be checked (AMD)" },
      ],
      exits: [2, 3, 4, 5, 6],
      examples: [
        {
          line: "adyton evidence verify quote.dat --endorsements collateral.json",
          what: "Verifies a quote for now with a PCCS-style collateral file.",
        },
        {
          line: "adyton evidence verify report.bin --endorsements certs/ --min-tcb snp=8 --report-data 00ff…",
          what: "Verifies an SEV-SNP report, its binding and a minimum firmware.",
        },
        {
          line: "adyton evidence verify quote.dat --endorsements old/ --at 2025-07-01 --require-tcb UpToDate --json",
          what: "Verifies for a past date, accepts UpToDate only, answers in JSON.",
        },
        {
          line: "adyton evidence verify quote.dat --endorsements certs/ --reference known.json --policy policy.rego",
          what: "Judges by a policy; a refusal names file, line, claim and value.",
        },
      ],
      next: "`adyton up` runs the services that verify evidence of workloads and release secrets to them.",
      load: async () => (await import("../evidence/verify.ts")).verify,
    },
  ],
};
