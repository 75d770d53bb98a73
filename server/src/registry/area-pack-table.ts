// Reads one CSV of a pack into rows that know their line, with columns found by their
// headers. A column that the caller named must be there; others may be absent.
import { parse } from "csv-parse/sync";
import type { FaultList } from "./area-pack-fault.ts";

/** Longest cell: names and codes are short, and a lost quote must not swallow a file. */
const CELL_CHARACTERS_MAX = 400;

export interface TableRow<C extends string> {
  /** `communes.csv line 12`. */
  readonly at: string;
  /** The cell of a column; undefined when the file has no such column. */
  readonly get: (column: C) => string | undefined;
}

export interface TableOptions<C extends string> {
  readonly delimiter?: string | undefined;
  readonly columns?: Partial<Record<C, string | undefined>> | undefined;
  /** All columns there can be, and those of them that must be there. */
  readonly known: readonly C[];
  readonly required: readonly C[];
}

/** The rows of a file; faults are added to the list, and their rows left out. */
export function readTable<C extends string>(
  name: string,
  text: string,
  options: TableOptions<C>,
  faults: FaultList,
): TableRow<C>[] {
  const records = parseRecords(name, text, options.delimiter ?? ",", faults);
  const [header, ...body] = records;
  if (!header) {
    if (faults.count === 0) faults.add(`${name} line 1`, "the file has no header");
    return [];
  }
  const places = placeColumns(name, header.record, options, faults);
  if (!places) return [];
  return body.flatMap(({ record, line }) => {
    const at = `${name} line ${line}`;
    if (record.length !== header.record.length) {
      faults.add(at, `has ${record.length} fields, but the header has ${header.record.length}`);
      return [];
    }
    const fault = record.map(checkCell).find((what) => what !== null);
    if (fault) {
      faults.add(at, fault);
      return [];
    }
    const get = (column: C) => {
      const place = places.get(column);
      return place === undefined ? undefined : (record[place] as string).trim();
    };
    return [{ at, get }];
  });
}

interface Parsed {
  readonly record: readonly string[];
  readonly line: number;
}

function parseRecords(name: string, text: string, delimiter: string, faults: FaultList): Parsed[] {
  try {
    const parsed = parse(text, {
      bom: true,
      delimiter,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return parsed.map(({ record, info }) => ({ record, line: info.lines }));
  } catch (fault) {
    const { message, lines } = fault as { message: string; lines?: number };
    faults.add(`${name} line ${lines ?? 1}`, `is not CSV: ${message}`);
    return [];
  }
}

function placeColumns<C extends string>(
  name: string,
  header: readonly string[],
  { columns, known, required }: TableOptions<C>,
  faults: FaultList,
): Map<C, number> | null {
  const places = new Map<C, number>();
  let sound = true;
  for (const column of known) {
    const wanted = columns?.[column] ?? column;
    const place = header.findIndex((cell) => cell.trim() === wanted);
    if (place >= 0) places.set(column, place);
    else if (required.includes(column) || columns?.[column] !== undefined) {
      sound = false;
      const there = header.slice(0, 20).join(", ");
      faults.add(`${name} line 1`, `has no column ${wanted} (for ${column}); it has ${there}`);
    }
  }
  return sound ? places : null;
}

function checkCell(cell: string): string | null {
  if (cell.length > CELL_CHARACTERS_MAX)
    return `a field has ${cell.length} characters; at most ${CELL_CHARACTERS_MAX} are allowed`;
  const shown = JSON.stringify(cell.slice(0, 40));
  if (cell !== cell.normalize("NFC"))
    return `${shown} is not in Unicode NFC; the same letters are written in another way`;
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\u0000-\u001f\u007f\ufffd]/u.test(cell))
    return `${shown} holds a control or replacement character; is the file in UTF-8?`;
  return null;
}
