// Lists: what is in force and what was, for everything, one area, one account's incident, or the
// exercises. Warnings stand before notices, higher levels before lower, newer before older.
import type { Bilingual, Language } from "@loa/model/text.ts";
import { HAZARDS } from "@loa/model/hazard.ts";
import type { Choice, Entry } from "../archive.ts";
import { pagePath } from "../compose.ts";
import type { Publication } from "../publication.ts";
import { capitalize, markup, type Html } from "./html.ts";
import { inLanguage, renderPage } from "./layout.ts";
import { type PageFacts, sayState } from "./state.ts";
import { KIND_WORDS, say, sayLevel, sayTime } from "./words.ts";

/** Bulletins on one page of a list: as many as 30 kB hold when all are long. */
export const LIST_PAGE_ROWS = 20;

export interface ListPage {
  readonly choice: Choice;
  /** Of the first page, in Vietnamese. */
  readonly path: string;
  readonly title: Bilingual;
  readonly isInvented: boolean;
  /** From 1. */
  readonly number: number;
  /** Folder of its feeds. */
  readonly feeds: string;
}

interface Row {
  readonly entry: Entry;
  readonly publication: Publication;
  readonly isInForce: boolean;
}

/** Undefined when there is no such page. */
export function renderListPage(facts: PageFacts, list: ListPage): string | undefined {
  const { archive, language, now } = facts;
  const { number, choice } = list;
  const all = archive.list(choice);
  const inForce = all.filter((entry) => archive.stateAt(entry, now).kind === "in-force");
  const forced = new Set(inForce);
  const rowOf = (entry: Entry): Row[] => {
    const publication = archive.publication(entry);
    return publication ? [{ entry, publication, isInForce: forced.has(entry) }] : [];
  };
  const first = inForce.flatMap(rowOf).toSorted((a, b) => weight(b) - weight(a));
  const holding = first.filter(isNoCancel);
  const ended = all.filter((entry) => !forced.has(entry));
  const from = (number - 1) * LIST_PAGE_ROWS;
  if (number > 1 && from >= all.length) return undefined;
  const shown = first.slice(from, from + LIST_PAGE_ROWS);
  const endedFrom = Math.max(0, from - first.length);
  const past = ended.slice(endedFrom, endedFrom + LIST_PAGE_ROWS - shown.length).flatMap(rowOf);
  const t = (vi: string, en: string): string => say(language, vi, en);
  const paths = {
    vi: withNumber(list.path, number),
    en: withNumber(inLanguage("en", list.path), number),
  };
  const links = [
    { type: "application/atom+xml", href: `${list.feeds}${choice.shelf}.atom` },
    { type: "application/geo+json", href: `${list.feeds}${choice.shelf}.geojson` },
  ];
  // Names of places are written small in running text: `xã Bến Lụa`.
  const title = capitalize(list.title[language]);
  return renderPage(
    { language, title, paths, isInvented: list.isInvented, links },
    markup`${
      choice.shelf === "exercises" &&
      all.length > 0 &&
      markup`<div class="stripes"></div>
          <p class="drill">
            <b>${t("DIỄN TẬP, THỬ NGHIỆM", "EXERCISES, TESTS")}</b>${t("Các bản tin dưới đây không phản ánh thiên tai, sự cố đang xảy ra.", "Nothing that these bulletins describe is happening.")}
          </p>`
    }
      <h1>${title}</h1>
      ${all.length > 0 && markup`<p class="quiet">${t("Thay đổi gần nhất lúc", "Last changed at")} ${sayTime(language, lastChange(facts, all))}</p>`}
      ${number === 1 && holding.length === 0 && markup`<p class="none">${sayNone(language, choice)}</p>`}
      ${renderSection(facts, t("Đang có hiệu lực", "In force"), shown.filter(isNoCancel), holding.length)}
      ${renderSection(
        facts,
        t("Thông báo thu hồi", "Cancellations"),
        shown.filter((row) => !isNoCancel(row)),
        first.length - holding.length,
      )}
      <div class="past">
        ${renderSection(facts, t("Đã kết thúc", "Ended"), past, ended.length)}
      </div>
      ${renderTurn(facts, list, all.length)}
      ${choice.area === undefined && choice.shelf === "alerts" && markup`<p class="screen"><a href="${inLanguage(language, "/areas")}">${t("Xem theo xã, phường", "By commune")}</a></p>`}`,
  );
}

