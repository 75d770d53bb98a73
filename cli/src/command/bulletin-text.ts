// How bulletins look in the terminal.
import type { z } from "@hono/zod-openapi";
import type { bulletinSchema, bulletinSummarySchema } from "@loa/api/bulletins.ts";
import { HAZARDS } from "@loa/model/hazard.ts";
import { STEP_NAMES } from "@loa/model/chain-step.ts";
import { STATE_NAMES } from "@loa/model/transition.ts";
import { formatFields, formatTable } from "../table.ts";

type Bulletin = z.output<typeof bulletinSchema>;
type BulletinSummary = z.output<typeof bulletinSummarySchema>;

/** One bulletin, whole: what an approver must have read. */
export function bulletinText(bulletin: Bulletin): string {
  const { content, places } = bulletin;
  const fields = formatFields([
    ["Bulletin", bulletin.id],
    ["State", stateText(bulletin)],
    ["Type", `${bulletin.type}, ${bulletin.msgType}, ${bulletin.kind}`],
    ["Step", stepText(bulletin)],
    ["Replaces", bulletin.references.join(" ") || null],
    ["Refers to", bulletin.unknownReferences.join(" ") || null],
    ["Hazard", hazardText(bulletin)],
    ["Number", bulletin.number],
    ["Legal basis", content.legalBasis.join("; ")],
    ["Signed as", content.signatory.post.vi],
    ["Source", content.source ? `${content.source.body} ${content.source.number}` : null],
    ["Audience", content.audienceRule],
    ["Channels", content.channels.join(", ")],
    ["Target", [...content.target.areas, ...content.target.zones].join(" ") || "a drawn shape"],
    ["Communes", places?.communes.map(({ code }) => code).join(" ") ?? null],
    ["Expires", bulletin.expiresAt],
    ["Issued", bulletin.issuedAt],
    ["Dispatch", bulletin.dispatchId],
    ["Not sent", bulletin.dispatches.find(({ fault }) => fault !== null)?.fault ?? null],
    ["Standing order", bulletin.standingOrderId],
    ["Hash", bulletin.hash],
  ]);
  const texts = (["vi", "en"] as const).map((language) => {
    const { headline, full } = content.texts[language];
    return `[${language}] ${headline}\n\n${full}`;
  });
  const others = (["concerned", "left"] as const).flatMap((part) =>
    (["vi", "en"] as const).flatMap((language) => {
      const brief = bulletin.wordings[part]?.[language];
      return brief ? [`[${language}, ${part}] ${brief.headline}\n\n${brief.short}`] : [];
    }),
  );
  const history = formatTable(
    ["When", "Who", "What", "Why"],
    bulletin.history.map(({ at, person, action, reason }) => [
      at,
      person ?? "Loa",
      action,
      reason ?? "",
    ]),
  );
  return [fields, ...texts, ...others, history].join("\n\n");
}

/** A bulletin after a step, in a few lines. */
export const bulletinLine = (bulletin: Bulletin): string =>
  formatFields([
    ["Bulletin", bulletin.id],
    ["State", stateText(bulletin)],
    ["Headline", bulletin.headline.vi],
    ["Hash", bulletin.hash],
  ]);

export const bulletinTable = (bulletins: readonly BulletinSummary[]): string =>
  formatTable(
    ["Bulletin", "State", "Type", "Hazard", "Headline"],
    bulletins.map((each) => [each.id, each.state, each.type, hazardText(each), each.headline.vi]),
  );

const stepText = ({ step }: BulletinSummary): string =>
  `${STEP_NAMES[step].en} (${STEP_NAMES[step].vi})`;

const stateText = ({ state }: BulletinSummary): string =>
  `${STATE_NAMES[state].en} (${STATE_NAMES[state].vi})`;

const hazardText = ({ hazard, riskLevel }: BulletinSummary): string =>
  riskLevel === null
    ? HAZARDS[hazard].name.vi
    : `${HAZARDS[hazard].name.vi}, cấp độ rủi ro ${riskLevel}`;
