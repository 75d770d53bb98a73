// "Kiểm tra thông báo": somebody got a notice and asks whether it is ours, whether it still holds,
// and whether it was altered. Every answer names its limits: a code that exists does not prove the
// text beside it, and what is not found here may be another authority's.
import { formatShortCode, SHORT_CODE_LENGTH } from "@loa/model/short-code.ts";
import type { Entry } from "../archive.ts";
import { pagePath } from "../compose.ts";
import { type Match, MATCHED_MAX, PASTE_MAX, PASTE_WORDS_MIN } from "../match.ts";
import type { Publication } from "../publication.ts";
import { markup, type Html } from "./html.ts";
import { inLanguage, renderDrillBand, renderPage } from "./layout.ts";
import { type PageFacts, renderState } from "./state.ts";
import { say, sayDocument, sayTime } from "./words.ts";

/** What somebody asked, and what was found. */
export type CheckResult =
  | { readonly kind: "asked-nothing" }
  | { readonly kind: "code-mistyped" }
  | { readonly kind: "no-code" }
  | { readonly kind: "code-unknown"; readonly code: string }
  | { readonly kind: "code-found"; readonly entry: Entry; readonly publication: Publication }
  | { readonly kind: "text"; readonly match: Match; readonly entry: Entry | undefined }
  | { readonly kind: "text-too-long" }
  | { readonly kind: "busy" };

export function renderCheckPage(
  facts: PageFacts,
  result: CheckResult,
  isInvented: boolean,
): string {
  const { language, origin } = facts;
  const t = (vi: string, en: string): string => say(language, vi, en);
  const answer = renderAnswer(facts, result);
  return renderPage(
    {
      language,
      title: `${answer ? `${t("Kết quả", "Result")} · ` : ""}${t("Kiểm tra thông báo", "Check a notice")}`,
      paths: { vi: "/check", en: "/en/check" },
      isInvented,
    },
    markup`<h1>${t("Kiểm tra thông báo", "Check a notice")}</h1>
      ${answer && markup`<section aria-label="${t("Kết quả", "Result")}">${answer}</section>`}
      ${!answer && markup`<p>${t("Nhận được một cảnh báo, công điện hay thông báo và không chắc có thật hay không? Kiểm tra tại đây bằng một trong ba cách.", "Did you receive a warning, order or notice and are not sure that it is genuine? Check it here in one of three ways.")}</p>`}
      <h2>${t("Bằng mã bản tin", "By its code")}</h2>
      <form action="${inLanguage(language, "/check")}" method="get">
        <label for="code">${t(`Mã gồm ${SHORT_CODE_LENGTH} chữ và số, in cạnh mã QR`, `The code of ${SHORT_CODE_LENGTH} letters and digits beside the QR code`)}</label>
        <input
          id="code"
          name="code"
          maxlength="40"
          autocomplete="off"
          autocapitalize="characters"
          spellcheck="false"
          required
        />
        <button>${t("Kiểm tra mã", "Check the code")}</button>
      </form>
      <h2>${t("Bằng nội dung", "By its text")}</h2>
      <form action="${inLanguage(language, "/check")}" method="post" accept-charset="utf-8">
        <label for="text">${t("Dán nội dung nhận được", "Paste the text that you received")}</label>
        <textarea id="text" name="text" rows="7" maxlength="${PASTE_MAX}" required></textarea>
        <button>${t("Kiểm tra nội dung", "Check the text")}</button>
      </form>
      <p class="quiet">
        ${t("Nội dung dán vào không được lưu lại.", "What you paste is not kept.")}
      </p>
      <h2>${t("Bằng mã QR", "By its QR code")}</h2>
      <p>
        ${t("Mở máy ảnh điện thoại và quét mã QR trên thông báo. Trang mở ra phải có địa chỉ bắt đầu bằng", "Scan the QR code on the notice with your phone's camera. The address of the page that opens must begin with")}
        <b>${origin}/</b>
      </p>
      <h2>${t("Giới hạn của việc kiểm tra", "What this check cannot do")}</h2>
      <ul>
        <li>
          ${t(`Trang này chỉ biết bản tin do hệ thống này phát; nội dung dán vào được so với ${MATCHED_MAX} bản tin mới nhất.`, `It knows only the bulletins of this system; a text is compared with the newest ${MATCHED_MAX}.`)}
        </li>
        <li>
          ${t("Không tìm thấy chưa chắc là giả: cơ quan khác có thể đã phát. Hãy hỏi Ủy ban nhân dân xã, phường hoặc tổng đài 1022.", "Not found does not prove a forgery: another authority may have issued it. Ask your commune's People's Committee or the 1022 line.")}
        </li>
        <li>
          ${t("Hình ảnh, tệp ghi âm và đường dẫn kèm theo không được kiểm tra.", "Pictures, recordings and links that came with it are not checked.")}
        </li>
      </ul>`,
  );
}

