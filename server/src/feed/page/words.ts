// Everything that the public pages say by themselves, in Vietnamese and English. A page is in one
// language, so these are one by one; what a bulletin says is in the bulletin.
import type { BulletinContent, ItemCategory, Nature } from "@loa/model/bulletin.ts";
import type { RiskLevel } from "@loa/model/hazard.ts";
import { formatTimeEn, formatTimeVi } from "@loa/model/local-time.ts";
import type { Bilingual, Language } from "@loa/model/text.ts";

/** The text in one language. */
export const say = (language: Language, vi: string, en: string): string =>
  language === "vi" ? vi : en;

export const sayTime = (language: Language, at: Date): string =>
  language === "vi" ? formatTimeVi(at) : formatTimeEn(at);

export const NATURE_WORDS: Readonly<Record<Nature, Bilingual>> = {
  forecast: { vi: "Bản tin dự báo, cảnh báo", en: "Forecast and warning" },
  order: { vi: "Lệnh, công điện", en: "Order" },
  advice: { vi: "Khuyến cáo", en: "Advice" },
};

/** What a document is called by the sign in its number: Decree 30/2020/NĐ-CP, appendix III. */
const DOCUMENT_WORDS: Readonly<Record<string, string>> = {
  CĐ: "Công điện",
  CT: "Chỉ thị",
  QĐ: "Quyết định",
  TB: "Thông báo",
};

/** `Công điện` for 09/CĐ-PTDS; by its nature where the number does not say it. */
export function sayDocument(
  language: Language,
  { number, nature }: Pick<BulletinContent, "number" | "nature">,
): string {
  const sign = /\/(\p{Lu}+)(?:-|$)/u.exec(number.normalize("NFC"))?.[1] ?? "";
  const named = language === "vi" ? DOCUMENT_WORDS[sign] : undefined;
  return named ?? NATURE_WORDS[nature][language];
}

export const KIND_WORDS = {
  warning: { vi: "Cảnh báo", en: "Warning" },
  notice: { vi: "Thông báo", en: "Notice" },
} as const;

export const CATEGORY_WORDS: Readonly<Record<ItemCategory, Bilingual>> = {
  orders: { vi: "Yêu cầu thực hiện", en: "Orders" },
  "how-to-prepare": { vi: "Cách chuẩn bị", en: "How to prepare" },
  supplies: { vi: "Lương thực, nhu yếu phẩm", en: "Food and supplies" },
  traffic: { vi: "Giao thông", en: "Roads and transport" },
  shelters: { vi: "Nơi trú tránh", en: "Shelters" },
  health: { vi: "Y tế, sức khỏe", en: "Health" },
  other: { vi: "Thông tin khác", en: "Other information" },
};

/** The colour of each level by name: Decision 18/2021/QĐ-TTg, article 4. Never colour alone. */
export const LEVEL_COLOURS: Readonly<Record<RiskLevel, Bilingual>> = {
  1: { vi: "xanh dương nhạt", en: "light blue" },
  2: { vi: "vàng nhạt", en: "light yellow" },
  3: { vi: "da cam", en: "orange" },
  4: { vi: "đỏ", en: "red" },
  5: { vi: "tím", en: "purple" },
};

export const sayLevel = (language: Language, level: RiskLevel): string =>
  say(
    language,
    `Cấp độ rủi ro thiên tai: cấp ${level} (${LEVEL_COLOURS[level].vi})`,
    `Natural disaster risk level: ${level} of 5 (${LEVEL_COLOURS[level].en})`,
  );

export const SITE: Bilingual = {
  vi: "Cảnh báo, thông báo chính thức",
  en: "Official warnings and notices",
};

export const INVENTED_NOTE: Bilingual = {
  vi: "Trang trình diễn. Tỉnh Sông Lụa không có thật; mọi bản tin ở đây là giả định.",
  en: "Demonstration. The province of Sông Lụa does not exist; every bulletin here is invented.",
};
