// A complete typhoon order for Sông Lụa, the invented province: what demonstrations, drills and
// tests send. Storm, province and numbers are invented; wording and form are those in use.
import type { BulletinKind, BulletinType } from "./bulletin-type.ts";
import {
  type BulletinContent,
  type Forms,
  type Item,
  markOf,
  type PublicTestContent,
} from "./bulletin.ts";
import type { ChannelName } from "./endpoint.ts";
import { formatLocalTime } from "./local-time.ts";
import type { AudienceRule, Target } from "./target.ts";
import { type Language, LANGUAGES } from "./text.ts";

export interface TyphoonOptions {
  readonly type: BulletinType;
  readonly target: Target;
  readonly channels: readonly ChannelName[];
  readonly now: Date;
  readonly audienceRule?: AudienceRule;
  readonly kind?: BulletinKind;
  readonly incidentId?: string | null;
  /** Hours from `now` to expiry. */
  readonly hours?: number;
}

const TEXTS: Readonly<Record<Language, Forms>> = {
  vi: {
    headline: "Bão số 9 sắp đổ bộ Sông Lụa: sơ tán dân vùng cửa sông, ven biển trước 19 giờ",
    short:
      "Bão số 9 gió cấp 11, giật cấp 14, dự kiến vào bờ đêm nay. Người dân vùng cửa sông, ven biển " +
      "sơ tán trước 19 giờ theo hướng dẫn của trưởng thôn. Cần cứu nạn gọi 112.",
    full:
      "Theo tin bão khẩn cấp của Đài Khí tượng Thủy văn tỉnh Sông Lụa, đêm nay bão số 9 đi vào vùng " +
      "bờ biển tỉnh với sức gió mạnh nhất cấp 11, giật cấp 14; nước dâng kết hợp triều cường cao " +
      "2,0 đến 3,0 mét.\n\n" +
      "Trưởng Ban Chỉ huy Phòng thủ dân sự tỉnh yêu cầu:\n" +
      "1. Sơ tán toàn bộ người dân ở vùng cửa sông, ven biển, ngoài đê và trên lồng bè đến nơi trú " +
      "tránh an toàn trước 19 giờ hôm nay.\n" +
      "2. Cấm người dân ra đường từ 20 giờ cho đến khi có thông báo mới, trừ lực lượng làm nhiệm vụ.\n" +
      "3. Tàu thuyền vào nơi neo đậu; không để người ở lại trên tàu, lồng bè, chòi canh.\n" +
      "4. Chằng chống nhà cửa, cắt điện khi nước vào nhà, dự trữ nước uống và lương thực ba ngày.\n\n" +
      "Khi cần cứu nạn, gọi 112.",
    spoken:
      "Bà con chú ý. Bão số 9 sẽ vào bờ biển Sông Lụa đêm nay, gió rất mạnh, nước biển dâng cao. " +
      "Bà con ở vùng cửa sông, ven biển và ngoài đê phải sơ tán trước mười chín giờ hôm nay, theo " +
      "hướng dẫn của trưởng thôn. Từ hai mươi giờ, không ra khỏi nhà. Cần cứu nạn, gọi một một hai.",
  },
  en: {
    headline: "Typhoon No. 9 about to reach Sông Lụa: leave river mouths and coast before 19:00",
    short:
      "Typhoon No. 9, wind force 11, gusts 14, makes landfall tonight. People at river mouths and " +
      "the coast leave before 19:00, guided by your village head. For rescue call 112.",
    full:
      "According to the urgent typhoon bulletin of the Sông Lụa hydrometeorological station, typhoon " +
      "No. 9 reaches the coast of the province tonight with winds of force 11, gusts of force 14, and " +
      "a surge with high tide of 2.0 to 3.0 metres.\n\n" +
      "The head of the provincial civil defence command orders:\n" +
      "1. Everyone at river mouths, on the coast, outside the dykes and on fish rafts moves to a safe " +
      "shelter before 19:00 today.\n" +
      "2. Nobody goes outdoors from 20:00 until further notice, except forces on duty.\n" +
      "3. Boats go to their moorings; nobody stays on boats, rafts or watch huts.\n" +
      "4. Brace houses, cut the power when water enters, keep water and food for three days.\n\n" +
      "For rescue call 112.",
    spoken:
      "Attention please. Typhoon number nine reaches the coast of Sông Lụa tonight, with very strong " +
      "wind and high water. People at river mouths, on the coast and outside the dykes must leave " +
      "before nineteen hundred today, as your village head tells you. From twenty hundred stay " +
      "indoors. For rescue, call one one two.",
  },
};

