// HTML as text, with one rule: what is put into a template is escaped unless it was made by this
// file's own `markup`. So no text of a bulletin, a name or a stranger's paste becomes markup.

/** Markup that is safe to put out as it is. */
export class Html {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Piece = string | number | Html | undefined | null | false | readonly (Html | string)[];

/**
 * Every value is escaped, but for Html and lists of it; undefined, null and false are nothing. The
 * indentation of the source is left out.
 */
export function markup(strings: TemplateStringsArray, ...values: readonly Piece[]): Html {
  return new Html(
    strings.reduce(
      (text, part, i) =>
        text + part.replaceAll(/\n\s*/gu, "\n") + (i < values.length ? put(values[i]) : ""),
      "",
    ),
  );
}

function put(value: Piece): string {
  if (value === undefined || value === null || value === false) return "";
  if (value instanceof Html) return value.text;
  if (typeof value === "object") return value.map(put).join("");
  return escapeHtml(String(value));
}

/** For text and for quoted attributes. */
export const escapeHtml = (text: string): string =>
  text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;")
    .replaceAll("'", "&#39;");

export const capitalize = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

/** `1. `, `a) `, `- `: what begins one of several points. */
const POINT = String.raw`(?:\d{1,2}[.)]|\p{Ll}\)|[-–+•])\s`;
const BEGINS_POINT = new RegExp(`^${POINT}`, "u");

/** An empty line, or the end of a line before a point. */
const PARTING = new RegExp(`\\n{2,}|\\n(?=${POINT})`, "u");

/**
 * A text of several lines: an empty line parts paragraphs, a single one breaks the line, and a line
 * that begins a point is a paragraph of its own.
 */
export const paragraphs = (text: string): Html[] =>
  text
    .trim()
    .split(PARTING)
    .map((paragraph) => {
      const lines = paragraph.split("\n").flatMap((line, i) => (i === 0 ? [line] : [BREAK, line]));
      return BEGINS_POINT.test(paragraph)
        ? markup`<p class="point">${lines}</p>`
        : markup`<p>${lines}</p>`;
    });

const BREAK = markup`<br>`;
