// The hazards that bulletins warn of, with their names. Levels and ranges are those of Decision
// 18/2021/QĐ-TTg and stand in cap/src/profile/risk.ts, because they are sent to others too.
import {
  HAZARD_LEVELS,
  type HazardKey,
  RISK_LEVELS,
  type RiskLevel,
  riskRange,
} from "@loa/cap/profile/risk.ts";
import type { Bilingual } from "./text.ts";

export { RISK_LEVELS, type RiskLevel };

export interface HazardFacts {
  readonly name: Bilingual;
  /** Lowest and highest level that this hazard can have by itself; null: it has no levels. */
  readonly levels: readonly [RiskLevel, RiskLevel] | null;
}

const facts = (key: HazardKey, vi: string, en: string): HazardFacts => ({
  name: { vi, en },
  levels: HAZARD_LEVELS[key],
});

/** Every hazard there is. A key is stored and sent, so none is ever renamed. */
export const HAZARDS = {
  "tropical-depression": facts("tropical-depression", "áp thấp nhiệt đới", "tropical depression"),
  storm: facts("storm", "bão", "typhoon"),
  "storm-surge": facts("storm-surge", "nước dâng", "storm surge"),
  "heavy-rain": facts("heavy-rain", "mưa lớn", "heavy rain"),
  flood: facts("flood", "lũ", "flood"),
  inundation: facts("inundation", "ngập lụt", "inundation"),
  "flash-flood": facts("flash-flood", "lũ quét", "flash flood"),
  landslide: facts("landslide", "sạt lở đất", "landslide"),
  subsidence: facts("subsidence", "sụt lún đất", "land subsidence"),
  heat: facts("heat", "nắng nóng", "heat"),
  drought: facts("drought", "hạn hán", "drought"),
  salinity: facts("salinity", "xâm nhập mặn", "saline intrusion"),
  "wind-at-sea": facts("wind-at-sea", "gió mạnh trên biển", "strong wind at sea"),
  fog: facts("fog", "sương mù", "fog"),
  tornado: facts("tornado", "lốc", "tornado"),
  lightning: facts("lightning", "sét", "lightning"),
  hail: facts("hail", "mưa đá", "hail"),
  cold: facts("cold", "rét hại", "damaging cold"),
  frost: facts("frost", "sương muối", "frost"),
  "forest-fire": facts("forest-fire", "cháy rừng do tự nhiên", "wildfire"),
  earthquake: facts("earthquake", "động đất", "earthquake"),
  tsunami: facts("tsunami", "sóng thần", "tsunami"),
  "reservoir-release": facts("reservoir-release", "xả lũ hồ chứa", "reservoir release"),
  "dyke-failure": facts("dyke-failure", "sự cố đê điều, hồ đập", "dyke or dam failure"),
  epidemic: facts("epidemic", "dịch bệnh", "epidemic"),
  "industrial-accident": facts(
    "industrial-accident",
    "sự cố hóa chất, cháy nổ",
    "industrial accident",
  ),
  other: facts("other", "sự cố khác", "other incident"),
} as const satisfies Record<HazardKey, HazardFacts>;

export type Hazard = keyof typeof HAZARDS;
export const HAZARD_KEYS = Object.keys(HAZARDS) as [Hazard, ...Hazard[]];

/** Why this hazard cannot have this level, or undefined when it can. */
export function levelFault(
  hazard: Hazard,
  level: RiskLevel,
  alongside: readonly Hazard[],
): string | undefined {
  const { en } = HAZARDS[hazard].name;
  const range = riskRange(hazard, alongside.length > 0);
  if (range === null) return `${en} has no risk level`;
  const [lowest, highest] = range;
  if (level >= lowest && level <= highest) return undefined;
  return `${en} has risk levels ${lowest} to ${highest}, not ${level}`;
}
