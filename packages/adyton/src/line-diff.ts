// SPDX-License-Identifier: Apache-2.0
// What differs between two texts, line by line, as `diff -u` writes it.

const CONTEXT = 3;
/** Of the table of lines against lines; above, everything between the first and the last difference is shown as new. */
const MAX_CELLS = 4_000_000;

interface Line {
  readonly mark: " " | "-" | "+";
  readonly text: string;
}

/** Hunks with three lines around each difference; "" when there is none. A last line without its end says so. */
export function lineDiff(before: string, after: string): string {
  if (before === after) return "";
  const lines = compared(linesOf(before), linesOf(after));
  const near = lines.map((_, at) =>
    lines.slice(Math.max(0, at - CONTEXT), at + CONTEXT + 1).some(({ mark }) => mark !== " "),
  );
  let [old, fresh, hunk]: [number, number, Line[]] = [1, 1, []];
  const out: string[] = [];
  const close = (): void => {
    if (hunk.length === 0) return;
    const [left, right] = [hunk.filter(({ mark }) => mark !== "+"), hunk.filter(({ mark }) => mark !== "-")];
    out.push(`@@ -${range(old - left.length, left.length)} +${range(fresh - right.length, right.length)} @@`);
    out.push(...hunk.map(({ mark, text }) => mark + text));
    hunk = [];
  };
  lines.forEach((line, at) => {
    if (!near[at]) close();
    if (line.mark !== "+") old += 1;
    if (line.mark !== "-") fresh += 1;
    if (near[at]) hunk.push(line);
  });
  close();
  return out.map((line) => `${line}\n`).join("");
}

/** A hunk of no lines stands behind the line before it. */
function range(start: number, length: number): string {
  return `${length === 0 ? start - 1 : start},${length}`;
}

function linesOf(text: string): readonly string[] {
  const lines = text.split("\n");
  const last = lines.pop() ?? "";
  return last === "" ? lines : [...lines, `${last}\n\\ No newline at end of file`];
}

/** What begins and ends alike is left aside; between, the longest common subsequence stays. */
function compared(before: readonly string[], after: readonly string[]): readonly Line[] {
  const shorter = Math.min(before.length, after.length);
  let head = 0;
  while (head < shorter && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const same = (lines: readonly string[]) => lines.map((text): Line => ({ mark: " ", text }));
  return [
    ...same(before.slice(0, head)),
    ...middle(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...same(before.slice(before.length - tail)),
  ];
}

function middle(before: readonly string[], after: readonly string[]): readonly Line[] {
  const [rows, columns] = [before.length, after.length];
  const whole = rows * columns > MAX_CELLS;
  const width = columns + 1;
  // Length of the longest common subsequence of what is left, by how much of each was taken.
  const lengths = new Uint32Array(whole ? 0 : (rows + 1) * width);
  const left = (row: number, column: number): number => lengths[row * width + column] ?? 0;
  for (let row = whole ? -1 : rows - 1; row >= 0; row--)
    for (let column = columns - 1; column >= 0; column--)
      lengths[row * width + column] =
        before[row] === after[column]
          ? left(row + 1, column + 1) + 1
          : Math.max(left(row + 1, column), left(row, column + 1));
  const lines: Line[] = [];
  let [row, column] = [0, 0];
  while (row < rows || column < columns) {
    const [gone, come] = [before[row], after[column]];
    if (!whole && gone !== undefined && gone === come) {
      lines.push({ mark: " ", text: gone });
      row += 1;
      column += 1;
    } else if (gone !== undefined && (come === undefined || left(row + 1, column) >= left(row, column + 1))) {
      lines.push({ mark: "-", text: gone });
      row += 1;
    } else if (come !== undefined) {
      lines.push({ mark: "+", text: come });
      column += 1;
    }
  }
  return lines;
}
