// SPDX-License-Identifier: Apache-2.0
// `strings.render_template`.

import type { Builtin, BuiltinContext } from "../builtin.ts";
import { renderTemplate } from "../template/template.ts";
import { templateValue } from "../template/values.ts";
import { ANY, dictionaryOf, STRING } from "../types.ts";
import type { Value } from "../value.ts";
import { define, objectAt, stringAt } from "./define.ts";

export const template: readonly Builtin[] = [
  define(
    "strings.render_template",
    [STRING, dictionaryOf(STRING, ANY)],
    STRING,
    (text: Value, variables: Value, context: BuiltinContext) => {
      const source = stringAt(text, 1);
      const spend = (steps: number): void => context.spend(steps);
      const rendered = renderTemplate(source, templateValue(objectAt(variables, 2), spend), spend);
      return rendered.replaceAll("<no value>", "<undefined>");
    },
  ),
];
