// SPDX-License-Identifier: Apache-2.0
// Canonical XML 1.1 without comments (W3C Recommendation 2 May 2008), of an element and everything in it.

import { type Bytes, fromUtf8 } from "@adyton/core/bytes";
import type { XmlElement } from "./xml.ts";

const NOTHING: ReadonlyMap<string, string> = new Map();

/** The canonical form of `element`; with `without`, as if that child of it were not there. */
export function canonicalXml(element: XmlElement, without?: XmlElement): Bytes {
  return fromUtf8(render(element, NOTHING, without));
}

/** `rendered`: namespaces that an ancestor in the output declared. */
function render(element: XmlElement, rendered: ReadonlyMap<string, string>, without?: XmlElement): string {
  const declarations = [...element.scope]
    .filter(([prefix]) => prefix !== "xml")
    // An empty default namespace is what there is without any declaration.
    .filter(([prefix, space]) => (rendered.get(prefix) ?? (prefix === "" ? "" : undefined)) !== space)
    .sort(([a], [b]) => compare(a, b))
    .map(([prefix, space]) => ` ${prefix === "" ? "xmlns" : `xmlns:${prefix}`}="${escapeAttribute(space)}"`);
  const attributes = [...element.attributes]
    .sort((a, b) => compare(a.space, b.space) || compare(a.local, b.local))
    .map(({ name, value }) => ` ${name}="${escapeAttribute(value)}"`);
  const scope = new Map([...rendered, ...element.scope]);
  const children = element.children
    .filter((child) => child !== without)
    .map((child) => (typeof child === "string" ? escapeText(child) : render(child, scope)));
  return `<${element.name}${declarations.join("")}${attributes.join("")}>${children.join("")}</${element.name}>`;
}

/** By code point, as the recommendation wants. */
function compare(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)];
  for (let i = 0; i < Math.max(left.length, right.length); i++) {
    const difference = (left[i]?.codePointAt(0) ?? -1) - (right[i]?.codePointAt(0) ?? -1);
    if (difference !== 0) return difference;
  }
  return 0;
}

function escapeText(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll("\r", "&#xD;");
}

function escapeAttribute(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll('"', "&quot;")
    .replaceAll("\t", "&#x9;")
    .replaceAll("\n", "&#xA;")
    .replaceAll("\r", "&#xD;");
}
