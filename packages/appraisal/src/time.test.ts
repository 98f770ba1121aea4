// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { parseTime } from "./time.ts";

describe("RFC 3339", () => {
  it.each([
    ["2025-05-14", "2025-05-14T00:00:00.000Z"],
    ["2025-05-14T01:02:03Z", "2025-05-14T01:02:03.000Z"],
    ["2025-05-14T01:02:03.25+02:00", "2025-05-13T23:02:03.250Z"],
    ["2024-02-29", "2024-02-29T00:00:00.000Z"],
  ])("%s is %s", (text, iso) => {
    expect(new Date(parseTime(text) ?? Number.NaN).toISOString()).toBe(iso);
  });

  it.each([
    "",
    "yesterday",
    "2025",
    "2025-5-14",
    "2025-02-29",
    "2025-13-01",
    "2025-05-14T25:00:00Z",
    "2025-05-14T00:00:00",
    "2025-05-14 00:00:00Z",
    "2025-05-14T00:00:00Z ",
  ])("%j is no date", (text) => {
    expect(parseTime(text)).toBeUndefined();
  });
});
