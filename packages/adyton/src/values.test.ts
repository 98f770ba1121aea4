// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { CliError } from "./errors.ts";
import { hexOf, integerOf, listOf, numbersOf, timeOf } from "./values.ts";

const refusedAs = (read: () => unknown): string => {
  try {
    read();
  } catch (error) {
    if (error instanceof CliError) return error.code;
  }
  return "accepted";
};

describe("timeOf", () => {
  it.each([
    ["2025-07-01T00:00:00Z", "2025-07-01T00:00:00.000Z"],
    ["2025-07-01t02:30:00+02:30", "2025-07-01T00:00:00.000Z"],
    ["2025-07-01T00:00:00.5Z", "2025-07-01T00:00:00.500Z"],
    ["2025-07-01", "2025-07-01T00:00:00.000Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ])("%s", (text, expected) => {
    expect(timeOf("at", text).toISOString()).toBe(expected);
  });
  it.each([
    "",
    "now",
    "1739419232",
    "2025-02-30",
    "2025-02-29T00:00:00Z",
    "2025-13-01",
    "2025-07-01T25:00:00Z",
    "2025-07-01T00:00:00",
    "2025-07-01 00:00:00Z",
    "July 1, 2025",
  ])("refuses %j", (text) => {
    expect(refusedAs(() => timeOf("at", text))).toBe("INVALID_VALUE");
  });
});

describe("hexOf", () => {
  it("takes either case and a prefix", () => {
    expect([...hexOf("report-data", "0x00Ff")]).toEqual([0, 255]);
  });
  it.each(["", "0x", "0", "zz", "00 11", " "])("refuses %j", (text) => {
    expect(refusedAs(() => hexOf("report-data", text))).toBe("INVALID_VALUE");
  });
});

describe("integerOf", () => {
  it("takes whole numbers in range", () => {
    expect(integerOf("port", "8080", 0, 65535)).toBe(8080);
  });
  it.each(["", "-1", "1.5", "1e3", "0x10", "65536", "99999999999999999999"])("refuses %j", (text) => {
    expect(refusedAs(() => integerOf("port", text, 0, 65535))).toBe("INVALID_VALUE");
  });
});

describe("listOf", () => {
  const words = ["UpToDate", "OutOfDate"] as const;
  it("takes several, with spaces around", () => {
    expect(listOf("require-tcb", "UpToDate, OutOfDate", words)).toEqual(["UpToDate", "OutOfDate"]);
  });
  it.each(["", "uptodate", "UpToDate,", "Revoked"])("refuses %j", (text) => {
    expect(refusedAs(() => listOf("require-tcb", text, words))).toBe("INVALID_VALUE");
  });
});

describe("numbersOf", () => {
  it("takes pairs", () => {
    expect(numbersOf("min-tcb", "snp=8, microcode=115")).toEqual({ snp: 8, microcode: 115 });
  });
  it.each(["", "snp", "snp=", "snp=-1", "=1", "snp=1,snp=2", "snp=1,"])("refuses %j", (text) => {
    expect(refusedAs(() => numbersOf("min-tcb", text))).toBe("INVALID_VALUE");
  });
});
