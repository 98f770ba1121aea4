// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { checkExamples, examplesIn } from "./examples.ts";
import { makeTree, shown } from "./testing/tree.ts";

const page = (code: string): string => `# Page\n\n\`\`\`ts\n${code}\n\`\`\`\n`;

describe("examples", () => {
  it("takes blocks marked ts and leaves the others", () => {
    const text = [
      ...["```ts", "one();", "two();", "```"],
      ...["```ts no-run", "shown();", "```"],
      ...["````md", "```ts", "quoted();", "```", "````"],
      ...["```sh", "npm start", "```"],
    ].join("\n");
    expect(examplesIn("a.md", text)).toEqual([{ file: "a.md", line: 2, code: "one();\ntwo();" }]);
  });

  it("compiles and runs every block in one go, and says where one fails", { timeout: 60_000 }, async () => {
    const root = makeTree({
      "package.json": '{"type":"module"}',
      "README.md": page("const answer: number = 42;\nif (answer !== 42) throw new Error();"),
      "docs/types.md": page('const answer: number = "42";'),
      "docs/throws.md": page('const answer: string = "42";\nthrow new Error("not " + answer);'),
    });
    const found = shown(await checkExamples(root, "out"));
    expect(found).toHaveLength(2);
    expect(found).toContain("docs/types.md:4 Type 'string' is not assignable to type 'number'.");
    expect(found.find((line) => line.startsWith("docs/throws.md:4 example ended with 1:"))).toContain(
      "not 42",
    );
  });
});
