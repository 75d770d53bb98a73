// The hazards that bulletins warn of, with the range of risk levels that each can have.
//
// Levels and ranges are those of Decision 18/2021/QĐ-TTg, chapter III. A level is not the wind
// force, the river alarm or the civil-defence level, all of which are also called "cấp".
import type { Bilingual } from "./text.ts";

/** Article 4: 1 light blue, 2 light yellow, 3 orange, 4 red, 5 purple. */
export const RISK_LEVELS = [1, 2, 3, 4, 5] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];

/** Article 4(4): hazards that coincide may raise a level by this many, up to 5. */
export const COINCIDENCE_RAISE_MAX = 2;

export interface HazardFacts {
  readonly name: Bilingual;
  /** Lowest and highest level that this hazard can have by itself; null: it has no levels. */
  readonly levels: readonly [RiskLevel, RiskLevel] | null;
}

const natural = (vi: string, en: string, lowest: RiskLevel, highest: RiskLevel): HazardFacts => ({
  name: { vi, en },
  levels: [lowest, highest],
});
const unlevelled = (vi: string, en: string): HazardFacts => ({ name: { vi, en }, levels: null });

/** Every hazard there is. A key is stored and sent, so none is ever renamed. */
export const HAZARDS = {
  "tropical-depression": natural("áp thấp nhiệt đới", "tropical depression", 3, 5),
  storm: natural("bão", "typhoon", 3, 5),
  "storm-surge": natural("nước dâng", "storm surge", 2, 5),
  "heavy-rain": natural("mưa lớn", "heavy rain", 1, 4),
  flood: natural("lũ", "flood", 1, 5),
  inundation: natural("ngập lụt", "inundation", 1, 5),
  "flash-flood": natural("lũ quét", "flash flood", 1, 3),
  landslide: natural("sạt lở đất", "landslide", 1, 3),
  subsidence: natural("sụt lún đất", "land subsidence", 1, 3),
  heat: natural("nắng nóng", "heat", 1, 4),
  drought: natural("hạn hán", "drought", 1, 4),
  salinity: natural("xâm nhập mặn", "saline intrusion", 1, 4),
  "wind-at-sea": natural("gió mạnh trên biển", "strong wind at sea", 2, 3),
  fog: natural("sương mù", "fog", 1, 3),
  tornado: natural("lốc", "tornado", 1, 2),
  lightning: natural("sét", "lightning", 1, 2),
  hail: natural("mưa đá", "hail", 1, 2),
  cold: natural("rét hại", "damaging cold", 1, 3),
  frost: natural("sương muối", "frost", 1, 3),
  "forest-fire": natural("cháy rừng do tự nhiên", "wildfire", 1, 5),
  earthquake: natural("động đất", "earthquake", 1, 5),
  tsunami: natural("sóng thần", "tsunami", 1, 5),
  "reservoir-release": unlevelled("xả lũ hồ chứa", "reservoir release"),
  "dyke-failure": unlevelled("sự cố đê điều, hồ đập", "dyke or dam failure"),
  epidemic: unlevelled("dịch bệnh", "epidemic"),
  "industrial-accident": unlevelled("sự cố hóa chất, cháy nổ", "industrial accident"),
  other: unlevelled("sự cố khác", "other incident"),
} as const satisfies Record<string, HazardFacts>;

export type Hazard = keyof typeof HAZARDS;
export const HAZARD_KEYS = Object.keys(HAZARDS) as [Hazard, ...Hazard[]];

/** Why this hazard cannot have this level, or undefined when it can. */
export function levelFault(
  hazard: Hazard,
  level: RiskLevel,
  alongside: readonly Hazard[],
): string | undefined {
  const { levels, name }: HazardFacts = HAZARDS[hazard];
  if (levels === null) return `${name.en} has no risk level`;
  const [lowest, alone] = levels;
  const highest = alongside.length > 0 ? Math.min(5, alone + COINCIDENCE_RAISE_MAX) : alone;
  if (level >= lowest && level <= highest) return undefined;
  return `${name.en} has risk levels ${lowest} to ${highest}, not ${level}`;
}
