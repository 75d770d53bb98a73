// The ways to reach one subscriber. The position in this list is the bit in stored data,
// so new kinds are appended and none is ever removed.

export const ENDPOINT_KINDS = [
  "live",
  "webpush",
  "sms",
  "email",
  "loopback",
  "null",
  "loopback-once",
] as const;
export type EndpointKind = (typeof ENDPOINT_KINDS)[number];

/** The bit of one kind in `subscriber.endpoint_bits`. */
export const endpointBit = (kind: EndpointKind): number => 1 << ENDPOINT_KINDS.indexOf(kind);

/** Packs kinds into bits. */
export const endpointBits = (kinds: Iterable<EndpointKind>): number =>
  [...kinds].reduce((bits, kind) => bits | endpointBit(kind), 0);

/** Addressed channels carry the name of the endpoint kind that they serve. */
export const ADDRESSED_CHANNELS = ENDPOINT_KINDS;
/** Area channels take one order per area and know no recipient. */
export const AREA_CHANNELS = ["area-loopback"] as const;
export type AreaChannelName = (typeof AREA_CHANNELS)[number];
export type ChannelName = EndpointKind | AreaChannelName;

/**
 * Channels that have a way out. The others have their place in stored data only: a bulletin that
 * relied on one would wait there until it expired, and nobody would have been told.
 */
export const SERVED_CHANNELS: readonly ChannelName[] = [
  "live",
  "loopback",
  "null",
  "loopback-once",
  ...AREA_CHANNELS,
];

export const isAreaChannel = (channel: ChannelName): channel is AreaChannelName =>
  AREA_CHANNELS.some((area) => area === channel);
