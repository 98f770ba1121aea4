// SPDX-License-Identifier: Apache-2.0
// The schema as a page for people: docs/configuration.md, which a test compares.

import { isJsonObject, type JsonObject } from "@adyton/core/json";
import { ENV_PREFIX } from "./read.ts";
import { settingsJsonSchema } from "./shape.ts";

const HEAD = `# Configuration

Generated from \`packages/broker/src/config/schema.ts\` by \`adyton config schema --markdown\`; a test keeps both equal.

Of \`adyton up\`, what a flag says counts before the environment, that before the file, that before the default. Files are TOML, YAML or
JSON (\`adyton up --config broker.toml\`). A setting \`section.name\` is \`${ENV_PREFIX}SECTION__NAME\` in the environment: lists there are JSON,
or words between commas. Names that are not listed here are refused. Paths in a file start from its folder. Secrets stand in files of their
own, never in the configuration.

| command | |
| --- | --- |
| \`adyton config check FILE\` | whether a file is right |
| \`adyton config show\` | what counts, and where each setting comes from |
| \`adyton config schema\` | JSON Schema, for editors |
| \`adyton config import FILE\` | a configuration of Trustee's KBS, in ours |

\`\`\`toml
state_dir = "/var/lib/adyton"

[server]
host = "0.0.0.0"
port = 8443

[server.tls]
certificate = "tls.crt"
key = "tls.key"

[metrics]
listen = "127.0.0.1:9090"
\`\`\`
`;

/** Markdown. */
export function settingsMarkdown(): string {
  const schema = settingsJsonSchema();
  const top: string[] = [];
  const sections: string[] = [];
  for (const [name, each] of membersOf(schema)) {
    if (isSection(each)) sections.push(...sectionOf(name, each));
    else top.push(rowOf(name, each, requiredIn(schema, name)));
  }
  return `${[HEAD, tableOf(top), ...sections].join("\n")}`;
}

function sectionOf(name: string, schema: JsonObject): string[] {
  const rows: string[] = [];
  const below: string[] = [];
  for (const [key, each] of membersOf(schema)) {
    if (isSection(each)) below.push(...sectionOf(`${name}.${key}`, each));
    else rows.push(rowOf(key, each, requiredIn(schema, key)));
    const { items } = each;
    if (isJsonObject(items) && isSection(items))
      below.push(...sectionOf(`${name}.${key}[]`, { ...items, description: each.description ?? "" }));
  }
  const about = typeof schema.description === "string" ? sentence(schema.description) : "";
  return [`## \`${name}\`\n\n${about}\n`, ...(rows.length === 0 ? [] : [tableOf(rows)]), ...below];
}

function tableOf(rows: readonly string[]): string {
  return `| setting | type | default | |\n| --- | --- | --- | --- |\n${rows.join("\n")}\n`;
}

function rowOf(name: string, schema: JsonObject, required: boolean): string {
  const fallback =
    schema.default === undefined ? (required ? "required" : "") : `\`${JSON.stringify(schema.default)}\``;
  const about = typeof schema.description === "string" ? schema.description : "";
  return `| \`${name}\` | ${typeOf(schema)} | ${fallback} | ${about.replaceAll("|", "\\|")} |`;
}

function typeOf(schema: JsonObject): string {
  if (Array.isArray(schema.enum)) return schema.enum.map((each) => `\`${String(each)}\``).join(", ");
  if (Array.isArray(schema.anyOf)) return schema.anyOf.filter(isJsonObject).map(typeOf).join(" or ");
  if (schema.const !== undefined) return `\`${String(schema.const)}\``;
  if (schema.type === "array")
    return `list of ${isJsonObject(schema.items) ? typeOf(schema.items) : "values"}`;
  if (schema.format === "path") return "file";
  if (schema.format === "uri") return "URL";
  return schema.type === "object" ? "table" : String(schema.type ?? "value");
}

function membersOf({ properties }: JsonObject): readonly [string, JsonObject][] {
  if (!isJsonObject(properties)) return [];
  return Object.entries(properties).flatMap(([name, each]): [string, JsonObject][] =>
    isJsonObject(each) ? [[name, each]] : [],
  );
}

function isSection(schema: JsonObject): boolean {
  return isJsonObject(schema.properties);
}

function requiredIn({ required }: JsonObject, name: string): boolean {
  return Array.isArray(required) && required.includes(name);
}

function sentence(text: string): string {
  const capital = `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
  return capital.endsWith(".") ? capital : `${capital}.`;
}
