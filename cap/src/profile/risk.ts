// Risk levels as Decision 18/2021/QĐ-TTg has them: a level of 1 to 5 with a colour, and for each
// hazard the range of levels that it can have (article 4, chapter III). A level is a statement of
// the hydrometeorological service about a hazard. It is not the wind force, not the river alarm and
// not the civil-defence level, all of which are also called "cấp", and it is not how loud a phone is.

export const RISK_LEVELS = [1, 2, 3, 4, 5] as const;
export type RiskLevel = (typeof RISK_LEVELS)[number];

/** Article 4(3) and annex XII. The hex values are ours: the decision names the colours in words. */
export const RISK_COLOURS: Readonly<
  Record<RiskLevel, { readonly vi: string; readonly en: string; readonly hex: string }>
> = {
  1: { vi: "xanh dương nhạt", en: "light blue", hex: "#99ccff" },
  2: { vi: "vàng nhạt", en: "light yellow", hex: "#ffff99" },
  3: { vi: "da cam", en: "orange", hex: "#ff9900" },
  4: { vi: "đỏ", en: "red", hex: "#ff0000" },
  5: { vi: "tím", en: "purple", hex: "#800080" },
};

/** Article 4(4): hazards that coincide may raise a level by this many, up to 5. */
export const COINCIDENCE_RAISE_MAX = 2;

/**
 * Lowest and highest level that a hazard can have by itself; null: it has none. The keys are the
 * values of the eventCode `loa.hazard`. They are stored and sent, so none is ever renamed.
 */
export const HAZARD_LEVELS = {
  "tropical-depression": [3, 5],
  storm: [3, 5],
  "storm-surge": [2, 5],
  "heavy-rain": [1, 4],
  flood: [1, 5],
  inundation: [1, 5],
  "flash-flood": [1, 3],
  landslide: [1, 3],
  subsidence: [1, 3],
  heat: [1, 4],
  drought: [1, 4],
  salinity: [1, 4],
  "wind-at-sea": [2, 3],
  fog: [1, 3],
  tornado: [1, 2],
  lightning: [1, 2],
  hail: [1, 2],
  cold: [1, 3],
  frost: [1, 3],
  "forest-fire": [1, 5],
  earthquake: [1, 5],
  tsunami: [1, 5],
  "reservoir-release": null,
  "dyke-failure": null,
  epidemic: null,
  "industrial-accident": null,
  other: null,
} as const satisfies Record<string, readonly [RiskLevel, RiskLevel] | null>;

export type HazardKey = keyof typeof HAZARD_LEVELS;

/** The levels that a hazard can have, with others at the same time or without. */
export function riskRange(
  hazard: HazardKey,
  isCoincident: boolean,
): readonly [lowest: number, highest: number] | null {
  const levels = HAZARD_LEVELS[hazard];
  if (levels === null) return null;
  const [lowest, highest] = levels;
  return [lowest, isCoincident ? Math.min(5, highest + COINCIDENCE_RAISE_MAX) : highest];
}
