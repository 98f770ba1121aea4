// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { type Explanation, renderExplanation } from "./explanation.ts";

const leaf = (text: string, found: string, line: number): Explanation => ({
  kind: "condition",
  ok: false,
  text,
  claim: "input.a",
  found,
  next: `mend ${text}`,
  file: "a.rego",
  line,
  children: [],
});
const node = (kind: Explanation["kind"], text: string, children: readonly Explanation[]): Explanation => ({
  kind,
  ok: false,
  text,
  children,
});

describe("renderExplanation", () => {
  it("tells a cause once, where several ways fail by it", () => {
    const common = leaf("the guest stays", "no", 3);
    const tree = node("decision", "refused", [
      node("claim", "configuration is 36", [
        node("rule", "the strict way", [common, leaf("a is known", "1", 4)]),
        node("rule", "the lax way", [{ ...common, line: 9 }, leaf("b is known", "1", 10)]),
        node("rule", "a way with nothing new", [{ ...common, line: 19 }]),
      ]),
      node("claim", "hardware is 97", [{ ...common, line: 20 }]),
    ]);
    const lines = renderExplanation(tree).split("\n");
    expect(lines.filter((line) => line.includes("the guest stays"))).toHaveLength(2);
    expect(lines.map((line) => line.trim()).filter((line) => /^[✗✓]/.test(line))).toEqual([
      "✗ refused",
      "✗ configuration is 36",
      "✗ the strict way",
      "✗ the guest stays  a.rego:3",
      "✗ a is known  a.rego:4",
      "✗ the lax way",
      "✗ b is known  a.rego:10",
      "✗ hardware is 97, as above",
    ]);
  });

  it("keeps apart what was found differently", () => {
    const tree = node("decision", "refused", [leaf("x", "1", 1), leaf("x", "2", 2), leaf("x", "1", 3)]);
    const text = renderExplanation(tree);
    expect(text.match(/input\.a = /g)).toHaveLength(2);
    expect(text).not.toContain("a.rego:3");
  });

  it("shows what holds when asked to, and colours marks only", () => {
    const good: Explanation = { kind: "condition", ok: true, text: "fine", children: [] };
    const tree = node("decision", "refused", [good, leaf("x", "1", 1)]);
    expect(renderExplanation(tree)).not.toContain("fine");
    expect(renderExplanation(tree, { all: true })).toContain("✓ fine");
    expect(renderExplanation(tree, { color: true })).toContain("\u001b[31m✗\u001b[0m x");
  });
});
