// Which addresses a feed may be fetched from. A name is resolved once, every address is looked at,
// and the connection goes to one of those that were: a name that answers otherwise the second time
// (DNS rebinding) gains nothing. Whatever is not plainly public is refused.
import { lookup } from "node:dns";
import { BlockList, isIP, type LookupFunction } from "node:net";

/** IANA's registries of special-purpose addresses: none is somebody's public server. */
const SPECIAL: readonly (readonly [network: string, prefix: number, family: "ipv4" | "ipv6"])[] = [
  ["0.0.0.0", 8, "ipv4"],
  ["10.0.0.0", 8, "ipv4"],
  ["100.64.0.0", 10, "ipv4"],
  ["127.0.0.0", 8, "ipv4"],
  ["169.254.0.0", 16, "ipv4"],
  ["172.16.0.0", 12, "ipv4"],
  ["192.0.0.0", 24, "ipv4"],
  ["192.0.2.0", 24, "ipv4"],
  ["192.88.99.0", 24, "ipv4"],
  ["192.168.0.0", 16, "ipv4"],
  ["198.18.0.0", 15, "ipv4"],
  ["198.51.100.0", 24, "ipv4"],
  ["203.0.113.0", 24, "ipv4"],
  ["224.0.0.0", 3, "ipv4"],
];
/** Of IPv6 only global unicast is public; of that not what leads into IPv4 or is documentation. */
const SPECIAL_WITHIN_GLOBAL: readonly (readonly [network: string, prefix: number])[] = [
  ["2001::", 23],
  ["2001:db8::", 32],
  ["2002::", 16],
  ["3fff::", 20],
];

const special = new BlockList();
for (const [network, prefix, family] of SPECIAL) special.addSubnet(network, prefix, family);
for (const [network, prefix] of SPECIAL_WITHIN_GLOBAL) special.addSubnet(network, prefix, "ipv6");
const globalUnicast = new BlockList();
globalUnicast.addSubnet("2000::", 3, "ipv6");

/** Whether an address is somebody's public server. Also false for what is no address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !special.check(address, "ipv4");
  // A mapped IPv4 address lies outside global unicast, and is refused with it.
  return family === 6 && globalUnicast.check(address, "ipv6") && !special.check(address, "ipv6");
}

/** The host of a URL as an address, without the brackets of IPv6; undefined for a name. */
export function addressOf({ hostname }: URL): string | undefined {
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(host) === 0 ? undefined : host;
}

export class AddressRefused extends Error {
  override name = "AddressRefused";
}

/** Resolves names for a socket: to addresses that are allowed or, where one is not, to none at all. */
export const lookupAllowed =
  (isAllowed: (address: string) => boolean): LookupFunction =>
  (hostname, options, done) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error) return done(error, "", 4);
      const refused = addresses.find(({ address }) => !isAllowed(address));
      if (refused !== undefined)
        return done(new AddressRefused(`${hostname} is at ${refused.address}`), "", 4);
      const [first] = addresses;
      if (first === undefined) return done(new AddressRefused(`${hostname} has no address`), "", 4);
      if (options.all) return done(null, addresses);
      done(null, first.address, first.family);
    });
  };
