// Every check of a drill has something planted here that it must catch, and nothing else must.
import { expect, test } from "vitest";
import { type ChannelFigures, emptyStates } from "@loa/model/delivery.ts";
import { checkDrill, type Evidence } from "./checks.ts";

const DISPATCH = "01890a5d-ac96-774b-bcce-b302099a8057";
const BULLETIN = "01890a5d-ac96-774b-bcce-b302099a8058";

const figures = (planned: number, delivered = planned): ChannelFigures => ({
  planned,
  state: { ...emptyStates(), sent: planned - delivered, delivered },
  reached: { sent: planned, delivered, read: 0 },
});

const MESSAGE = {
  dispatch: DISPATCH,
  bulletin: BULLETIN,
  type: "Exercise",
  areas: ["SL001", "SL002"],
  expires: "2026-11-24T12:00:00+07:00",
  hash: "abc",
  texts: { vi: { headline: "DIỄN TẬP - Bão" }, en: { headline: "EXERCISE - Typhoon" } },
};

/** A drill in which all is well: one person live, two over loopback, one outside who heard nothing. */
function good(): Evidence {
  const body = { sha256: "s1", text: JSON.stringify(MESSAGE), live: 1, loopback: 2, area: 2 };
  const order = (areaCode: string) => ({
    areaCode,
    timesAsked: 1,
    fate: "carried-out" as const,
    claimed: 90,
    bodySha256: "s1",
  });
  return {
    expectation: {
      communes: ["SL001", "SL002"],
      population: 100,
      people: [
        { index: 0, as: "resident", commune: "SL001" },
        { index: 1, as: "resident", commune: "SL001" },
        { index: 2, as: "concerned", commune: "SL002" },
      ],
    },
    reach: [
      { channel: "live", ordinal: 10 },
      { channel: "loopback", ordinal: 11 },
      { channel: "loopback", ordinal: 12 },
      { channel: "live", ordinal: 13 },
    ],
    tally: {
      lost: 0,
      duplicates: 0,
      outsideArea: 0,
      expected: { live: 1, loopback: 2 },
      got: { live: 1, loopback: 2 },
      waitsMs: new Float64Array(3),
    },
    testimony: {
      live: {
        index: Uint32Array.of(0, 3),
        times: Uint8Array.of(1, 0),
        firstAtMs: new Float64Array(2),
        acknowledged: Uint8Array.of(1, 0),
      },
      loopback: {
        ordinal: Uint32Array.of(11, 12),
        times: Uint8Array.of(1, 1),
        firstAtMs: new Float64Array(2),
      },
      bodies: [body],
      orders: [order("SL001"), order("SL002")],
      oddities: [],
    },
    liveOutside: 1,
    liveOutsideWanted: 1,
    summary: {
      audience: { residents: 2, concerned: 1 },
      communes: 2,
      population: 100,
      channels: { live: figures(1), loopback: figures(2) },
      joinedLater: 0,
    },
    communes: [
      {
        code: "SL001",
        channels: {
          live: { residents: figures(1), concerned: figures(0) },
          loopback: { residents: figures(1), concerned: figures(0) },
        },
      },
      {
        code: "SL002",
        channels: { loopback: { residents: figures(0), concerned: figures(1) } },
      },
    ],
    orders: [
      { area: "SL001", state: "carried-out", claimed: 90 },
      { area: "SL002", state: "carried-out", claimed: 90 },
    ],
    bulletin: { id: BULLETIN, approvedHash: "abc", expiresAt: "2026-11-24T05:00:00Z" },
    dispatchId: DISPATCH,
    ownApprovalRefused: true,
    notTaken: 0,
  };
}

const failing = (evidence: Evidence): string[] =>
  checkDrill(evidence)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);

const withMessage = (change: object): Evidence => {
  const evidence = good();
  const [body] = evidence.testimony.bodies;
  if (body === undefined) throw new Error("the good drill has a message");
  const bodies = [{ ...body, text: JSON.stringify({ ...MESSAGE, ...change }) }];
  return { ...evidence, testimony: { ...evidence.testimony, bodies } };
};
const withTally = (change: Partial<Evidence["tally"]>): Evidence => ({
  ...good(),
  tally: { ...good().tally, ...change },
});
const withTestimony = (change: Partial<Evidence["testimony"]>): Evidence => ({
  ...good(),
  testimony: { ...good().testimony, ...change },
});
const withSummary = (change: Partial<Evidence["summary"]>): Evidence => ({
  ...good(),
  summary: { ...good().summary, ...change },
});

test("a drill in which all is well passes every check, each with a name of its own", () => {
  expect(failing(good())).toEqual([]);
  const names = checkDrill(good()).map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
});

const orderOf = (areaCode: string, change: object = {}) => ({
  ...(good().testimony.orders[0] as Evidence["testimony"]["orders"][number]),
  areaCode,
  ...change,
});

