// What every public page has around its content: language, title, the way to the other pages and to
// the same page in the other language. No script, no cookie, nothing from elsewhere.
import type { Language } from "@loa/model/text.ts";
import { markup, Html } from "./html.ts";
import { STYLE } from "./style.ts";
import { INVENTED_NOTE, say, SITE } from "./words.ts";

/** A page that takes longer than this over an old phone's connection is not read. */
export const PAGE_BYTES_MAX = 30_000;

export interface PageHead {
  readonly language: Language;
  readonly title: string;
  /** Of this page in Vietnamese and in English. */
  readonly paths: Readonly<Record<Language, string>>;
  readonly isInvented: boolean;
  /** Machine-readable forms of the same. */
  readonly links?: readonly { readonly type: string; readonly href: string }[];
}

/** The path of a page that has one in each language. */
export const inLanguage = (language: Language, path: string): string =>
  language === "vi" ? path : path === "/" ? "/en" : `/en${path}`;

export function renderPage(head: PageHead, main: Html): string {
  const { language, title, paths } = head;
  const other = language === "vi" ? "en" : "vi";
  const t = (vi: string, en: string): string => say(language, vi, en);
  const { text } = markup`<!doctype html>
    <html lang="${language}">
      <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>${title}</title>
        <link rel="alternate" hreflang="${other}" href="${paths[other]}">
        ${(head.links ?? []).map(({ type, href }) => markup`<link rel="alternate" type="${type}" href="${href}">`)}
        <style>${new Html(STYLE)}</style>
      </head>
      <body>
        <a class="skip" href="#main">${t("Đến nội dung chính", "To the content")}</a>
        <header class="site">
          <div class="wide">
            <a class="name" href="${inLanguage(language, "/")}">${SITE[language]}</a>
            <nav aria-label="${t("Các trang", "Pages")}">
              <ul>
                <li>
                  <a href="${inLanguage(language, "/")}">${t("Đang có hiệu lực", "In force")}</a>
                </li>
                <li>
                  <a href="${inLanguage(language, "/check")}">${t("Kiểm tra thông báo", "Check a notice")}</a>
                </li>
                <li>
                  <a href="${paths[other]}" hreflang="${other}" lang="${other}">${other === "en" ? "English" : "Tiếng Việt"}</a>
                </li>
              </ul>
            </nav>
          </div>
        </header>
        <main id="main" class="wide">
          ${head.isInvented && markup`<p class="note">${INVENTED_NOTE[language]}</p>`} ${main}
        </main>
        <footer class="wide">
          <p>
            ${t("Cần cứu nạn, cứu hộ: gọi", "For rescue call")} <a href="tel:112"><b>112</b></a>.
            ${t("Giờ ghi trên trang là giờ Việt Nam (UTC+7).", "Times are those of Vietnam (UTC+7).")}
          </p>
          <p class="screen">
            <a href="${inLanguage(language, "/exercises")}">${t("Diễn tập và tin thử nghiệm", "Exercises and tests")}</a>
            · <a href="/feeds/alerts.atom">Atom</a> · <a href="/feeds/alerts.geojson">GeoJSON</a>
          </p>
        </footer>
      </body>
    </html>
`;
  // Empty lines are what left-out parts leave behind.
  return text.replaceAll(/\n{2,}/gu, "\n");
}

/** What stands above all else on a page about an exercise or a test, also without the style. */
export function renderDrillBand(language: Language, type: "Exercise" | "PublicTest"): Html {
  const t = (vi: string, en: string): string => say(language, vi, en);
  return type === "Exercise"
    ? markup`<div class="stripes"></div>
        <p class="drill">
          <b>${t("DIỄN TẬP", "EXERCISE")}</b>${t("Đây là nội dung diễn tập. Không có thiên tai, sự cố nào đang xảy ra theo nội dung này.", "This is part of an exercise. Nothing that it describes is happening.")}
        </p>`
    : markup`<div class="stripes"></div>
        <p class="drill">
          <b>${t("TIN THỬ NGHIỆM", "TEST MESSAGE")}</b>${t("Đây là tin thử nghiệm hệ thống cảnh báo. Người dân không cần làm gì.", "This is a test of the warning system. You need not do anything.")}
        </p>`;
}
