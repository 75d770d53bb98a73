// The page of one bulletin: what to do first, then all of it, where, by whom, on what ground, every
// version of its thread, and how to check it. At most 30 kB: items, and then places, of a bulletin
// that is too long have pages of their own.
import type { Item } from "@loa/model/bulletin.ts";
import type { Language } from "@loa/model/text.ts";
import { HAZARDS } from "@loa/model/hazard.ts";
import { formatShortCode } from "@loa/model/short-code.ts";
import { STEP_NAMES } from "@loa/model/chain-step.ts";
import { parseInstant } from "@loa/model/local-time.ts";
import { type Entry } from "../archive.ts";
import { capPath } from "../atom.ts";
import { pagePath } from "../compose.ts";
import { type Change, changesOf } from "../correction.ts";
import { isInvented, type Publication, type PublishedArea } from "../publication.ts";
import { capitalize, markup, type Html, paragraphs } from "./html.ts";
import { inLanguage, PAGE_BYTES_MAX, renderDrillBand, renderPage } from "./layout.ts";
import { renderQr } from "./qr.ts";
import { type PageFacts, renderState, sayState } from "./state.ts";
import { CATEGORY_WORDS, KIND_WORDS, say, sayDocument, sayLevel, sayTime } from "./words.ts";

/** Versions of a thread on the page of each; the page of the incident has them all. */
export const VERSIONS_SHOWN_MAX = 16;
/** Places by name on the page itself. */
export const AREAS_SHOWN_MAX = 150;

interface Fit {
  readonly itemTexts: boolean;
  readonly areas: number;
}
/** From everything down to what always fits. */
const FITS: readonly Fit[] = [
  { itemTexts: true, areas: AREAS_SHOWN_MAX },
  { itemTexts: false, areas: AREAS_SHOWN_MAX },
  { itemTexts: false, areas: 40 },
];

export function renderBulletinPage(
  facts: PageFacts,
  entry: Entry,
  publication: Publication,
): string {
  let page = "";
  for (const fit of FITS) {
    page = renderFit(facts, entry, publication, fit);
    if (Buffer.byteLength(page) <= PAGE_BYTES_MAX) break;
  }
  return page;
}

function renderFit(facts: PageFacts, entry: Entry, publication: Publication, fit: Fit): string {
  const { language } = facts;
  const { content, account } = publication;
  const texts = content.texts[language];
  const t = (vi: string, en: string): string => say(language, vi, en);
  const issued = sayTime(language, new Date(publication.issuedAt));
  const drill = content.type === "Actual" ? undefined : renderDrillBand(language, content.type);
  return renderPage(
    headOf(facts, publication, `${texts.headline} · ${content.number}`),
    markup`${drill} ${renderState(facts, entry)}
      <article>
        <p class="issuer">${account.name[language]}</p>
        <p class="quiet">
          ${sayDocument(language, content)} ${t("số", "No.")} ${content.number} ·
          ${t("ban hành lúc", "issued at")} ${issued}
        </p>
        <h1>${texts.headline}</h1>
        ${renderLevel(facts, publication)}
        <p class="lead">${texts.short}</p>
        ${renderCorrection(facts, entry, publication)}
        <h2>${t("Toàn văn", "Full text")}</h2>
        ${paragraphs(texts.full)} ${renderItems(facts, publication, fit.itemTexts)}
        <h2>${t("Nơi áp dụng", "Where it applies")}</h2>
        ${renderAreas(facts, publication, fit.areas)}
        <div class="help">
          <b>${t("Cần cứu nạn, cứu hộ: gọi", "In danger: call")} <a href="tel:112">112</a></b><br>${t("Tổng đài trực 24/24 giờ, cả ngày lễ, ngày nghỉ.", "Day and night, every day.")}
        </div>
        <h2>${t("Căn cứ và xuất xứ", "Legal basis and source")}</h2>
        ${renderOrigin(facts, publication)} ${renderVersions(facts, entry)}
        ${renderCheck(facts, publication)} ${renderOtherLanguage(facts, publication)}
      </article>
      ${drill}`,
  );
}

