// SPDX-License-Identifier: Apache-2.0
// Canonical XML 1.1 without comments (W3C Recommendation 2 May 2008), of an element and everything in it. By itself an
// element carries every namespace that is in scope (section 2.4); attributes of the xml: prefix, which it would inherit,
// `parseXml` refuses.

import { type Bytes, fromUtf8 } from "@adyton/core/bytes";
import type { XmlElement } from "./xml.ts";

const NOTHING: ReadonlyMap<string, string> = new Map();

/** The canonical form of `element`; with `without`, as if that child of it were not there. */
export function canonicalXml(element: XmlElement, without?: XmlElement): Bytes {
  return fromUtf8(render(element, NOTHING, without));
}

/** `rendered`: the namespaces in scope of its parent in the output. */
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
  const children = element.children
    .filter((child) => child !== without)
    .map((child) => (typeof child === "string" ? escapeText(child) : render(child, element.scope)));
  return `<${element.name}${declarations.join("")}${attributes.join("")}>${children.join("")}</${element.name}>`;
}

/** By code point, as the recommendation wants: names and namespaces that `parseXml` takes are ASCII. */
function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
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
