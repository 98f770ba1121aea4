// SPDX-License-Identifier: Apache-2.0
// How the tour tells what it does: numbered steps, each with what it promised and whether that held.

import { CliError } from "../errors.ts";
import { printable, type Style, wrap } from "../frame/style.ts";
import type { Output } from "../io.ts";

const MAX_WIDTH = 100;
const INDENT = 5;

export interface Step {
  readonly title: string;
  /** The promises that held. */
  readonly held: readonly string[];
}

export interface Stage {
  /** Opens the next step. */
  step(title: string): void;
  /** Tells something on the side. */
  say(text: string): void;
  /** Quotes the output of a program. */
  quote(text: string): void;
  /** Tells that a promise held, or throws `TOUR_STEP_FAILED`. */
  promise(holds: boolean, what: string): void;
  steps(): readonly Step[];
}

export function createStage(output: Output, style: Style): Stage {
  const width = Math.min(MAX_WIDTH, output.columns);
  const steps: { title: string; held: string[] }[] = [];
  return {
    step: (title) => {
      steps.push({ title, held: [] });
      output.write(`\n${style.bold(`${steps.length}. ${title}`)}\n`);
    },
    say: (text) => {
      output.write(`${text.replace(/^(?=.)/gm, "   ")}\n`);
    },
    quote: (text) => {
      const lines = text.trimEnd().split("\n");
      const wrapped = (line: string): string[] => {
        const text = line.trimStart();
        return wrap(printable(text), width - INDENT, line.length - text.length).split("\n");
      };
      for (const line of lines.flatMap(wrapped)) {
        output.write(`   ${style.dim("|")} ${line}\n`);
      }
    },
    promise: (holds, what) => {
      const step = steps.at(-1);
      if (!holds) {
        throw new CliError(
          "TOUR_STEP_FAILED",
          "unavailable",
          `Cannot go on with the tour: step ${steps.length} (${step?.title}) did not hold: ${what}`,
          { detail: { step: steps.length, expected: what }, hint: "This is a defect: please report it." },
        );
      }
      step?.held.push(what);
      output.write(`   ${style.good("✓")} ${what}\n`);
    },
    steps: () => steps,
  };
}
