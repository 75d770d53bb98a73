// For whom a bulletin is: places, and who counts as belonging to a place.

/** GeoJSON order: longitude, latitude, in degrees (WGS 84). */
export type Position = readonly [lon: number, lat: number];

/** Most points that a drawn polygon may have, over all of its rings together. */
export const POLYGON_POINTS_MAX = 45_000;
/** Most area codes and zones that one target may name. */
export const TARGET_NAMES_MAX = 5_000;
export const CIRCLE_RADIUS_KM_MAX = 2_000;

/**
 * When a commune belongs to a drawn shape: it is touched; at least this share of its surface is
 * covered (0 < atLeast <= 1); or shapes do not count and only named units and zones' lists do.
 */
export type CommuneRule =
  | { readonly kind: "touches" }
  | { readonly kind: "share"; readonly atLeast: number }
  | { readonly kind: "named" };

export interface Target {
  /** Codes of units of any level in the active packs. */
  readonly areas: readonly string[];
  /** Codes of zones. */
  readonly zones: readonly string[];
  /** One closed ring, first point = last. */
  readonly polygon?: readonly Position[] | undefined;
  readonly circle?: { readonly center: Position; readonly radiusKm: number } | undefined;
  readonly rule: CommuneRule;
}

/** A commune that the target comes down to. */
export interface ResolvedCommune {
  readonly areaId: number;
  readonly code: string;
  /** Only these villages (area ids), or null for the whole commune. */
  readonly villageIds: readonly number[] | null;
  /** The share of its surface that a drawn shape covers, 0..1; null when it was named. */
  readonly share: number | null;
}

/** What a target comes down to under the packs that are active now; sorted by code. */
export interface ResolvedTarget {
  readonly packs: readonly { readonly name: string; readonly validFrom: string }[];
  readonly communes: readonly ResolvedCommune[];
}

/**
 * Whom an agency addresses: `residents` = home or a further place inside the target; `followers`
 * = followers of the account, wherever they live; `both`.
 */
export const AUDIENCE_RULES = ["residents", "followers", "both"] as const;
export type AudienceRule = (typeof AUDIENCE_RULES)[number];
