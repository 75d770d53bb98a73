// What a bulletin is now, said so that nobody misses it: in words first, with colour beside them.
import { formatShortCode } from "@loa/model/short-code.ts";
import type { ChainStep } from "@loa/model/chain-step.ts";
import type { Bilingual, Language } from "@loa/model/text.ts";
import type { Archive, Entry } from "../archive.ts";
import { pagePath } from "../compose.ts";
import type { PublicState } from "../publication.ts";
import { markup, type Html } from "./html.ts";
import { say, sayTime } from "./words.ts";

export interface PageFacts {
  readonly archive: Archive;
  readonly now: Date;
  /** Origin of the public pages. */
  readonly origin: string;
  readonly language: Language;
}

/** `đã được thay thế lúc 11:00 ngày 24/11/2026`: for lists. */
export function sayState(language: Language, entry: Entry, state: PublicState): string {
  const at = "at" in state ? sayTime(language, state.at) : "";
  switch (state.kind) {
    case "in-force":
      return IN_FORCE_WORDS[entry.step][language];
    case "replaced":
      if (state.step === "correction")
        return say(language, `đã được đính chính lúc ${at}`, `corrected at ${at}`);
      return state.step === "last"
        ? say(
            language,
            `đã được thay thế bằng tin cuối cùng lúc ${at}`,
            `replaced by the last bulletin at ${at}`,
          )
        : say(language, `đã được thay thế lúc ${at}`, `replaced at ${at}`);
    case "cancelled":
      return say(language, `đã thu hồi lúc ${at}`, `cancelled at ${at}`);
    case "expired":
      return say(language, `hết hiệu lực từ ${at}`, `expired at ${at}`);
  }
}

const IN_FORCE_WORDS: Readonly<Record<ChainStep, Bilingual>> = {
  alert: { vi: "đang có hiệu lực", en: "in force" },
  update: { vi: "đang có hiệu lực", en: "in force" },
  correction: { vi: "bản đính chính, đang có hiệu lực", en: "correction, in force" },
  last: { vi: "tin cuối cùng, đang có hiệu lực", en: "last bulletin, in force" },
  cancel: { vi: "thông báo thu hồi", en: "notice of cancellation" },
};

/** The block at the head of a bulletin's page. */
export function renderState(facts: PageFacts, entry: Entry): Html {
  const { archive, language, now } = facts;
  const t = (vi: string, en: string): string => say(language, vi, en);
  const state = archive.stateAt(entry, now);
  const current = archive.current(entry, now);
  const link = (to: Entry, words: string): Html =>
    markup`<p>
      <a href="${pagePath(to.code, language)}"><b>${words}</b></a>
    </p>`;
  const present =
    current && current !== entry
      ? link(current, t("Đọc bản đang có hiệu lực", "Read the one in force"))
      : "";
  if (entry.msgType === "Cancel" && state.kind === "in-force")
    return markup`<div class="state cancelled">
      <b>${t("THÔNG BÁO THU HỒI", "CANCELLATION")}</b>
      <p>
        ${t("Bản tin nêu dưới đây không còn giá trị.", "The bulletin named below no longer holds.")}
      </p>
      ${present}
    </div>`;
  switch (state.kind) {
    case "in-force":
      if (entry.shelf === "exercises")
        return markup`<div class="state over"><b>${t("CHỈ CÓ GIÁ TRỊ TRONG DIỄN TẬP, THỬ NGHIỆM", "VALID WITHIN THE EXERCISE OR TEST ONLY")}</b>
          <p>${t("Đến", "Until")} ${sayTime(language, new Date(entry.expiresAtMs))}.</p></div>`;
      return markup`<div class="state in-force">
        <b>${t("ĐANG CÓ HIỆU LỰC", "IN FORCE")}</b>
        <p>
          ${t("Đến", "Until")} ${sayTime(language, new Date(entry.expiresAtMs))},
          ${t("nếu không có bản tin thay thế hoặc thu hồi sớm hơn.", "unless it is replaced or cancelled before.")}
        </p>
        ${entry.step === "last" && markup`<p>${t("Đây là tin cuối cùng: sẽ không có bản tin tiếp theo trong chuỗi này.", "This is the last bulletin of its chain; no other will follow.")}</p>`}
        <p class="paper">
          ${t("Sau khi in, bản tin có thể đã được thay thế hoặc thu hồi. Quét mã QR ở cuối để xem tình trạng hiện tại.", "Since it was printed it may have been replaced or cancelled. Scan the QR code at the end to see how it stands.")}
        </p>
      </div>`;
    case "replaced": {
      const by = archive.byCode(state.by);
      const isCorrected = state.step === "correction";
      return markup`<div class="state over">
        <b>${isCorrected ? t("ĐÃ ĐƯỢC ĐÍNH CHÍNH", "CORRECTED") : t("ĐÃ ĐƯỢC THAY THẾ", "REPLACED")}</b>
        <p>
          ${isCorrected ? t("Đã được đính chính lúc", "Corrected at") : t("Đã được thay thế lúc", "Replaced at")}
          ${sayTime(language, state.at)}.
          ${t("Không làm theo bản cũ này.", "Do not act on this old version.")}
        </p>
        ${present || (by ? link(by, t("Đọc bản thay thế", "Read what replaced it")) : "")}
      </div>`;
    }
    case "cancelled":
      return markup`<div class="state cancelled">
        <b>${t("ĐÃ THU HỒI", "CANCELLED")}</b>
        <p>
          ${t("Đã thu hồi lúc", "Cancelled at")} ${sayTime(language, state.at)}.
          ${t("Nội dung dưới đây không còn giá trị.", "What follows no longer holds.")}
          <a href="${pagePath(state.by, language)}">${t("Đọc thông báo thu hồi", "Read the cancellation")}
            (${formatShortCode(state.by)})</a>
        </p>
        ${present}
      </div>`;
    case "expired":
      return markup`<div class="state over">
        <b>${t("HẾT HIỆU LỰC", "EXPIRED")}</b>
        <p>${t("Hết hiệu lực từ", "Expired at")} ${sayTime(language, state.at)}.</p>
        ${present}
      </div>`;
  }
}
