// SPDX-License-Identifier: Apache-2.0
// One source file as the gates see it: what it imports, what it exports, which words it uses. Syntax only, no types.

import ts from "typescript";

/** One module reference: an import, a re-export or an `import()`. */
export interface ImportOf {
  readonly specifier: string;
  readonly line: number;
  /** Erased before it runs. */
  readonly typeOnly: boolean;
  /** `import()`: loaded when asked for, not when the file is. */
  readonly lazy: boolean;
  /** Imported names as the target calls them; `"*"` when any may be used. */
  readonly names: readonly string[] | "*";
}

export interface ExportOf {
  readonly name: string;
  readonly line: number;
  /** A type that the file itself uses, as its exported functions' signatures do. */
  readonly ownType: boolean;
}

export interface Literal {
  readonly text: string;
  readonly line: number;
}

export interface Source {
  /** Relative to the workspace root, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly imports: readonly ImportOf[];
  /** Names that the file declares and exports; `*` re-exports stand in `imports` only. */
  readonly exports: readonly ExportOf[];
  /** String literals that are values: no types, no comparisons, no module names. */
  readonly literals: readonly Literal[];
  /** The fixed parts of each template literal, around what is put in. */
  readonly templates: readonly (readonly string[])[];
  /** Uses of Node's globals, where nothing in the file declares a name like it. */
  readonly nodeGlobals: readonly Literal[];
  /** Members of each exported union of string literals, by the type's name. */
  readonly unions: ReadonlyMap<string, readonly Literal[]>;
}

const NODE_GLOBALS = new Set([
  "Buffer",
  "process",
  "require",
  "__dirname",
  "__filename",
  "setImmediate",
  "NodeJS",
]);

/** Reads one file. Broken syntax gives a partial answer: the compiler is the gate that reports it. */
export function readSource(path: string, text: string): Source {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const lineOf = (node: ts.Node): number => file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
  const imports: ImportOf[] = [];
  const exports: ExportOf[] = [];
  const literals: Literal[] = [];
  const templates: string[][] = [];
  const globals: Literal[] = [];
  const declared = new Set<string>();
  const unions = new Map<string, readonly Literal[]>();

  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
      const clause = node.importClause;
      const bindings = clause?.namedBindings;
      const named = bindings !== undefined && ts.isNamedImports(bindings) ? bindings.elements : [];
      imports.push({
        specifier: node.moduleSpecifier.text,
        line: lineOf(node),
        typeOnly:
          clause?.phaseModifier === ts.SyntaxKind.TypeKeyword ||
          (named.length > 0 && clause?.name === undefined && named.every((element) => element.isTypeOnly)),
        lazy: false,
        names:
          bindings !== undefined && ts.isNamespaceImport(bindings)
            ? "*"
            : [
                ...named.map((element) => (element.propertyName ?? element.name).text),
                ...(clause?.name === undefined ? [] : ["default"]),
              ],
      });
      for (const element of named) declared.add(element.name.text);
      return;
    }
    if (ts.isExportDeclaration(node)) {
      const elements =
        node.exportClause !== undefined && ts.isNamedExports(node.exportClause)
          ? node.exportClause.elements
          : undefined;
      if (node.moduleSpecifier !== undefined && ts.isStringLiteral(node.moduleSpecifier)) {
        imports.push({
          specifier: node.moduleSpecifier.text,
          line: lineOf(node),
          typeOnly:
            node.isTypeOnly ||
            (elements !== undefined && elements.length > 0 && elements.every((e) => e.isTypeOnly)),
          lazy: false,
          names: elements?.map((element) => (element.propertyName ?? element.name).text) ?? "*",
        });
      }
      for (const element of elements ?? [])
        exports.push({ name: element.name.text, line: lineOf(element), ownType: false });
      return;
    }
    if (isImportCall(node)) {
      imports.push({
        specifier: node.arguments[0].text,
        line: lineOf(node),
        typeOnly: false,
        lazy: true,
        names: "*",
      });
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) {
      const literal = node.argument.literal;
      if (ts.isStringLiteral(literal)) {
        imports.push({
          specifier: literal.text,
          line: lineOf(node),
          typeOnly: true,
          lazy: false,
          names: "*",
        });
      }
    } else if (ts.isStringLiteralLike(node) && isValue(node)) {
      literals.push({ text: node.text, line: lineOf(node) });
    } else if (ts.isIdentifier(node) && NODE_GLOBALS.has(node.text) && isReference(node)) {
      globals.push({ text: node.text, line: lineOf(node) });
    } else if (ts.isTypeAliasDeclaration(node) && isExported(node)) {
      const members = ts.isUnionTypeNode(node.type) ? node.type.types : [node.type];
      const texts = members.flatMap((member) =>
        ts.isLiteralTypeNode(member) && ts.isStringLiteral(member.literal)
          ? [{ text: member.literal.text, line: lineOf(member) }]
          : [],
      );
      unions.set(node.name.text, texts);
    }
    if (ts.isTemplateExpression(node)) {
      templates.push([node.head.text, ...node.templateSpans.map((span) => span.literal.text)]);
    }
    for (const name of declaredNames(node)) declared.add(name);
    if (isExported(node)) {
      for (const name of declaredNames(node)) {
        const ownType = isTypeDeclaration(node) && text.split(new RegExp(`\\b${name}\\b`)).length > 2;
        exports.push({ name, line: lineOf(node), ownType });
      }
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);

  const nodeGlobals = globals.filter((found) => !declared.has(found.text));
  return { path, text, imports, exports, literals, templates, nodeGlobals, unions };
}

