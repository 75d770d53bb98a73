// Reads CSV for the brute-force side of a drill: RFC 4180 quotes, a heading line, and nothing else.
// It is written apart from the server's importer on purpose: what two independent readers agree on
// is not a fault of one of them.

/** The rows as objects by heading. @throws when a row is longer or shorter than the heading. */
export function readPlainCsv(text: string): Record<string, string>[] {
  const [heading, ...rows] = splitRows(text);
  if (heading === undefined) return [];
  return rows.map((row, index) => {
    if (row.length !== heading.length)
      throw new Error(`row ${index + 2} has ${row.length} cells, the heading ${heading.length}`);
    return Object.fromEntries(heading.map((name, column) => [name, row[column] ?? ""]));
  });
}

function splitRows(text: string): string[][] {
  const rows: string[][] = [];
  for (const line of text.split(/\r?\n/)) {
    if (line === "") continue;
    rows.push(line.includes('"') ? splitQuoted(line) : line.split(","));
  }
  return rows;
}

/** Cells of a line with quotes; a quoted line break is not understood here. */
function splitQuoted(line: string): string[] {
  const cells = [""];
  let isQuoted = false;
  for (let at = 0; at < line.length; at += 1) {
    const character = line[at] as string;
    if (character === "," && !isQuoted) cells.push("");
    else if (character !== '"') cells[cells.length - 1] += character;
    else if (isQuoted && line[at + 1] === '"') {
      cells[cells.length - 1] += '"';
      at += 1;
    } else isQuoted = !isQuoted;
  }
  return cells;
}

/** One CSV line. */
export const csvLine = (cells: readonly string[]): string =>
  `${cells.map((cell) => (/[",\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell)).join(",")}\n`;