test.each<[wrong: string, evidence: Evidence, caught: string[]]>([
  [
    "the author's own approval counted",
    { ...good(), ownApprovalRefused: false },
    ["the author could not approve the bulletin"],
  ],
  [
    "the ledger is about another area",
    withSummary({ communes: 3 }),
    ["the ledger's communes and population are those of the target"],
  ],
  [
    "the audience has one resident too many",
    withSummary({ audience: { residents: 3, concerned: 1 } }),
    ["the audience is the list from the imported file"],
  ],
  [
    "a channel planned somebody else too",
    withTally({ expected: { live: 1, loopback: 1 } }),
    ["every channel planned exactly the people on the list whom it serves"],
  ],
  [
    "a person counts in the wrong commune",
    {
      ...good(),
      expectation: {
        ...good().expectation,
        people: good().expectation.people.map((each) => ({ ...each, commune: "SL001" })),
      },
    },
    ["every commune planned exactly its people on the list"],
  ],
  ["somebody got nothing", withTally({ lost: 1 }), ["everyone on the list got the message"]],
  ["somebody got it twice", withTally({ duplicates: 1 }), ["nobody got it twice"]],
  ["a stranger got it", withTally({ outsideArea: 1 }), ["nobody outside the area heard of it"]],
  [
    "nobody outside was listening",
    { ...good(), liveOutside: 0 },
    ["as many people outside the area were listening as was wanted"],
  ],
  ["somebody joined later", withSummary({ joinedLater: 1 }), ["nobody joined later"]],
  [
    "another message arrived",
    withTestimony({ oddities: ["4 heard a notice"] }),
    ["nothing else arrived anywhere"],
  ],
  [
    "one channel changed the message",
    withTestimony({
      bodies: [
        ...good().testimony.bodies,
        { sha256: "s2", text: "{}", live: 0, loopback: 1, area: 0 },
      ],
    }),
    ["everyone got the very same bytes, over every channel"],
  ],
  [
    "something else was sent than approved",
    withMessage({ hash: "abd" }),
    ["what arrived carries the hash that was approved"],
  ],
  [
    "the exercise went out as an actual warning",
    withMessage({ type: "Actual" }),
    ["it is of this dispatch and typed and worded as an Exercise"],
  ],
  [
    "the English text does not say that it is an exercise",
    withMessage({ texts: { vi: MESSAGE.texts.vi, en: { headline: "Typhoon" } } }),
    ["it is of this dispatch and typed and worded as an Exercise"],
  ],
  [
    "a commune is missing in the message",
    withMessage({ areas: ["SL001"] }),
    ["it names exactly the communes of the target"],
  ],
  [
    "the message lasts longer than the bulletin",
    withMessage({ expires: "2026-11-24T13:00:00+07:00" }),
    ["it expires when the bulletin does"],
  ],
  [
    "a channel's states lost one person",
    withSummary({
      channels: { live: figures(1), loopback: { ...figures(2), state: figures(1).state } },
    }),
    [
      "every channel's states sum to planned",
      "the communes sum to every channel, state by state",
      "the ledger's delivered are those who acknowledged",
    ],
  ],
  [
    "the ledger claims a delivery that nobody acknowledged",
    withTestimony({ live: { ...good().testimony.live, acknowledged: Uint8Array.of(0, 0) } }),
    ["the ledger's delivered are those who acknowledged"],
  ],
  [
    "the communes say sent where the channel says delivered",
    withSummary({ channels: { live: figures(1), loopback: figures(2, 1) } }),
    [
      "the communes sum to every channel, state by state",
      "the ledger's delivered are those who acknowledged",
    ],
  ],
  ["a receipt was refused", { ...good(), notTaken: 1 }, ["the server took every receipt"]],
  [
    "a commune's loudspeakers were ordered twice",
    withTestimony({ orders: [orderOf("SL001", { timesAsked: 2 }), orderOf("SL002")] }),
    ["every commune's loudspeakers were ordered once, with the same message"],
  ],
  [
    "the ledger has another claim than the loudspeakers made",
    withTestimony({ orders: [orderOf("SL001", { claimed: 91 }), orderOf("SL002")] }),
    ["the ledger has of every order what the loudspeakers reported"],
  ],
])("it is caught when %s", (_, evidence, caught) => {
  expect(failing(evidence)).toEqual(caught);
});

test("a commune whose states do not sum is caught by name", () => {
  const evidence = good();
  const communes = evidence.communes.map((each) =>
    each.code === "SL002"
      ? {
          ...each,
          channels: {
            loopback: {
              residents: figures(0),
              concerned: { ...figures(1), state: { ...figures(1).state, read: 1 } },
            },
          },
        }
      : each,
  );
  const found = checkDrill({ ...evidence, communes }).filter(({ ok }) => !ok);
  expect(found.map(({ found }) => found)).toContain(
    "SL002 loopback concerned: states 2, planned 1",
  );
});