function isImportCall(node: ts.Node): node is ts.CallExpression & { arguments: [ts.StringLiteral] } {
  return (
    ts.isCallExpression(node) &&
    node.expression.kind === ts.SyntaxKind.ImportKeyword &&
    node.arguments[0] !== undefined &&
    ts.isStringLiteral(node.arguments[0])
  );
}

/** Not in a type, not compared with: a literal that makes or passes the value. */
function isValue(node: ts.StringLiteralLike): boolean {
  const { parent } = node;
  if (ts.isLiteralTypeNode(parent) || ts.isCaseClause(parent)) return false;
  if (!ts.isBinaryExpression(parent)) return true;
  const operator = parent.operatorToken.kind;
  return (
    operator !== ts.SyntaxKind.EqualsEqualsEqualsToken &&
    operator !== ts.SyntaxKind.ExclamationEqualsEqualsToken
  );
}

/** The identifier stands for itself, or is a member of `globalThis`: not a member or key that happens to be called so. */
function isReference(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent) && parent.name === node) {
    return ts.isIdentifier(parent.expression) && parent.expression.text === "globalThis";
  }
  if (ts.isQualifiedName(parent)) return parent.left === node;
  return !(
    (ts.isPropertyAssignment(parent) || ts.isPropertySignature(parent) || ts.isMethodDeclaration(parent)) &&
    parent.name === node
  );
}

function isExported(node: ts.Node): boolean {
  return (
    ts.canHaveModifiers(node) &&
    ts.getModifiers(node)?.some((modifier) => modifier.kind === ts.SyntaxKind.ExportKeyword) === true
  );
}

function isTypeDeclaration(node: ts.Node): boolean {
  return ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

function declaredNames(node: ts.Node): string[] {
  if (ts.isVariableStatement(node)) {
    return node.declarationList.declarations.flatMap((declaration) => boundNames(declaration.name));
  }
  if (ts.isParameter(node)) return boundNames(node.name);
  if (
    (ts.isFunctionDeclaration(node) ||
      ts.isClassDeclaration(node) ||
      ts.isInterfaceDeclaration(node) ||
      ts.isTypeAliasDeclaration(node)) &&
    node.name !== undefined
  ) {
    return [node.name.text];
  }
  return [];
}

function boundNames(name: ts.BindingName): string[] {
  if (ts.isIdentifier(name)) return [name.text];
  return name.elements.flatMap((element) =>
    ts.isOmittedExpression(element) ? [] : boundNames(element.name),
  );
}