const headOf = (facts: PageFacts, publication: Publication, title: string, path = "") => ({
  language: facts.language,
  title,
  paths: {
    vi: pagePath(publication.code, "vi") + path,
    en: pagePath(publication.code, "en") + path,
  },
  isInvented: isInvented(publication),
  links: [{ type: "application/cap+xml", href: capPath(publication.code) }],
});

function renderLevel({ language }: PageFacts, { content }: Publication): Html {
  const { hazard, alongside, riskLevel, kind } = content;
  const names = [hazard, ...alongside].map((each) => HAZARDS[each].name[language]).join(", ");
  const what = `${KIND_WORDS[kind][language]}: ${names}`;
  return riskLevel === null
    ? markup`<p class="level">${what}</p>`
    : markup`<p class="level l${riskLevel}">${what}<br>${sayLevel(language, riskLevel)}</p>`;
}

/** Of a correction: which bulletin was wrong, and in which words. */
function renderCorrection(
  { archive, language }: PageFacts,
  { step, referenceIds }: Entry,
  { content }: Publication,
): Html | "" {
  const wrong = step === "correction" ? archive.byId(referenceIds[0] ?? "") : undefined;
  const old = wrong && archive.publication(wrong);
  if (!wrong || !old) return "";
  const t = (vi: string, en: string): string => say(language, vi, en);
  const changes = changesOf(old.content, content, language);
  return markup`<h2>${t("Nội dung đính chính", "What was corrected")}</h2>
    <p>
      ${t("Bản tin này đính chính", "This bulletin corrects the")}
      <a href="${pagePath(wrong.code, language)}">${t("bản tin số", "bulletin")} ${old.content.number}, ${sayTime(language, new Date(old.issuedAt))}</a>.
    </p>
    ${changes.map((change) => renderChange(language, change))}`;
}

function renderChange(language: Language, { part, words }: Change): Html {
  const t = (vi: string, en: string): string => say(language, vi, en);
  const runs = words?.map(({ kind, text }) =>
    kind === "same"
      ? markup`${text} `
      : kind === "before"
        ? markup`<del>[${t("trước đây", "before")}: ${text}]</del> `
        : markup`<ins>[${t("nay là", "now")}: ${text}]</ins> `,
  );
  return markup`<div class="diff">
    <b>${capitalize(part[language])}:</b> ${runs ?? t("đã viết lại, xem bên dưới", "written anew, see below")}
  </div>`;
}

function renderItems({ language }: PageFacts, { content, code }: Publication, whole: boolean) {
  const { items } = content;
  if (items.length === 0) return "";
  const heading = say(language, "Việc cần làm và thông tin kèm theo", "What to do, and more");
  const rows = items.map(
    (item, index) =>
      markup`<h3>
          ${sayCategory(language, item)}${
            whole
              ? item.title[language]
              : markup`<a href="${pagePath(code, language)}/${index + 1}">${item.title[language]}</a>`
          }
        </h3>
        ${whole ? paragraphs(item.text[language]) : ""}`,
  );
  return markup`<h2>${heading}</h2>
    ${rows}`;
}

/** The category, unless the title begins with it. */
function sayCategory(language: Language, { category, title }: Item): string {
  const words = CATEGORY_WORDS[category][language];
  return title[language].startsWith(words) ? "" : `${words}: `;
}

function renderAreas({ language }: PageFacts, { areas, code, content }: Publication, max: number) {
  const t = (vi: string, en: string): string => say(language, vi, en);
  const rest = areas.length - max;
  const isDrawn = content.target.polygon !== undefined || content.target.circle !== undefined;
  return markup`${isDrawn && markup`<p>${t("Trong khu vực cơ quan ban hành khoanh trên bản đồ, thuộc các đơn vị sau:", "Within the area that was drawn on the map, in these units:")}</p>`}
  ${renderAreaList(language, areas.slice(0, max))}
  ${rest > 0 && markup`<p><a href="${pagePath(code, language)}/areas">${t(`Xem đủ ${areas.length} địa bàn`, `All ${areas.length} places`)}</a></p>`}`;
}

