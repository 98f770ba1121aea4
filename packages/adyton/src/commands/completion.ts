// SPDX-License-Identifier: Apache-2.0
// Page of `adyton completion`.

import type { Command } from "../frame/command.ts";
import { SHELLS } from "../frame/completion.ts";

export const completion: Command = {
  kind: "command",
  name: "completion",
  summary: "print a completion script for your shell",
  description: ["Prints a script that makes the shell complete commands, options and their values."],
  arguments: [{ name: "SHELL", summary: "bash, zsh or fish", choices: SHELLS }],
  options: [],
  exits: [],
  examples: [
    { line: "source <(adyton completion bash)", what: "For this bash; put the line in ~/.bashrc for all." },
    {
      line: "adyton completion zsh > ~/.zfunc/_adyton",
      what: "For zsh, with ~/.zfunc in fpath before compinit.",
    },
    {
      line: "adyton completion fish > ~/.config/fish/completions/adyton.fish",
      what: "For fish.",
    },
  ],
  next: "Open a new shell, type `adyton ` and press Tab.",
  load: async () => (await import("./completion.run.ts")).complete,
};
