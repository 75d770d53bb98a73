// Lists as lines: one record is one line, always.
//
// RFC 4180 lets a quoted value run over several lines. No column of ours can hold a line
// break, and in a list of millions one forgotten quote would swallow everything up to the
// next one. So a quote that is not closed on its line spoils that line only, every record
// has an exact line number, and memory is bounded by the longest line.

/** Longest line of a list; the longest sensible record is below 2,000 characters. */
export const LINE_CHARS_MAX = 8_192;

/**
 * Cuts UTF-8 bytes into lines, a batch for each chunk, without line ends (LF or CRLF) and byte
 * order mark. Bytes that are not UTF-8 become U+FFFD. A longer line comes cut, but longer than
 * LINE_CHARS_MAX, so that it can be told.
 */
export async function* readLines(source: AsyncIterable<Uint8Array>): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of source) {
    const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
    rest = lines.pop() ?? "";
    if (rest.length > LINE_CHARS_MAX) rest = rest.slice(0, LINE_CHARS_MAX + 1);
    yield lines.map(withoutReturn);
  }
  rest += decoder.decode();
  if (rest !== "") yield [withoutReturn(rest)];
}

const withoutReturn = (line: string): string => (line.endsWith("\r") ? line.slice(0, -1) : line);

/**
 * The values of one line, by RFC 4180: separated by commas; a value in quotes may hold commas, and
 * quotes that are doubled. Undefined when a quote is not closed or stands inside a bare value.
 */
export function splitValues(line: string): string[] | undefined {
  if (!line.includes('"')) return line.split(",");
  const values: string[] = [];
  let at = 0;
  while (true) {
    const end = line[at] === '"' ? quotedEnd(line, at) : bareEnd(line, at);
    if (end === undefined) return undefined;
    const text = line.slice(at, end);
    values.push(text.startsWith('"') ? text.slice(1, -1).replaceAll('""', '"') : text);
    if (end === line.length) return values;
    at = end + 1;
  }
}

/** Where a bare value that starts at `at` ends; undefined when it holds a quote. */
function bareEnd(line: string, at: number): number | undefined {
  const comma = line.indexOf(",", at);
  const end = comma < 0 ? line.length : comma;
  const quote = line.indexOf('"', at);
  return quote < 0 || quote >= end ? end : undefined;
}

/** Where a quoted value ends; undefined when nothing closes it, or more follows than a comma. */
function quotedEnd(line: string, at: number): number | undefined {
  let quote = line.indexOf('"', at + 1);
  // A doubled quote belongs to the value.
  while (quote >= 0 && line[quote + 1] === '"') quote = line.indexOf('"', quote + 2);
  const end = quote + 1;
  if (quote < 0 || (end < line.length && line[end] !== ",")) return undefined;
  return end;
}

/** One value as it stands in a list: in quotes where it needs them. */
export const quoteValue = (value: string): string =>
  /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
