// What people write in a bulletin: everything that is edited, approved and sent.
//
// The three types are three shapes. An Exercise names its exercise, a PublicTest names where it
// was announced and can only be a notice (no alarm sound); an Actual has neither. What a content
// may hold is checked in bulletin-check.ts; who may change it when, in transition.ts.
import type { BulletinKind, BulletinType } from "./bulletin-type.ts";
import type { ChannelName } from "./endpoint.ts";
import type { Hazard, RiskLevel } from "./hazard.ts";
import type { AudienceRule, Target } from "./target.ts";
import type { Bilingual, Language, TextRule } from "./text.ts";
import type { Wordings } from "./wording.ts";

/** A quoted forecast (bản tin), an order (lệnh, công điện), or advice (khuyến cáo). */
export const NATURES = ["forecast", "order", "advice"] as const;
export type Nature = (typeof NATURES)[number];

export const MSG_TYPES = ["Alert", "Update", "Cancel"] as const;
export type MsgType = (typeof MSG_TYPES)[number];

export const ITEM_CATEGORIES = [
  "orders",
  "how-to-prepare",
  "supplies",
  "traffic",
  "shelters",
  "health",
  "other",
] as const;
export type ItemCategory = (typeof ITEM_CATEGORIES)[number];

/** The authored forms: one per way of reading or hearing it. */
export const FORMS = ["headline", "short", "full", "spoken"] as const;
export type Form = (typeof FORMS)[number];
export type Forms = Readonly<Record<Form, string>>;

/** CAP 1.2: a headline has about 160 characters, and some devices show nothing else. */
export const HEADLINE_MAX = 160;
/** Three to five segments of an SMS in Vietnamese; protects small screens and SMS budgets. */
export const SHORT_MAX = 320;
/** Two languages of this, with headline, short and spoken, fit one frame of 16 KiB. */
export const FULL_MAX = 2_500;
/** About two minutes read aloud; a loudspeaker that talks longer is not listened to. */
export const SPOKEN_MAX = 1_500;
/** In Yagi 138 items went out in 21 bulletins; protects frame and reader. */
export const ITEMS_MAX = 24;
export const ITEM_TITLE_MAX = 120;
/** Items are fetched, not pushed, so they may be long; protects the database. */
export const ITEM_TEXT_MAX = 8_000;
export const NUMBER_MAX = 60;
export const LEGAL_BASIS_MAX = 10;
export const CITATION_MAX = 300;
export const NAME_MAX = 160;
/** Hazards that coincide with the main one. */
export const ALONGSIDE_MAX = 4;
/** A warning that lasts longer is a chain of updates; protects phones from stale alarms. */
export const WARNING_SPAN_MAX_HOURS = 72;
/** Drought and heat notices last for weeks; nothing lasts unbounded. */
export const NOTICE_SPAN_MAX_HOURS = 30 * 24;
/** Bulletins that one Update or Cancel may name; protects the issue transaction. */
export const REFERENCES_MAX = 20;

export const FORM_RULES: Readonly<Record<Form, TextRule>> = {
  headline: { max: HEADLINE_MAX, lines: false },
  short: { max: SHORT_MAX, lines: false },
  full: { max: FULL_MAX, lines: true },
  spoken: { max: SPOKEN_MAX, lines: true },
};

export interface Item {
  readonly category: ItemCategory;
  readonly title: Bilingual;
  readonly text: Bilingual;
}

/** The bulletin that is quoted: Decree 155/2024 fines whoever passes on a forecast without it. */
export interface SourceBulletin {
  readonly body: string;
  readonly number: string;
  /** RFC 3339 with offset. */
  readonly time: string;
}

export interface Signatory {
  /** Null where the post alone signs. */
  readonly name: string | null;
  readonly post: Bilingual;
}

interface CommonContent {
  readonly kind: BulletinKind;
  readonly nature: Nature;
  /** As on the paper: `15/CĐ-PCTT`. */
  readonly number: string;
  /** Citations, at least one. */
  readonly legalBasis: readonly string[];
  readonly signatory: Signatory;
  readonly source: SourceBulletin | null;
  readonly incidentId: string | null;
  readonly hazard: Hazard;
  /** Hazards that coincide; they may raise the level (Decision 18/2021 article 4(4)). */
  readonly alongside: readonly Hazard[];
  readonly riskLevel: RiskLevel | null;
  /** For those who live where it happens. */
  readonly texts: Readonly<Record<Language, Forms>>;
  /** For the others, where the agency words it itself (wording.ts). */
  readonly wordings?: Wordings | undefined;
  readonly items: readonly Item[];
  readonly target: Target;
  readonly audienceRule: AudienceRule;
  readonly channels: readonly ChannelName[];
  /** Absolute, RFC 3339 with offset: afterwards it is gone everywhere. */
  readonly expiresAt: string;
}

export interface ActualContent extends CommonContent {
  readonly type: "Actual";
}

export interface ExerciseContent extends CommonContent {
  readonly type: "Exercise";
  readonly exerciseName: string;
}

export interface PublicTestContent extends CommonContent {
  readonly type: "PublicTest";
  /** The lane and the loudness of a notice: a test sounds no alarm. */
  readonly kind: "notice";
  /** Where and when the public was told that this test will come. */
  readonly announcement: { readonly where: string; readonly at: string };
}

export type BulletinContent = ActualContent | ExerciseContent | PublicTestContent;

/** What every form of an Exercise holds, so that no extract of it can be taken for real. */
export const EXERCISE_MARK: Bilingual = { vi: "DIỄN TẬP", en: "EXERCISE" };
/** What every form of a PublicTest begins with. */
export const PUBLIC_TEST_MARK: Bilingual = { vi: "TIN THỬ NGHIỆM", en: "TEST MESSAGE" };

/** Local hours in which a PublicTest may go out: from the first, before the second. */
export const PUBLIC_TEST_HOURS = [8, 20] as const;

/** The mark that texts of a type must carry, if any. */
export const markOf = (type: BulletinType): Bilingual | undefined =>
  type === "Exercise" ? EXERCISE_MARK : type === "PublicTest" ? PUBLIC_TEST_MARK : undefined;