function renderAreaList(language: Language, areas: readonly PublishedArea[]): Html {
  const groups = Map.groupBy(areas, (area) => area.within?.name[language] ?? "");
  return markup`${[...groups].map(
    ([within, members]) =>
      markup`${within !== "" && markup`<p class="quiet">${within}</p>`}<ul${members.length > 7 ? markup` class="areas"` : ""}>
${members.map((area) => markup`<li>${sayArea(language, area)}</li> `)}</ul>`,
  )}`;
}

function sayArea(language: Language, area: PublishedArea): string {
  const name = area.name[language];
  const villages = area.villages?.map((village) => village.name[language]).join(", ");
  if (villages !== undefined) return `${name}: ${villages}`;
  const count = area.communes.length;
  return count === 1 && area.communes[0] === area.code
    ? name
    : say(language, `${name} (toàn bộ ${count} xã, phường)`, `${name} (all ${count} communes)`);
}

function renderOrigin({ language }: PageFacts, publication: Publication): Html {
  const t = (vi: string, en: string): string => say(language, vi, en);
  const { content, account, incident, code } = publication;
  const { source, signatory } = content;
  const at = source && parseInstant(source.time);
  const row = (name: string, value: string | Html): Html =>
    markup`<dt>${name}</dt>
      <dd>${value}</dd> `;
  return markup`<dl>
    ${row(t("Cơ quan ban hành", "Issued by"), account.name[language])}
    ${row(t("Số, ký hiệu", "Number"), content.number)}
    ${row(t("Người ký", "Signed by"), [signatory.post[language], signatory.name].filter((part) => part !== null).join(", "))}
    ${row(
      t("Căn cứ pháp lý", "Legal basis"),
      markup`<ul>
        ${content.legalBasis.map((citation) => markup`<li lang="vi">${citation}</li>`)}
      </ul>`,
    )}
    ${source ? row(t("Nguồn tin", "Source"), markup`<span lang="vi">${source.body}</span>, ${t("bản tin số", "bulletin")} ${source.number}${at && `, ${sayTime(language, at)}`}`) : ""}
    ${incident ? row(t("Sự kiện", "Incident"), markup`<a href="${inLanguage(language, `/i/${incident.id}`)}">${incident.name[language]}</a>`) : ""}
    ${content.type === "Exercise" ? row(t("Cuộc diễn tập", "Exercise"), content.exerciseName) : ""}
    ${content.type === "PublicTest" ? row(t("Đã báo trước tại", "Announced at"), content.announcement.where) : ""}
    ${row(t("Có hiệu lực", "In force"), `${t("từ", "from")} ${sayTime(language, new Date(publication.issuedAt))} ${t("đến", "to")} ${sayTime(language, new Date(publication.expiresAt))}`)}
    ${row(
      t("Bản cho máy", "For machines"),
      markup`<a href="${capPath(code)}">CAP 1.2</a>${publication.capSigned && ` (${t("có chữ ký số", "digitally signed")})`},
        <a href="/feeds/bulletins/${code}/bulletin.geojson">GeoJSON</a>`,
    )}
  </dl>`;
}

