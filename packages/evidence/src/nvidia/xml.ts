// SPDX-License-Identifier: Apache-2.0
// The part of XML 1.0 (fifth edition) and Namespaces 1.0 (third edition) that signed manifests use: elements, attributes,
// text, namespaces, comments. No document type, no processing instructions, no CDATA, no xml: attributes, no names beyond
// ASCII, no entities but the five predefined ones and characters: each is refused.

import { EvidenceError } from "../errors.ts";

export interface XmlAttribute {
  /** As written: "ns2:Hash0". */
  readonly name: string;
  readonly local: string;
  /** The namespace, "" for none: unprefixed attributes have none. */
  readonly space: string;
  readonly value: string;
}

export interface XmlElement {
  readonly name: string;
  readonly local: string;
  readonly space: string;
  /** Namespace declarations excluded. */
  readonly attributes: readonly XmlAttribute[];
  /** Every namespace in scope by prefix, "" the default one; those of ancestors included. */
  readonly scope: ReadonlyMap<string, string>;
  readonly children: readonly (XmlElement | string)[];
}

const MAX_TEXT = 4 * 1024 * 1024;
const MAX_DEPTH = 32;
const MAX_NODES = 20_000;
/** Namespace declarations included. A measurement has one for each of its values. */
const MAX_ATTRIBUTES = 320;
/** In scope at once: each element of the tree knows all of its own. */
const MAX_NAMESPACES = 32;
const MAX_NAMESPACE = 256;
const XML_SPACE = "http://www.w3.org/XML/1998/namespace";
const XMLNS_SPACE = "http://www.w3.org/2000/xmlns/";
/**
 * An absolute URI, because Canonical XML has no form for relative ones (version 1.1, section 1.3), of the plain kind that
 * schemas have: nothing in it is written in two ways, and nothing needs to be escaped, which libxml2 leaves out.
 */
