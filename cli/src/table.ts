// Tables for people: columns under headings, figures to the right, words to the left.

/** Figures are printed with thousands separators and to the right. */
export type Cell = string | number | null;

/** Lines of equal columns; the first row is the heading. */
export function formatTable(
  heading: readonly string[],
  rows: readonly (readonly Cell[])[],
): string {
  const texts = rows.map((row) => row.map(cellText));
  const widths = heading.map((name, column) =>
    Math.max(width(name), ...texts.map((row) => width(row[column] ?? ""))),
  );
  const isFigures = heading.map((_, column) =>
    rows.every((row) => typeof row[column] === "number" || row[column] === null),
  );
  const line = (row: readonly string[]) =>
    row
      .map((text, column) => {
        const gap = " ".repeat((widths[column] ?? 0) - width(text));
        return isFigures[column] && rows.length > 0 ? gap + text : text + gap;
      })
      .join("  ")
      .trimEnd();
  const rule = widths.map((each) => "─".repeat(each)).join("  ");
  return [line(heading), rule, ...texts.map(line)].join("\n");
}

/** `name: value` lines with the values under one another. */
export function formatFields(fields: readonly (readonly [name: string, value: Cell])[]): string {
  const longest = Math.max(0, ...fields.map(([name]) => width(name)));
  return fields
    .map(([name, value]) => `${name}${" ".repeat(longest - width(name))}  ${cellText(value)}`)
    .join("\n");
}

export const formatNumber = (value: number): string => value.toLocaleString("en");

function cellText(cell: Cell): string {
  if (cell === null) return "–";
  return typeof cell === "number" ? formatNumber(cell) : cell;
}

/** Composed letters count once, so that Vietnamese columns stand straight. */
const width = (text: string): number => Array.from(text.normalize("NFC")).length;
