// SPDX-License-Identifier: Apache-2.0
// How each part of a body becomes closures: here the rooms meet that build on one another.

import type { Operand, RefOperand, Statement } from "../compile/program.ts";
import { Coder, type Only, type Part } from "./coder.ts";
import { getter } from "./operands.ts";
import { matcher } from "./patterns.ts";
import { walker } from "./references.ts";
import type { Get, Sink, Step } from "./state.ts";
import { partsOf } from "./statements.ts";

export class BodyCoder extends Coder {
  override inner(ordered: boolean = this.ordered): BodyCoder {
    return new BodyCoder(this.machine, this.frame, this, this.counts, ordered);
  }

  override get(operand: Operand): Get {
    return getter(this, operand);
  }

  override match(pattern: Operand): Sink {
    return matcher(this, pattern);
  }

  override walk(ref: RefOperand): (sink: Sink, only?: Only) => Step {
    return walker(this, ref);
  }

  override parts(body: readonly Statement[]): Part[] {
    return partsOf(this, body);
  }
}