const NAMESPACE = /^(https?:\/\/[A-Za-z0-9.-]+(\/[\w.~/;=?-]*)?|urn:[\w.~/:;=-]+)(#[\w.~/;=-]*)?$/;
/** What no document may hold, not even by reference (section 2.2); lone halves of surrogate pairs among them. */
const NO_CHARACTER = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/u;
const NAME = /[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?/y;
const SPACE = /[ \t\n]*/y;
/** Version 1.0 alone; no encoding but that in which the text was read. */
const DECLARATION =
  /^<\?xml[ \t\n]+version=(["'])1\.0\1([ \t\n]+encoding=(["'])[Uu][Tt][Ff]-8\3)?([ \t\n]+standalone=(["'])(yes|no)\5)?[ \t\n]*\?>/;
const ENTITIES: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** The root element. Throws `INVALID_RIM`. */
export function parseXml(text: string): XmlElement {
  if (text.length > MAX_TEXT) throw invalidRim(`${text.length} characters, at most ${MAX_TEXT} are read`);
  // Lines end in one line feed, whatever they were written with (XML 1.0 section 2.11).
  const source = text.replace(/^\uFEFF/, "").replace(/\r\n?/g, "\n");
  const stray = NO_CHARACTER.exec(source);
  if (stray !== null) throw invalidRim(`no character of XML stands at offset ${stray.index}`);
  const parser = new Parser(source);
  const declaration = DECLARATION.exec(source);
  if (declaration !== null) parser.at = declaration[0].length;
  parser.skipMisc();
  const root = parser.element(new Map([["xml", XML_SPACE]]), 0);
  parser.skipMisc();
  if (parser.at !== source.length) throw invalidRim(`something follows its root at offset ${parser.at}`);
  return root;
}

/** The text of an element that holds nothing else. Throws `INVALID_RIM`. */
export function textOf(element: XmlElement): string {
  return element.children
    .map((child) => {
      if (typeof child !== "string") throw invalidRim(`${element.name} holds elements, expected text`);
      return child;
    })
    .join("");
}

/** The children that are elements of this name. */
export function elementsOf(parent: XmlElement, space: string, local: string): XmlElement[] {
  return parent.children.filter(
    (child): child is XmlElement =>
      typeof child !== "string" && child.space === space && child.local === local,
  );
}

/** The one child of this name. Throws `INVALID_RIM`. */
export function elementOf(parent: XmlElement, space: string, local: string): XmlElement {
  const [found, ...more] = elementsOf(parent, space, local);
  if (found === undefined || more.length > 0) {
    throw invalidRim(
      `${parent.name} has ${more.length + (found === undefined ? 0 : 1)} ${local}, expected 1`,
    );
  }
  return found;
}

/** An attribute's value; undefined where it is not there. */
export function attributeOf(element: XmlElement, space: string, local: string): string | undefined {
  return element.attributes.find((each) => each.space === space && each.local === local)?.value;
}

/** The refusal of a manifest that is none. */
export function invalidRim(why: string): EvidenceError {
  return new EvidenceError("INVALID_RIM", "malformed", `Cannot read reference integrity manifest: ${why}`);
}

class Parser {
  at = 0;
  readonly #text: string;
  #nodes = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** White space and comments between markup. */
  skipMisc(): void {
    do this.#match(SPACE);
    while (this.#skipComment());
  }

  element(outer: ReadonlyMap<string, string>, depth: number): XmlElement {
    if (depth === MAX_DEPTH) throw invalidRim(`elements are nested deeper than ${MAX_DEPTH}`);
    this.#count();
    this.#expect("<");
    const name = this.#name();
    const { scope, attributes, empty } = this.#attributes(outer);
    const { local, space } = this.#resolve(name, scope, true);
    const children = empty ? [] : this.#content(name, scope, depth);
    return { name, local, space, attributes, scope, children };
  }

  #attributes(outer: ReadonlyMap<string, string>): {
    scope: ReadonlyMap<string, string>;
    attributes: XmlAttribute[];
    empty: boolean;
  } {
    const written: [string, string][] = [];
    for (;;) {
      const spaced = this.#match(SPACE).length > 0;
      if (this.#taken("/>") || this.#taken(">")) {
        const empty = this.#text[this.at - 2] === "/";
        return { ...this.#declared(written, outer), empty };
      }
      if (!spaced || written.length === MAX_ATTRIBUTES)
        throw this.#unexpected("an attribute or the tag's end");
      const name = this.#name();
      this.#match(SPACE);
      this.#expect("=");
      this.#match(SPACE);
      written.push([name, this.#quoted()]);
    }
  }

  /** Namespace declarations apart from attributes; each attribute once, by its expanded name. */
  #declared(
    written: readonly (readonly [string, string])[],
    outer: ReadonlyMap<string, string>,
  ): { scope: ReadonlyMap<string, string>; attributes: XmlAttribute[] } {
    const declared = new Map<string, string>();
    const plain: (readonly [string, string])[] = [];
    const seen = new Set<string>();
    for (const [name, value] of written) {
      if (seen.has(name)) throw invalidRim(`the attribute ${name} is there twice`);
      seen.add(name);
      if (name === "xmlns") declared.set("", value);
      else if (name.startsWith("xmlns:")) declared.set(name.slice("xmlns:".length), value);
      else plain.push([name, value]);
    }
    for (const [prefix, space] of declared) checkNamespace(prefix, space);
    const scope = declared.size === 0 ? outer : new Map([...outer, ...declared]);
    if (scope.size > MAX_NAMESPACES) throw invalidRim(`more than ${MAX_NAMESPACES} namespaces`);
    const attributes = plain.map(([name, value]) => ({ name, ...this.#resolve(name, scope, false), value }));
    const expanded = new Set(attributes.map(({ local, space }) => `${space} ${local}`));
    if (expanded.size !== attributes.length) throw invalidRim("an attribute is there twice by two prefixes");
    return { scope, attributes };
  }

  #content(name: string, scope: ReadonlyMap<string, string>, depth: number): (XmlElement | string)[] {
    const children: (XmlElement | string)[] = [];
    for (;;) {
      const end = this.#text.indexOf("<", this.at);
      if (end < 0) throw invalidRim(`${name} does not end`);
      if (end > this.at) {
        this.#count();
        children.push(textIn(this.#text.slice(this.at, end)));
        this.at = end;
      }
      if (this.#skipComment()) continue;
      if (this.#taken("</")) {
        if (this.#name() !== name) throw invalidRim(`${name} is closed by another tag`);
        this.#match(SPACE);
        this.#expect(">");
        return children;
      }
      children.push(this.element(scope, depth + 1));
    }
  }

  #resolve(
    name: string,
    scope: ReadonlyMap<string, string>,
    isElement: boolean,
  ): { local: string; space: string } {
    const colon = name.indexOf(":");
    if (colon < 0) return { local: name, space: isElement ? (scope.get("") ?? "") : "" };
    const space = scope.get(name.slice(0, colon));
    if (space === undefined) throw invalidRim(`the prefix of ${name} is not declared`);
    // Canonical XML 1.1 inherits some of these: none is needed, so none is taken.
    if (space === XML_SPACE) throw invalidRim(`${name} is not handled`);
    return { local: name.slice(colon + 1), space };
  }

  #quoted(): string {
    const quote = this.#text[this.at];
    const end = quote === '"' || quote === "'" ? this.#text.indexOf(quote, this.at + 1) : -1;
    if (end < 0) throw this.#unexpected("a quoted value");
    const raw = this.#text.slice(this.at + 1, end);
    if (raw.includes("<")) throw invalidRim("an attribute holds <");
    this.at = end + 1;
    return decode(raw.replace(/[\t\n]/g, " "));
  }

  #skipComment(): boolean {
    if (!this.#text.startsWith("<!--", this.at)) return false;
    const end = this.#text.indexOf("--", this.at + 4);
    if (end < 0 || this.#text[end + 2] !== ">") throw invalidRim("a comment does not end, or holds --");
    this.at = end + 3;
    return true;
  }

  #name(): string {
    const name = this.#match(NAME);
    if (name === "") throw this.#unexpected("a name");
    return name;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.#text)?.[0] ?? "";
    this.at += found.length;
    return found;
  }

  #taken(mark: string): boolean {
    if (!this.#text.startsWith(mark, this.at)) return false;
    this.at += mark.length;
    return true;
  }

  #expect(mark: string): void {
    if (!this.#taken(mark)) throw this.#unexpected(mark);
  }

  #count(): void {
    this.#nodes++;
    if (this.#nodes > MAX_NODES) throw invalidRim(`more than ${MAX_NODES} nodes`);
  }

  #unexpected(expected: string): EvidenceError {
    return invalidRim(`at offset ${this.at} something else stands than ${expected}`);
  }
}

/** Namespaces in XML 1.0, section 3: reserved prefixes and names; only the default namespace may be taken back. */
function checkNamespace(prefix: string, space: string): void {
  const reserved = prefix === "xml" || prefix === "xmlns" || space === XML_SPACE || space === XMLNS_SPACE;
  const known = space === "" ? prefix === "" : space.length <= MAX_NAMESPACE && NAMESPACE.test(space);
  if (reserved || !known) throw invalidRim(`the declaration of prefix "${prefix}" is not allowed`);
}

function textIn(raw: string): string {
  if (raw.includes("]]>")) throw invalidRim("text holds ]]>");
  return decode(raw);
}

/** Text with its references replaced. */
function decode(raw: string): string {
  return raw.replace(/&([^;]{0,16};?)/g, (_whole, reference: string) => {
    const entity = reference.slice(0, -1);
    const known = reference.endsWith(";") ? (ENTITIES.get(entity) ?? character(entity)) : undefined;
    if (known === undefined) throw invalidRim("a reference to an unknown entity");
    return known;
  });
}

function character(entity: string): string | undefined {
  const hex = /^#x([0-9a-fA-F]{1,6})$/.exec(entity)?.[1];
  const decimal = /^#([0-9]{1,7})$/.exec(entity)?.[1];
  const code = hex === undefined ? Number.parseInt(decimal ?? "", 10) : Number.parseInt(hex, 16);
  const allowed =
    code === 9 ||
    code === 10 ||
    code === 13 ||
    (code >= 0x20 && code <= 0xd7ff) ||
    (code >= 0xe000 && code <= 0xfffd) ||
    (code >= 0x10000 && code <= 0x10ffff);
  return allowed ? String.fromCodePoint(code) : undefined;
}
