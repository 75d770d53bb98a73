// Three types of bulletin, not one with flags: what may reach whom follows from the type.

export const BULLETIN_TYPES = ["Actual", "Exercise", "PublicTest"] as const;
export type BulletinType = (typeof BULLETIN_TYPES)[number];

/** `warning` goes in the warning lane, loudly; `notice` never delays it. */
export const BULLETIN_KINDS = ["warning", "notice"] as const;
export type BulletinKind = (typeof BULLETIN_KINDS)[number];
export const LANES = BULLETIN_KINDS;
export type Lane = BulletinKind;

/** Who a subscriber is: the public, or a synthetic person of exercises. */
export const STANDINGS = ["public", "exercise"] as const;
export type Standing = (typeof STANDINGS)[number];

/** The only standing that a type may reach. An Exercise never reaches the public. */
export const STANDING_OF_TYPE = {
  Actual: "public",
  Exercise: "exercise",
  PublicTest: "public",
} as const satisfies Record<BulletinType, Standing>;
