// T1 and T2: text is text. Markup and characters that reorder or hide what is read are flagged where
// they stand, because whoever shows the message would show something else than was approved.
import type { Report } from "./report.ts";
import type { XmlElement } from "./xml.ts";

/** Reorder what follows, or cannot be seen. Joiners are left out: scripts need them. */
// oxlint-disable-next-line no-misleading-character-class -- single characters are what it looks for.
const HIDDEN_IN_TEXT = /[\u200b\u202a-\u202e\u2060\u2066-\u2069\ufeff]/u;
/** In names, links and numbers no invisible character has a use. */
// oxlint-disable-next-line no-misleading-character-class -- single characters are what it looks for.
const HIDDEN_IN_NAME = /[\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/u;
const NAMES: ReadonlySet<string> = new Set([
  "identifier",
  "sender",
  "addresses",
  "references",
  "web",
  "contact",
  "uri",
  "valueName",
]);
const TAG = /<\/?[a-z][a-z0-9]*(?:\s[^<>]*)?\/?>/iu;
const ENTITY = /&(?:amp|lt|gt|quot|apos|nbsp|#\d+|#x[0-9a-f]+);/iu;

export function checkText(report: Report, node: XmlElement, text: string): void {
  if ((NAMES.has(node.name) ? HIDDEN_IN_NAME : HIDDEN_IN_TEXT).test(text))
    report.warning("T2", node, `${node.name} holds a character that reorders or hides text`);
  if (text.includes("<") && TAG.test(text))
    report.warning("T1", node, `${node.name} holds markup, which is shown as it stands`);
  else if (text.includes("&") && ENTITY.test(text))
    report.warning("T1", node, `${node.name} holds an entity that was encoded twice`);
}

/** Text of the world in a message of ours: short, so that a report stays readable. */
export const clip = (text: string): string => (text.length > 60 ? `${text.slice(0, 60)}…` : text);
