// SPDX-License-Identifier: Apache-2.0
// The policies that are measured, with their data and the inputs of one decision each.

import type { PlainObject, Value } from "@adyton/rego";

export interface PolicyCase {
  readonly title: string;
  readonly text: string;
  /** `example/allow`; the query is `data.example.allow`. */
  readonly entrypoint: string;
  readonly data: PlainObject;
  /** Taken in turn. */
  readonly inputs: readonly Value[];
  /** Decisions in one measured operation. */
  readonly batch: number;
}

const USERS = 10_000;

const SMALL = `package example

default allow := false

allow if {
	input.method == "GET"
	input.path == ["salary", input.user]
}

allow if input.role == "admin"
`;

/** In the manner of Trustee's default attestation policy: three claims, each from what the evidence says of it. */
const ATTESTATION = `package policy

import rego.v1

default executables := 33

default hardware := 97

default configuration := 36

executables := 3 if {
	input.tdx
	input.tdx.quote.body.mr_td in data.reference.mr_td
	input.tdx.quote.body.rtmr_1 in data.reference.rtmr_1
	input.tdx.quote.body.rtmr_2 in data.reference.rtmr_2
}

hardware := 2 if {
	input.tdx
	input.tdx.quote.header.tee_type == "81000000"
	input.tdx.quote.header.vendor_id == "939a7233f79c4ca9940a0db3957f0607"
	input.tdx.tcb_status in {"UpToDate", "SWHardeningNeeded"}
	count(input.tdx.advisory_ids) == 0
}

configuration := 2 if {
	input.tdx
	input.tdx.td_attributes.debug == false
	input.tdx.quote.body.xfam in data.reference.xfam
}

executables := 3 if {
	input.snp
	input.snp.measurement in data.reference.snp_launch_measurement
}

hardware := 2 if {
	input.snp
	input.snp.reported_tcb_bootloader >= 3
	input.snp.reported_tcb_snp >= 20
	input.snp.reported_tcb_microcode >= 200
}

configuration := 2 if {
	input.snp
	input.snp.policy_debug_allowed == false
	input.snp.policy_migrate_ma == false
}

result := {
	"executables": executables,
	"hardware": hardware,
	"configuration": configuration,
	"allow": allow,
}

default allow := false

allow if {
	executables <= 32
	hardware <= 32
	configuration <= 32
}
`;

const RBAC = `package rbac

default allow := false

allow if {
	some role in data.user_roles[input.user]
	some grant in data.role_grants[role]
	grant.action == input.action
	grant.type == input.type
}
`;

const LIST = `package list

default allow := false

allow if {
	some binding in data.bindings
	binding.user == input.user
	binding.action == input.action
}
`;

export const POLICIES: readonly PolicyCase[] = [
  {
    title: "small allow rule",
    text: SMALL,
    entrypoint: "example/allow",
    data: {},
    inputs: [
      { method: "GET", path: ["salary", "ada"], user: "ada", role: "staff" },
      { method: "GET", path: ["salary", "ada"], user: "bob", role: "staff" },
      { method: "POST", path: ["salary", "ada"], user: "bob", role: "admin" },
    ],
    batch: 2_000,
  },
  {
    title: "attestation policy",
    text: ATTESTATION,
    entrypoint: "policy/result",
    data: { reference: references() },
    inputs: [tdx("a"), tdx("f"), snp()],
    batch: 500,
  },
  {
    title: `RBAC, ${USERS} users`,
    text: RBAC,
    entrypoint: "rbac/allow",
    data: roles(),
    inputs: Array.from({ length: 50 }, (_, i) => ({
      user: `user${(i * 7919) % USERS}`,
      action: i % 2 === 0 ? "read" : "write",
      type: "report",
    })),
    batch: 500,
  },
  {
    title: `a list of ${USERS} bindings`,
    text: LIST,
    entrypoint: "list/allow",
    data: {
      bindings: Array.from({ length: USERS }, (_, i) => ({ user: `user${i}`, action: "read" })),
    },
    inputs: [{ user: "user9000", action: "read" }],
    batch: 1,
  },
];

function digest(digit: string, i: number): string {
  return digit.repeat(90) + String(i).padStart(6, "0");
}

function references(): PlainObject {
  const list = (digit: string): readonly string[] => Array.from({ length: 8 }, (_, i) => digest(digit, i));
  return {
    mr_td: list("a"),
    rtmr_1: list("b"),
    rtmr_2: list("c"),
    xfam: ["e702060000000000"],
    snp_launch_measurement: list("d"),
  };
}

function tdx(digit: string): Value {
  return {
    tdx: {
      quote: {
        header: { tee_type: "81000000", vendor_id: "939a7233f79c4ca9940a0db3957f0607", version: "0400" },
        body: {
          mr_td: digest(digit, 5),
          rtmr_0: digest("9", 1),
          rtmr_1: digest("b", 5),
          rtmr_2: digest("c", 5),
          rtmr_3: digest("0", 0),
          xfam: "e702060000000000",
          report_data: digest("7", 7),
        },
      },
      td_attributes: { debug: false, septve_disable: true },
      tcb_status: "UpToDate",
      advisory_ids: [],
    },
    report_data: digest("7", 7),
    init_data: digest("6", 6),
  };
}

function snp(): Value {
  return {
    snp: {
      measurement: digest("d", 7),
      reported_tcb_bootloader: 4,
      reported_tcb_snp: 22,
      reported_tcb_microcode: 213,
      policy_debug_allowed: false,
      policy_migrate_ma: false,
    },
  };
}

function roles(): PlainObject {
  const names = ["reader", "writer", "auditor", "operator"];
  return {
    user_roles: Object.fromEntries(
      Array.from({ length: USERS }, (_, i) => [`user${i}`, [names[i % 4] ?? "", names[(i + 1) % 4] ?? ""]]),
    ),
    role_grants: Object.fromEntries(
      names.map((name) => [
        name,
        ["report", "key", "policy"].map((type) => ({ action: name === "writer" ? "write" : "read", type })),
      ]),
    ),
  };
}
