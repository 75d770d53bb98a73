// The checks of a drill: each a sentence that must be true, with what was found where it is not.
// Three sides must agree: the list from the imported file, the receiving side, and the ledger. Pure.
import type { ChannelFigures } from "@loa/model/delivery.ts";
import { EXERCISE_MARK } from "@loa/model/bulletin.ts";
import type { DrillCheck } from "./document.ts";
import type { Expectation } from "./expectation.ts";
import { channelSumFaults, communeSumFaults, groupSumFaults } from "./ledger-sums.ts";
import type { Reach, Tally } from "./tally.ts";
import type { SeenBody, Testimony } from "./witness-protocol.ts";

/** What the ledger says of one commune. */
export interface CommuneLedger {
  readonly code: string;
  readonly channels: Readonly<
    Record<string, { readonly residents: ChannelFigures; readonly concerned: ChannelFigures }>
  >;
}

/** One order of the area channel, as the ledger has it. */
export interface OrderLedger {
  readonly area: string;
  readonly state: string;
  readonly claimed: number | null;
}

export interface Evidence {
  readonly expectation: Expectation;
  readonly reach: readonly Reach[];
  readonly tally: Tally;
  readonly testimony: Testimony;
  /** People who connected and are not on the list. */
  readonly liveOutside: number;
  /** How many of them there should be. */
  readonly liveOutsideWanted: number;
  readonly summary: {
    readonly audience: { readonly residents: number; readonly concerned: number };
    readonly communes: number;
    readonly population: number | null;
    readonly channels: Readonly<Record<string, ChannelFigures>>;
    readonly joinedLater: number;
  };
  readonly communes: readonly CommuneLedger[];
  readonly orders: readonly OrderLedger[];
  readonly bulletin: {
    readonly id: string;
    readonly approvedHash: string;
    readonly expiresAt: string;
  };
  readonly dispatchId: string;
  /** Whether the author was refused when approving what they wrote. */
  readonly ownApprovalRefused: boolean;
  /** What the server would not take from the receiving side. */
  readonly notTaken: number;
}

const CHANNELS = ["live", "loopback"] as const satisfies readonly Reach["channel"][];

const check = (name: string, wrongs: readonly string[]): DrillCheck =>
  wrongs.length === 0
    ? { name, ok: true }
    : { name, ok: false, found: wrongs.slice(0, 3).join("; ") };
const must = (name: string, ok: boolean, found: string): DrillCheck =>
  check(name, ok ? [] : [found]);

/** All checks, in the order in which a person wants to read them. */
export const checkDrill = (evidence: Evidence): DrillCheck[] => [
  ...checkApproval(evidence),
  ...checkPlan(evidence),
  ...checkArrival(evidence),
  ...checkMessage(evidence),
  ...checkLedger(evidence),
  ...checkOrders(evidence),
];

function checkApproval({ ownApprovalRefused }: Evidence): DrillCheck[] {
  return [must("the author could not approve the bulletin", ownApprovalRefused, "it was approved")];
}

function checkPlan({ expectation, summary, tally, communes, reach }: Evidence): DrillCheck[] {
  const residents = expectation.people.filter((each) => each.as === "resident").length;
  const concerned = expectation.people.length - residents;
  return [
    must(
      "the ledger's communes and population are those of the target",
      summary.communes === expectation.communes.length &&
        summary.population === expectation.population,
      `ledger ${summary.communes} and ${summary.population}`,
    ),
    must(
      "the audience is the list from the imported file",
      summary.audience.residents === residents && summary.audience.concerned === concerned,
      `ledger ${summary.audience.residents} + ${summary.audience.concerned}, list ${residents} + ${concerned}`,
    ),
    check(
      "every channel planned exactly the people on the list whom it serves",
      CHANNELS.filter((name) => plannedOf(summary.channels[name]) !== tally.expected[name]).map(
        (name) =>
          `${name}: ledger ${plannedOf(summary.channels[name])}, list ${tally.expected[name]}`,
      ),
    ),
    check("every commune planned exactly its people on the list", communeFaults()),
  ];

  function communeFaults(): string[] {
    const wanted = new Map<string, number>();
    const add = (key: string, count: number) => {
      if (count !== 0) wanted.set(key, (wanted.get(key) ?? 0) + count);
    };
    for (const { index, commune, as } of expectation.people)
      add(`${commune} ${reach[index]?.channel} ${as}`, 1);
    for (const { code, channels } of communes)
      for (const [name, { residents, concerned }] of Object.entries(channels)) {
        add(`${code} ${name} resident`, -residents.planned);
        add(`${code} ${name} concerned`, -concerned.planned);
      }
    return [...wanted].filter(([, off]) => off !== 0).map(([key, off]) => `${key}: ${off} off`);
  }
}