function renderVersions({ archive, language, now }: PageFacts, entry: Entry): Html | "" {
  const thread = archive.thread(entry);
  if (thread.length === 1) return "";
  const t = (vi: string, en: string): string => say(language, vi, en);
  const shown = thread.toReversed().slice(0, VERSIONS_SHOWN_MAX);
  const rows = shown.flatMap((each) => {
    const publication = archive.publication(each);
    if (!publication) return [];
    const { content } = publication;
    const step = capitalize(STEP_NAMES[each.step][language]);
    const issued = sayTime(language, new Date(each.issuedAtMs));
    const words = `${step}, ${t("số", "No.")} ${content.number}, ${issued}`;
    const state = sayState(language, each, archive.stateAt(each, now));
    return [
      markup`<li>
        ${
          each === entry
            ? markup`<b aria-current="page">${words}</b>`
            : markup`<a href="${pagePath(each.code, language)}">${words}</a>`
        }<br>${content.texts[language].headline}<br><span class="tag">${capitalize(state)}</span>
      </li> `,
    ];
  });
  const rest = thread.length - shown.length;
  return markup`<h2>
      ${t("Các bản của bản tin này, mới nhất trước", "All versions of this bulletin, newest first")}
    </h2>
    <ol class="list">
      ${rows}
    </ol>
    ${rest > 0 && entry.incidentId !== null && markup`<p><a href="${inLanguage(language, `/i/${entry.incidentId}`)}">${t(`Và ${rest} bản cũ hơn`, `And ${rest} older ones`)}</a></p>`}`;
}

function renderCheck({ language, origin }: PageFacts, { code }: Publication): Html {
  const t = (vi: string, en: string): string => say(language, vi, en);
  const address = origin + pagePath(code, "vi");
  return markup`<h2>${t("Kiểm tra bản tin này", "Check this bulletin")}</h2>
    <div class="verify">
      ${renderQr(address, t("Mã QR mở trang này", "QR code that opens this page"))}
      <div>
        <p>
          ${t("Mã bản tin:", "Bulletin code:")} <span class="code">${formatShortCode(code)}</span>
        </p>
        <p>
          ${t("Nhận được bản tin này ở nơi khác? Quét mã QR, hoặc nhập mã vào trang", "Did you get this bulletin elsewhere? Scan the QR code, or type the code into")}
          <a href="${inLanguage(language, "/check")}">${t("Kiểm tra thông báo", "Check a notice")}</a>
          (${new URL(origin).host}/check), ${t("rồi so sánh nội dung.", "and compare the text.")}
        </p>
      </div>
    </div>`;
}

/** Enough for who reads the other language only to know what this is and where to go. */
function renderOtherLanguage({ language }: PageFacts, { content, code }: Publication): Html {
  const other = language === "vi" ? "en" : "vi";
  const { headline, short } = content.texts[other];
  return markup`<section lang="${other}">
    <h2>${say(other, "Tiếng Việt", "In English")}</h2>
    <p><b>${headline}</b></p>
    <p>${short}</p>
    <p class="screen">
      <a href="${pagePath(code, other)}" hreflang="${other}">${say(other, "Đọc toàn văn bằng tiếng Việt", "Read all of it in English")}</a>
    </p>
  </section>`;
}

/** A part that did not fit: an item by its number, or `areas`; undefined when there is none. */
export function renderPartPage(
  facts: PageFacts,
  entry: Entry,
  publication: Publication,
  part: string,
): string | undefined {
  const { language } = facts;
  const { content, code } = publication;
  const item = /^[1-9]\d?$/u.test(part) ? content.items[Number(part) - 1] : undefined;
  if (!item && part !== "areas") return undefined;
  const t = (vi: string, en: string): string => say(language, vi, en);
  const title = item ? item.title[language] : t("Nơi áp dụng", "Where it applies");
  const drill = content.type === "Actual" ? undefined : renderDrillBand(language, content.type);
  return renderPage(
    headOf(facts, publication, `${title} · ${content.number}`, `/${part}`),
    markup`${drill} ${renderState(facts, entry)}
      <p class="issuer">${publication.account.name[language]}</p>
      <p>
        <a href="${pagePath(code, language)}">${t("Bản tin số", "Bulletin")} ${content.number}: ${content.texts[language].headline}</a>
      </p>
      <h1>${item && sayCategory(language, item)}${title}</h1>
      ${item ? paragraphs(item.text[language]) : renderAreaList(language, publication.areas)}
      ${drill}`,
  );
}
