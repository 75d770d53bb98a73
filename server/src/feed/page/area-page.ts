// The way to the page of one's own commune: a form and a list, both without a script. Names are
// found without their marks too, as they are typed on an old telephone.
import type { Language } from "@loa/model/text.ts";
import { markup } from "./html.ts";
import { inLanguage, renderPage } from "./layout.ts";
import { say } from "./words.ts";

/** Units that are listed; whoever looks for another one types its name. */
export const UNITS_SHOWN_MAX = 120;

export interface NamedUnit {
  readonly code: string;
  readonly name: Readonly<Record<Language, string>>;
  readonly within: Readonly<Record<Language, string>> | null;
}

export function renderAreasPage(
  language: Language,
  wanted: string,
  units: readonly NamedUnit[],
  isInvented: boolean,
): string {
  const t = (vi: string, en: string): string => say(language, vi, en);
  const key = fold(wanted);
  const found = units.filter(({ name }) => key === "" || fold(name.vi).includes(key));
  const shown = found.slice(0, UNITS_SHOWN_MAX);
  const title = t("Xem theo xã, phường", "By commune");
  return renderPage(
    { language, title, paths: { vi: "/areas", en: "/en/areas" }, isInvented },
    markup`<h1>${title}</h1>
      <form action="${inLanguage(language, "/areas")}" method="get">
        <label for="name">${t("Tên xã, phường, đặc khu", "Name of the commune")}</label>
        <input
          id="name"
          name="name"
          value="${wanted}"
          maxlength="60"
          autocomplete="address-level3"
        />
        <button>${t("Tìm", "Find")}</button>
      </form>
      ${found.length === 0 && markup`<p>${t("Không có địa bàn nào mang tên này.", "No unit has this name.")}</p>`}
      <ul>
        ${shown.map(renderUnit(language))}
      </ul>
      ${found.length > shown.length && markup`<p>${t(`Và ${found.length - shown.length} địa bàn khác; hãy gõ tên để tìm.`, `And ${found.length - shown.length} more; type a name to find them.`)}</p>`}`,
  );
}

/** A unit that is no more, and the units of today in which its area is. */
export interface FormerUnit {
  readonly code: string;
  readonly name: string | null;
  readonly into: readonly NamedUnit[];
}

/** For those who come by an old link or code: nobody can say for them where in it they live. */
export function renderFormerPage(
  language: Language,
  { code, name, into }: FormerUnit,
  isInvented: boolean,
): string {
  const t = (vi: string, en: string): string => say(language, vi, en);
  const path = `/a/${encodeURIComponent(code)}`;
  const called = name ?? t(`Địa bàn mã ${code}`, `The unit with code ${code}`);
  const title = t(`${called} (đơn vị hành chính cũ)`, `${called} (former unit)`);
  return renderPage(
    { language, title, paths: { vi: path, en: `/en${path}` }, isInvented },
    markup`<h1>${title}</h1>
      <p>
        ${t("Sau khi sắp xếp đơn vị hành chính, địa bàn này nay thuộc nhiều đơn vị. Hãy chọn đơn vị nơi đang cư trú để xem các bản tin đang có hiệu lực.", "After the boundaries were redrawn, this area is now in several units. Choose the one where you live to see what is in force.")}
      </p>
      <ul>
        ${into.map(renderUnit(language))}
      </ul>`,
  );
}

const renderUnit =
  (language: Language) =>
  ({ code, name, within }: NamedUnit) =>
    markup`<li><a href="${inLanguage(language, `/a/${encodeURIComponent(code)}`)}">${name[language]}</a>${within && ` (${within[language]})`}</li> `;

const fold = (text: string): string =>
  text.normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase().replaceAll("đ", "d").trim();
