// SPDX-License-Identifier: Apache-2.0
// A program as closures: made rule by rule, at the first use of each.

import type { Location } from "../ast.ts";
import type { Builtin } from "../builtin.ts";
import type { Program, RuleNode } from "../compile/program.ts";
import { dependsOnInput } from "../compile/recursion.ts";
import { RegoError } from "../errors.ts";
import { RuleCode } from "./rules.ts";

export class Machine {
  readonly program: Program;
  /** Tells of each step; nothing is left out or evaluated in another place for speed. */
  readonly isTraced: boolean;
  readonly #standard: ReadonlySet<Builtin>;
  readonly #rules: (RuleCode | undefined)[] = [];
  #memos = 0;

  /** `standard` are the language's own functions. */
  constructor(program: Program, standard: ReadonlySet<Builtin>, isTraced = false) {
    this.program = program;
    this.isTraced = isTraced;
    this.#standard = standard;
  }

  /** The same program, with a trace. */
  traced(): Machine {
    return new Machine(this.program, this.#standard, true);
  }

  rule(node: RuleNode): RuleCode {
    let code = this.#rules[node.id];
    if (code === undefined) {
      code = new RuleCode(this, node, !dependsOnInput(this.program, node));
      this.#rules[node.id] = code;
    }
    return code;
  }

  /** A place for what a rule gave. */
  memo(): number {
    return this.#memos++;
  }

  /** Whether the function is the language's own, and not one that a host put in its place. */
  isStandard(builtin: Builtin): boolean {
    return this.#standard.has(builtin);
  }

  /** What the safety check should have found. */
  broken(location: Location): RegoError {
    return new RegoError([{ code: "REGO_UNSAFE_VARIABLE", message: "expression is unsafe", location }]);
  }
}