function verdict(
  kind: "in-force" | "over" | "cancelled" | "unsure",
  title: string,
  more: string | Html,
): Html {
  return markup`<div class="state ${kind}">
    <b>${title}</b>
    <p>${more}</p>
  </div>`;
}

function renderAnswer(facts: PageFacts, result: CheckResult): Html | undefined {
  const t = (vi: string, en: string): string => say(facts.language, vi, en);
  switch (result.kind) {
    case "asked-nothing":
      return undefined;
    case "no-code":
      return verdict(
        "unsure",
        t("KHÔNG PHẢI MÃ BẢN TIN", "NOT A BULLETIN CODE"),
        t(
          `Mã bản tin có ${SHORT_CODE_LENGTH} chữ và số, ví dụ K7Q-M2F-XDP.`,
          `A bulletin code has ${SHORT_CODE_LENGTH} letters and digits, such as K7Q-M2F-XDP.`,
        ),
      );
    case "code-mistyped":
      return verdict(
        "unsure",
        t("MÃ BỊ GÕ NHẦM", "THE CODE WAS MISTYPED"),
        t(
          "Không bản tin nào có thể mang mã này. Hãy xem lại từng chữ và số.",
          "No bulletin can have this code. Look at each letter and digit again.",
        ),
      );
    case "code-unknown":
      return verdict(
        "cancelled",
        t("KHÔNG PHẢI BẢN TIN CỦA HỆ THỐNG NÀY", "NOT OURS"),
        t(
          `Hệ thống này chưa phát bản tin nào có mã ${formatShortCode(result.code)}. Chưa nên tin và không chuyển tiếp thông báo mang mã này.`,
          `This system has issued no bulletin with the code ${formatShortCode(result.code)}. Do not trust a notice with this code, and do not pass it on.`,
        ),
      );
    case "code-found":
      return markup`${renderFound(facts, result.entry, result.publication)}
        <p>
          ${t("Mã này có thật, nhưng có thể bị chép sang một thông báo khác. Hãy so nội dung bạn nhận được với bản gốc, hoặc dán nội dung vào ô bên dưới.", "The code exists, but it may have been copied onto another notice. Compare what you received with the original, or paste its text below.")}
        </p>`;
    case "text-too-long":
      return verdict(
        "unsure",
        t("NỘI DUNG QUÁ DÀI", "THE TEXT IS TOO LONG"),
        t(
          `Chỉ kiểm tra được tối đa ${PASTE_MAX} ký tự.`,
          `At most ${PASTE_MAX} characters can be checked.`,
        ),
      );
    case "busy":
      return verdict(
        "unsure",
        t("HỆ THỐNG ĐANG BẬN", "THE SYSTEM IS BUSY"),
        t(
          "Nội dung chưa được kiểm tra. Hãy thử lại sau ít phút, hoặc kiểm tra bằng mã.",
          "The text was not checked. Try again in a few minutes, or use the code.",
        ),
      );
    case "text":
      return renderMatch(facts, result.match, result.entry);
  }
}

