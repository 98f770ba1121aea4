// SPDX-License-Identifier: Apache-2.0
// Canonical XML beside libxml2's (xmllint), where it is installed.

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { toUtf8 } from "@adyton/core/bytes";
import { AdytonError } from "@adyton/core/errors";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { canonicalXml } from "./c14n.ts";
import { parseXml } from "./xml.ts";

const installed = spawnSync("xmllint", ["--version"]).status === 0;
const folder = mkdtempSync(join(tmpdir(), "adyton-xml-"));
afterAll(() => rmSync(folder, { recursive: true }));

interface Tree {
  readonly name: string;
  /** Declared here: prefix, "" for the default, and namespace, "" to take the default back. */
  readonly declared: readonly (readonly [string, string])[];
  /** Which of the prefixes in scope it has, by a number of any size. */
  readonly prefix: number;
  readonly attributes: readonly { readonly name: string; readonly prefix: number; readonly value: string }[];
  readonly children: readonly (Tree | string)[];
  readonly empty: boolean;
  readonly space: string;
  readonly quote: string;
}

const NAMES = ["a", "b", "A", "a-1", "_x", "a.b", "xm"];
const SPACES = ["urn:a", "urn:b", "http://a/#", "http://a/?b=c;d", "urn:&#97;"];
const PIECES = ["a", "Z", " ", "  ", "\t", "\n", "\r\n", "\r", "é", "😀", "\u0085", "\u2028", "'", ">"];
const REFERENCES = [
  "&amp;",
  "&lt;",
  "&gt;",
  "&quot;",
  "&apos;",
  "&#9;",
  "&#10;",
  "&#13;",
  "&#xD;",
  "&#x1F600;",
  "&#0065;",
];
const text = fc
  .array(fc.constantFrom(...PIECES, ...REFERENCES), { maxLength: 6 })
  .map((parts) => parts.join(""));
const comment = fc.constantFrom("<!---->", "<!-- <a> & ]]> -->", "<!--\r\n-->");

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    name: fc.constantFrom(...NAMES),
    declared: fc.uniqueArray(
      fc.oneof(
        fc.tuple(fc.constantFrom("", "p", "q", "P", "p1"), fc.constantFrom(...SPACES)),
        fc.tuple(fc.constant(""), fc.constant("")),
      ),
      { maxLength: 4, selector: ([prefix]) => prefix },
    ),
    prefix: fc.nat(),
    attributes: fc.array(fc.record({ name: fc.constantFrom(...NAMES), prefix: fc.nat(), value: text }), {
      maxLength: 5,
    }),
    children: fc.array(fc.oneof({ depthSize: "small" }, text, comment, tie("tree")), { maxLength: 4 }),
    empty: fc.boolean(),
    space: fc.constantFrom("", " ", "\n\t", "\r\n"),
    quote: fc.constantFrom('"', "'"),
  }),
}));

/** Writes a tree such that every prefix is declared and no attribute stands twice. */
function written(element: Tree, outer: ReadonlyMap<string, string> = new Map([["", ""]])): string {
  const scope = new Map([...outer, ...element.declared]);
  const prefixes = [...scope.keys()];
  const prefixed = (name: string, prefix: string): string => (prefix === "" ? name : `${prefix}:${name}`);
  const name = prefixed(element.name, prefixes[element.prefix % prefixes.length] ?? "");
  const quoted = (value: string): string => {
    const { quote } = element;
    return `${quote}${value.replaceAll(quote, quote === "'" ? "&apos;" : "&quot;")}${quote}`;
  };
  const attributes = new Map<string, string>();
  for (const each of element.attributes) {
    const prefix = prefixes[each.prefix % prefixes.length] ?? "";
    const space = prefix === "" ? "" : (scope.get(prefix) ?? "").replace("&#97;", "a");
    attributes.set(`${space} ${each.name}`, `${prefixed(each.name, prefix)}=${quoted(each.value)}`);
  }
  const parts = [
    ...element.declared.map(
      ([prefix, space]) => `${prefix === "" ? "xmlns" : `xmlns:${prefix}`} = ${quoted(space)}`,
    ),
    ...attributes.values(),
  ];
  const tag = `<${name}${parts.map((part) => ` ${element.space}${part}`).join("")}${element.space}`;
  const inside = element.children
    .map((child) => (typeof child === "string" ? child : written(child, scope)))
    .join("");
  return element.empty && inside === "" ? `${tag}/>` : `${tag}>${inside}</${name}${element.space}>`;
}

/** By libxml2; undefined where it does not take the document. */
function canonicalByXmllint(document: string): string | undefined {
  const path = join(folder, "document.xml");
  writeFileSync(path, document);
  try {
    const out = execFileSync("xmllint", ["--c14n11", path], { stdio: ["ignore", "pipe", "ignore"] });
    // It leaves comments in, and a line end after each that stands outside the root.
    return toUtf8(out)
      .replace(/<!--.*?-->/gs, "")
      .trim();
  } catch {
    return undefined;
  }
}

/** By ours; undefined where it is refused. */
function canonicalByUs(document: string): string | undefined {
  try {
    return toUtf8(canonicalXml(parseXml(document)));
  } catch (error) {
    if (error instanceof AdytonError && error.code === "INVALID_RIM") return undefined;
    throw error;
  }
}

describe.skipIf(!installed)("canonical XML beside libxml2", { timeout: 120_000 }, () => {
  it("is the same for every document that is taken", () => {
    fc.assert(
      fc.property(tree, comment, (root, before) => {
        const document = `<?xml version="1.0" encoding='utf-8'?>\r\n${before}\n${written(root)}\n${before}`;
        const own = canonicalByUs(document);
        expect(own).toBeDefined();
        expect(own).toBe(canonicalByXmllint(document));
      }),
      { numRuns: 150 },
    );
  });

  it("takes no document that libxml2 refuses, and reads each as it does", () => {
    const noise = fc.constantFrom(
      "<",
      ">",
      "&",
      ";",
      '"',
      "'",
      "/",
      "=",
      " ",
      "!",
      "-",
      "--",
      "]]>",
      "<!--",
      "?",
      "x:",
      "xmlns",
      "#",
    );
    fc.assert(
      fc.property(tree, fc.nat(), fc.nat(3), noise, (root, at, cut, put) => {
        const whole = written(root);
        const place = at % whole.length;
        const document = whole.slice(0, place) + put + whole.slice(place + cut);
        const own = canonicalByUs(document);
        if (own !== undefined) expect(canonicalByXmllint(document)).toBe(own);
      }),
      { numRuns: 300 },
    );
  });
});
