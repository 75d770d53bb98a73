// From bytes to text. The encoding is what byte order mark or declaration say, UTF-8 otherwise;
// bytes that do not fit it are refused (X1), because a guess could change what is warned of.

const BOMS: readonly (readonly [readonly number[], string])[] = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xfe, 0xff], "utf-16be"],
  [[0xff, 0xfe], "utf-16le"],
];

const DECLARED = /^<\?xml[^>]*?\sencoding\s*=\s*["']([A-Za-z][\w.-]*)["']/u;
/** Where a declaration ends at the latest. */
const DECLARATION_BYTES_MAX = 400;

/** A declaration is of ASCII; who has none is not looked at. */
function startOf(bytes: Uint8Array, mark: string | undefined): string {
  const start = bytes.subarray(0, DECLARATION_BYTES_MAX);
  if (mark !== undefined) return new TextDecoder(mark).decode(start);
  const end = start.indexOf(0x3e);
  return String.fromCharCode(...(end === -1 ? start : start.subarray(0, end + 1)));
}

/** The text with line ends as XML has them, or what is wrong with the bytes. */
export function decodeText(bytes: Uint8Array): { text: string } | { fault: string } {
  const mark = BOMS.find(([bom]) => bom.every((byte, index) => bytes[index] === byte))?.[1];
  const declared = DECLARED.exec(startOf(bytes, mark))?.[1]?.toLowerCase();
  if (mark !== undefined && declared !== undefined && !mark.startsWith(declared))
    return { fault: `is marked as ${mark} and declared as ${declared}` };
  const encoding = mark ?? declared ?? "utf-8";
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(bytes);
    // XML 1.0, 2.11: what follows sees one kind of line end only.
    return { text: text.includes("\r") ? text.replaceAll(/\r\n?/gu, "\n") : text };
  } catch (cause) {
    return cause instanceof RangeError
      ? { fault: `is in ${encoding}, which cannot be read` }
      : { fault: `is not valid ${encoding}` };
  }
}