const ITEMS: readonly Item[] = [
  {
    category: "shelters",
    title: { vi: "Nơi trú tránh", en: "Shelters" },
    text: {
      vi: "Trường trung học cơ sở, trụ sở Ủy ban nhân dân và nhà văn hóa kiên cố của mỗi xã mở cửa từ 14 giờ.",
      en: "The secondary school, the People's Committee and solid culture houses of each commune open at 14:00.",
    },
  },
  {
    category: "how-to-prepare",
    title: { vi: "Chuẩn bị trước khi bão vào", en: "Before the typhoon" },
    text: {
      vi: "Sạc đầy điện thoại và đèn pin, mang theo giấy tờ, thuốc men, nước uống và quần áo ấm.",
      en: "Charge phones and torches; take papers, medicine, drinking water and warm clothes.",
    },
  },
];

/** The typhoon order as a content of the wanted type, marked as that type demands. */
export function typhoonContent(options: TyphoonOptions): BulletinContent {
  const { type, target, channels, now } = options;
  const common = {
    kind: options.kind ?? "warning",
    nature: "order" as const,
    number: "09/CĐ-PTDS",
    legalBasis: [
      "Luật Phòng, chống thiên tai số 33/2013/QH13",
      "Quyết định 18/2021/QĐ-TTg ngày 22/4/2021 của Thủ tướng Chính phủ",
    ],
    signatory: {
      name: null,
      post: {
        vi: "Trưởng Ban Chỉ huy Phòng thủ dân sự tỉnh Sông Lụa",
        en: "Head of the Civil Defence Command, Sông Lụa province",
      },
    },
    source: {
      body: "Đài Khí tượng Thủy văn tỉnh Sông Lụa",
      number: "SLUA-09/KC-05",
      time: formatLocalTime(new Date(now.getTime() - 30 * 60_000)),
    },
    incidentId: options.incidentId ?? null,
    hazard: "storm" as const,
    alongside: ["storm-surge" as const],
    riskLevel: 4 as const,
    texts: markTexts(TEXTS, type),
    items: ITEMS,
    target,
    audienceRule: options.audienceRule ?? "residents",
    channels,
    expiresAt: formatLocalTime(new Date(now.getTime() + (options.hours ?? 12) * 3_600_000)),
  };
  switch (type) {
    case "Actual":
      return { ...common, type };
    case "Exercise":
      return { ...common, type, exerciseName: "Diễn tập phòng, chống bão tỉnh Sông Lụa" };
    case "PublicTest": {
      const content: PublicTestContent = {
        ...common,
        type,
        kind: "notice",
        announcement: {
          where: "Đài Phát thanh và Truyền hình Sông Lụa, Cổng thông tin điện tử tỉnh",
          at: formatLocalTime(new Date(now.getTime() - 72 * 3_600_000)),
        },
      };
      return content;
    }
  }
}

/** Puts the mark of a type before every form that does not carry it yet. */
export function markTexts(
  texts: Readonly<Record<Language, Forms>>,
  type: BulletinType,
): Record<Language, Forms> {
  const mark = markOf(type);
  const marked = (language: Language): Forms => {
    const { headline, short, full, spoken } = texts[language];
    const put = (text: string): string =>
      mark === undefined || text.startsWith(mark[language]) ? text : `${mark[language]} - ${text}`;
    return { headline: put(headline), short: put(short), full: put(full), spoken: put(spoken) };
  };
  const [vi, en] = LANGUAGES.map(marked) as [Forms, Forms];
  return { vi, en };
}