function checkArrival(evidence: Evidence): DrillCheck[] {
  const { tally, testimony, liveOutside, liveOutsideWanted, summary } = evidence;
  const { lost, duplicates, outsideArea } = tally;
  return [
    must("everyone on the list got the message", lost === 0, `${lost} did not`),
    must("nobody got it twice", duplicates === 0, `${duplicates} copies`),
    must("nobody outside the area heard of it", outsideArea === 0, `${outsideArea} did`),
    must(
      "as many people outside the area were listening as was wanted",
      liveOutside === liveOutsideWanted,
      `${liveOutside} of ${liveOutsideWanted}`,
    ),
    must("nobody joined later", summary.joinedLater === 0, `${summary.joinedLater} did`),
    check("nothing else arrived anywhere", testimony.oddities),
  ];
}

function checkMessage({ testimony, bulletin, expectation, dispatchId }: Evidence): DrillCheck[] {
  const [body, ...others] = testimony.bodies;
  const message = body === undefined ? {} : parseMessage(body);
  const areas = Array.isArray(message.areas) ? message.areas.map(String).toSorted() : [];
  const texts = JSON.stringify(message.texts ?? {});
  return [
    must(
      "everyone got the very same bytes, over every channel",
      body !== undefined && others.length === 0,
      `${testimony.bodies.length} different messages`,
    ),
    must(
      "what arrived carries the hash that was approved",
      message.hash === bulletin.approvedHash,
      `${String(message.hash)}, approved ${bulletin.approvedHash}`,
    ),
    must(
      "it is of this dispatch and typed and worded as an Exercise",
      message.dispatch === dispatchId &&
        message.bulletin === bulletin.id &&
        message.type === "Exercise" &&
        texts.includes(EXERCISE_MARK.vi) &&
        texts.includes(EXERCISE_MARK.en),
      `type ${String(message.type)}, dispatch ${String(message.dispatch)}`,
    ),
    must(
      "it names exactly the communes of the target",
      areas.join() === expectation.communes.join(),
      areas.join(" "),
    ),
    must(
      "it expires when the bulletin does",
      Date.parse(String(message.expires)) === Date.parse(bulletin.expiresAt),
      String(message.expires),
    ),
  ];
}

function checkLedger({ summary, communes, testimony, tally, notTaken }: Evidence): DrillCheck[] {
  const acknowledged = {
    live: testimony.live.acknowledged.reduce((sum, each) => sum + each, 0),
    loopback: tally.got.loopback,
  };
  return [
    check("every channel's states sum to planned", channelSumFaults(summary.channels)),
    check(
      "every commune's states sum to planned, residents and concerned apart",
      groupSumFaults(communes),
    ),
    check(
      "the communes sum to every channel, state by state",
      communeSumFaults(summary.channels, communes),
    ),
    check(
      "the ledger's delivered are those who acknowledged",
      CHANNELS.filter((name) => deliveredOf(summary.channels[name]) !== acknowledged[name]).map(
        (name) =>
          `${name}: ledger ${deliveredOf(summary.channels[name])}, acknowledged ${acknowledged[name]}`,
      ),
    ),
    must("the server took every receipt", notTaken === 0, `${notTaken} were not taken`),
  ];
}

function checkOrders({ orders, testimony, expectation }: Evidence): DrillCheck[] {
  const taken = testimony.orders.map(({ areaCode }) => areaCode).toSorted();
  const [body] = testimony.bodies;
  return [
    must(
      "every commune's loudspeakers were ordered once, with the same message",
      taken.join() === expectation.communes.join() &&
        testimony.orders.every((each) => each.timesAsked === 1 && each.bodySha256 === body?.sha256),
      `${taken.length} orders for ${expectation.communes.length} communes`,
    ),
    check(
      "the ledger has of every order what the loudspeakers reported",
      testimony.orders.flatMap(({ areaCode, fate, claimed }) => {
        const order = orders.find((each) => each.area === areaCode);
        const isSame = order?.state === fate && (fate === "refused" || order.claimed === claimed);
        return isSame ? [] : [`${areaCode}: ${fate}, the ledger has ${order?.state ?? "nothing"}`];
      }),
    ),
  ];
}

const plannedOf = (figures: ChannelFigures | undefined): number => figures?.planned ?? 0;
const deliveredOf = (figures: ChannelFigures | undefined): number =>
  figures === undefined ? 0 : figures.state.delivered + figures.state.read;

function parseMessage(body: SeenBody): Record<string, unknown> {
  try {
    return JSON.parse(body.text) as Record<string, unknown>;
  } catch {
    return {};
  }
}