function renderMatch(facts: PageFacts, match: Match, entry: Entry | undefined): Html {
  const t = (vi: string, en: string): string => say(facts.language, vi, en);
  if (match.kind === "too-short")
    return verdict(
      "unsure",
      t("NỘI DUNG QUÁ NGẮN", "THE TEXT IS TOO SHORT"),
      t(
        `Cần ít nhất ${PASTE_WORDS_MIN} từ. Hãy dán toàn bộ nội dung nhận được.`,
        `At least ${PASTE_WORDS_MIN} words are needed. Paste all that you received.`,
      ),
    );
  if (match.kind === "unknown" || !entry)
    return verdict(
      "cancelled",
      t("KHÔNG TÌM THẤY", "NOT FOUND"),
      t(
        "Nội dung này không giống bản tin nào do hệ thống này phát. Chưa nên tin và không chuyển tiếp; hãy hỏi cơ quan có thẩm quyền. Cần cứu nạn, gọi 112.",
        "This text is like no bulletin of this system. Do not trust it yet, and do not pass it on; ask the authority. For rescue call 112.",
      ),
    );
  const { source, sameness, differences } = match;
  const found = renderFound(facts, entry, source.publication);
  const hidden = match.hadHidden
    ? markup`<p>
        <b>${t("Nội dung có chứa ký tự ẩn, là dấu hiệu có thể đã bị can thiệp.", "The text holds hidden characters, which may be a sign of tampering.")}</b>
      </p>`
    : "";
  if (sameness === "altered")
    return markup`${verdict("cancelled", t("ĐÃ BỊ SỬA ĐỔI", "ALTERED"), t("Nội dung này dựa trên bản tin dưới đây nhưng khác bản đã được duyệt. Hãy theo bản gốc.", "This text comes from the bulletin below, but differs from what was approved. Follow the original."))}
      ${hidden}
      ${differences ? renderDifferences(facts, differences) : markup`<p>${t("Văn bản quá dài để chỉ ra từng chỗ khác.", "The texts are too long to show each difference.")}</p>`}
      <h2>${t("Bản gốc", "The original")}</h2>
      ${found}`;
  const words =
    sameness === "whole"
      ? t("Từng từ giống bản đã được duyệt", "Word for word what was approved")
      : t(
          "Là một phần của bản đã được duyệt, không từ nào bị sửa",
          "Part of what was approved, no word altered",
        );
  const marks = match.isWithoutMarks
    ? t(" (so sánh không dấu)", " (compared without accents)")
    : "";
  return markup`${found}
    <p>
      <b>${words}${marks}.</b>
      ${sameness === "excerpt" && t("Hãy đọc toàn văn trước khi làm theo.", "Read all of it before you act.")}
    </p>
    ${hidden}`;
}

/** Said of a bulletin that is ours: exercise or not, its state, and where to read it. */
function renderFound(facts: PageFacts, entry: Entry, publication: Publication): Html {
  const { language } = facts;
  const { content, account, code } = publication;
  const t = (vi: string, en: string): string => say(language, vi, en);
  const drill = content.type === "Actual" ? undefined : renderDrillBand(language, content.type);
  return markup`${drill}
    <div class="genuine">
      <b>${t("BẢN TIN THẬT", "GENUINE")}</b>
      <p>${account.name[language]}</p>
      <p>
        ${sayDocument(language, content)} ${t("số", "No.")} ${content.number},
        ${sayTime(language, new Date(entry.issuedAtMs))}, ${t("mã", "code")}
        ${formatShortCode(code)}
      </p>
      <p>
        <a href="${pagePath(code, language)}"><b>${content.texts[language].headline}</b></a>
      </p>
    </div>
    ${renderState(facts, entry)}`;
}

function renderDifferences(
  { language }: PageFacts,
  differences: readonly { kind: "same" | "added" | "missing"; text: string }[],
): Html {
  const t = (vi: string, en: string): string => say(language, vi, en);
  const runs = differences.map(({ kind, text }) =>
    kind === "same"
      ? markup`${text} `
      : kind === "added"
        ? markup`<del>[${t("thêm", "added")}: ${text}]</del> `
        : markup`<ins>[${t("bản gốc", "original")}: ${text}]</ins> `,
  );
  return markup`<h2>${t("Chỗ khác với bản đã duyệt", "Where it differs from what was approved")}</h2>
    <p class="diff">${runs}</p>`;
}