const isNoCancel = ({ entry }: Row): boolean => entry.msgType !== "Cancel";

/** @param count of all that there are, on whatever page of the list. */
const renderSection = (
  facts: PageFacts,
  title: string,
  rows: readonly Row[],
  count: number,
): Html | "" =>
  rows.length === 0
    ? ""
    : markup`<h2>${title} (${count})</h2>
        <ul class="list">
          ${rows.map((row) => renderRow(facts, row))}
        </ul>`;

/** When something began or ended last: the list says so, and not when it was rendered. */
function lastChange({ archive, now }: PageFacts, entries: readonly Entry[]): Date {
  const changes = entries.flatMap((entry) => {
    const state = archive.stateAt(entry, now);
    return "at" in state ? [entry.issuedAtMs, state.at.getTime()] : [entry.issuedAtMs];
  });
  return new Date(Math.max(...changes));
}

function sayNone(language: Language, { shelf, area }: Choice): string {
  if (shelf === "exercises")
    return say(
      language,
      "Hiện không có cuộc diễn tập hay tin thử nghiệm nào.",
      "There is no exercise or test at present.",
    );
  return area === undefined
    ? say(
        language,
        "Hiện không có cảnh báo, thông báo nào đang có hiệu lực.",
        "No warning or notice is in force.",
      )
    : say(
        language,
        "Hiện không có cảnh báo, thông báo nào đang có hiệu lực tại địa bàn này.",
        "No warning or notice is in force for this place.",
      );
}

const weight = ({ publication, entry }: Row): number => {
  const { kind, riskLevel } = publication.content;
  const isCancel = entry.msgType === "Cancel";
  return (isCancel ? 0 : kind === "warning" ? 20 : 10) + (isCancel ? 0 : (riskLevel ?? 0));
};

const withNumber = (path: string, number: number): string =>
  number === 1 ? path : `${path}?page=${number}`;

function renderRow({ archive, language, now }: PageFacts, { entry, publication }: Row): Html {
  const { content, account, areas } = publication;
  const { riskLevel } = content;
  const t = (vi: string, en: string): string => say(language, vi, en);
  const state = archive.stateAt(entry, now);
  const names = areas.slice(0, 3).map((area) => area.name[language]);
  const more = areas.length - names.length;
  const where = names.join(", ") + (more > 0 ? t(` và ${more} nơi khác`, ` and ${more} more`) : "");
  const until =
    state.kind === "in-force" && entry.msgType !== "Cancel"
      ? ` ${t("đến", "until")} ${sayTime(language, new Date(entry.expiresAtMs))}`
      : "";
  return markup`<li>
    ${riskLevel !== null && markup`<span class="level l${riskLevel}">${sayLevel(language, riskLevel)}</span>`}
    <h3><a href="${pagePath(entry.code, language)}">${content.texts[language].headline}</a></h3>
    <p>
      ${KIND_WORDS[content.kind][language]}: ${HAZARDS[content.hazard].name[language]} · ${where}
    </p>
    <p class="quiet">
      ${account.name[language]}, ${t("số", "No.")} ${content.number},
      ${sayTime(language, new Date(entry.issuedAtMs))}
    </p>
    <p class="tag">${capitalize(sayState(language, entry, state))}${until}</p>
  </li> `;
}

function renderTurn({ language }: PageFacts, { path, number }: ListPage, total: number): Html | "" {
  const last = Math.max(1, Math.ceil(total / LIST_PAGE_ROWS));
  if (last === 1) return "";
  const t = (vi: string, en: string): string => say(language, vi, en);
  const to = (target: number, words: string): Html =>
    markup`<a href="${withNumber(inLanguage(language, path), target)}">${words}</a> `;
  return markup`<p>
    ${number > 1 && to(number - 1, t("← Trang trước", "← Previous"))}${t("Trang", "Page")}
    ${number}/${last} ${number < last && to(number + 1, t("Trang sau →", "Next →"))}
  </p>`;
}
