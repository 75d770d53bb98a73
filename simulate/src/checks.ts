// What must hold after a run, whoever died in it: each check is a sentence, with what was found
// where it does not hold. Three sides must agree, person by person: the list from the imported
// file, the receiving side, and the ledger. Pure, so that a doctored tally must be caught.
import type { DrillCheck } from "@loa/cli/drill/document.ts";
import { channelSumFaults, communeSumFaults, groupSumFaults } from "@loa/cli/drill/ledger-sums.ts";
import type { State } from "@loa/model/delivery.ts";
import { type Arrived, countArrivals, timesOf } from "./arrived.ts";
import { type DispatchEvidence, dispatchOf, type Evidence, replacedBy } from "./evidence.ts";
import { check } from "./finding.ts";
import { checkOrder } from "./order-checks.ts";
import { type RunPlan, type Way, WAYS } from "./plan.ts";
import { ARRIVAL_WAYS } from "./witness-protocol.ts";

/** All checks of a run. */
export function checkRun(evidence: Evidence): DrillCheck[] {
  const arrived = countArrivals(evidence);
  return [
    check("everything came to rest", evidence.unsettled === undefined ? [] : [evidence.unsettled]),
    ...checkPlanned(evidence),
    ...checkTold(evidence, arrived),
    ...checkCopies(evidence, arrived),
    ...checkCancel(evidence, arrived),
    ...checkLeft(evidence, arrived),
    ...checkOrder(evidence),
    ...checkSums(evidence),
    ...checkReceipts(evidence, arrived),
    ...checkAreaOrders(evidence),
    ...checkMessages(evidence),
  ];
}

const TOLD: readonly State[] = ["sent", "delivered", "read"];
const DOUBTFUL: readonly State[] = ["unsure", "failed"];

/** A person as a finding names them. */
const named = ({ world }: Evidence, { part }: DispatchEvidence, index: number): string =>
  `${part} ${world.rows[index]?.reference} (${world.ways[index]}, ordinal ${world.ordinals[index]})`;

/** The ledger's rows are the list's people, each with the reason and commune of the list. */
function checkPlanned(evidence: Evidence): DrillCheck[] {
  const wrongs = evidence.dispatches.flatMap((dispatch) => {
    const { expectation, rows, strangeRows } = dispatch;
    const strange = strangeRows.map((row) => `${dispatch.part} has the row ${row}`);
    if (expectation === undefined) return strange;
    const wanted = new Map(expectation.people.map((person) => [person.index, person]));
    const missing = [...wanted].flatMap(([index, { as, commune }]) => {
      const row = rows.get(index);
      if (row === undefined) return [`${named(evidence, dispatch, index)} was not planned`];
      return row.as === as && row.commune === commune && row.channel === evidence.world.ways[index]
        ? []
        : [`${named(evidence, dispatch, index)} is ${row.as} of ${row.commune}`];
    });
    const extra = [...rows.keys()].filter((index) => !wanted.has(index));
    return [
      ...strange,
      ...missing,
      ...extra.map((index) => `${named(evidence, dispatch, index)} is not on the list`),
    ];
  });
  return [check("planned are exactly the people on the list, with reason and commune", wrongs)];
}

/** Nobody is lost, nobody outside hears of it, and the ledger says of each what is true. */
function checkTold(evidence: Evidence, arrived: ReadonlyMap<string, Arrived>): DrillCheck[] {
  const lost: string[] = [];
  const wrong: string[] = [];
  const outside: string[] = [];
  for (const dispatch of evidence.dispatches) {
    const isOpen = dispatch.summary.state === "open";
    for (const [index, { state }] of dispatch.rows) {
      const got = timesOf(arrived, dispatch, index) > 0;
      const who = named(evidence, dispatch, index);
      if (isOpen && !got && !DOUBTFUL.includes(state)) lost.push(`${who} is ${state}`);
      else if (got && !TOLD.includes(state) && !DOUBTFUL.includes(state))
        wrong.push(`${who} got it and is ${state}`);
      else if (!got && TOLD.includes(state) && evidence.world.ways[index] !== "live")
        wrong.push(`${who} did not get it and is ${state}`);
      else if (state === "failed" && !mayFail(evidence.plan, evidence.world.ways[index]))
        wrong.push(`${who} failed, and nothing fails`);
    }
    const known = arrived.get(dispatch.dispatch);
    outside.push(...(known?.strangers ?? []));
    // People of a Cancel, or left out, who are not planned are those whom the ledger did not know to have been
    // told: the stream did. They are counted as joined later.
    known?.times.forEach((times, index) => {
      const isMeant = dispatch.rows.has(index) || dispatch.expectation === undefined;
      if (times > 0 && !isMeant) outside.push(named(evidence, dispatch, index));
    });
  }
  const issued = new Set(evidence.dispatches.map(({ dispatch }) => dispatch));
  const unknown = [...arrived.keys()].filter((id) => !issued.has(id));
  return [
    check("nobody is lost", lost),
    check("nobody outside hears of it", outside),
    check("the ledger says of each person what is true", wrong),
    check("nothing arrives that nobody issued", unknown),
  ];
}

const mayFail = ({ events }: RunPlan, way: string | undefined): boolean =>
  events.some(
    (event) => event.kind === "sink" && event.way === way && (event.behaviour.failShare ?? 0) > 0,
  );

/**
 * Slices of one channel that a far side let hang, cut off or answered with nonsense: by the plan,
 * or more where a slow machine made it late and the workers said so.
 */
function linesLost({ plan, workers, unanswered }: Evidence, way: Way): number {
  const planned = plan.events.reduce((sum, event) => {
    if (event.kind !== "sink" || event.way !== way) return sum;
    const { hangUp, answerNonsense, stall } = event.behaviour;
    return sum + Number(hangUp ?? 0) + Number(answerNonsense ?? 0) + (stall ? workers : 0);
  }, 0);
  return Math.max(planned, unanswered[way] ?? 0);
}

function checkCopies(evidence: Evidence, arrived: ReadonlyMap<string, Arrived>): DrillCheck[] {
  const { interruptions, sliceSize, dispatches, world } = evidence;
  const copies: string[] = [];
  const twice: string[] = [];
  const unsure: string[] = [];
  for (const dispatch of dispatches) {
    const extra = { live: 0, loopback: 0, "loopback-once": 0 };
    arrived.get(dispatch.dispatch)?.times.forEach((times, index) => {
      const way = world.ways[index];
      if (way === undefined || times < 2) return;
      extra[way] += times - 1;
      if (way === "loopback-once") twice.push(named(evidence, dispatch, index));
      // A device lists what it has, so it is never sent it again.
      if (way === "live") copies.push(`${named(evidence, dispatch, index)} ${times} times`);
    });
    // A slice whose connection broke goes out again as well.
    const resent = interruptions + linesLost(evidence, "loopback");
    if (extra.loopback > resent * sliceSize)
      copies.push(`${dispatch.part}: ${extra.loopback} after ${resent} doubtful slices`);
    for (const way of WAYS) {
      const found = dispatch.summary.channels[way]?.state.unsure ?? 0;
      // On loopback an interrupted slice goes out again; where it cannot, it is unsure.
      const isResent = way === "loopback" && dispatch.summary.state === "open";
      const slices = linesLost(evidence, way) + (isResent ? 0 : interruptions);
      if (found > slices * sliceSize)
        unsure.push(`${dispatch.part} ${way}: ${found} unsure after ${slices} doubtful slices`);
    }
  }
  return [
    check("copies are at most the slices that were left in doubt", copies),
    check("where a copy costs money or fear nobody is told twice", twice),
    check("unsure are at most the slices that were left in doubt", unsure),
  ];
}

/** A Cancel goes to whom the old one reached or may have reached, and to nobody else. */
function checkCancel(evidence: Evidence, arrived: ReadonlyMap<string, Arrived>): DrillCheck[] {
  const { dispatches, sliceSize, interruptions, workers, world } = evidence;
  const untold: string[] = [];
  const needless: string[] = [];
  for (const cancel of dispatches.filter(({ part }) => part === "cancel")) {
    const old = replacedBy(dispatches, cancel);
    const had = (index: number) => old.some((each) => timesOf(arrived, each, index) > 0);
    const mayHave = (index: number) =>
      old.some((each) => {
        const state = each.rows.get(index)?.state;
        return state !== undefined && (TOLD.includes(state) || state === "unsure");
      });
    // Who was told that it is not for them any more has nothing that could be taken back.
    const wasLeft = (index: number) => {
      const left = dispatchOf(dispatches, "left");
      const state = left?.rows.get(index)?.state;
      return (
        left !== undefined &&
        (timesOf(arrived, left, index) > 0 || (state !== undefined && DOUBTFUL.includes(state)))
      );
    };
    const doubtful = { live: 0, loopback: 0, "loopback-once": 0 };
    for (const [index, way] of world.ways.entries()) {
      const isTold = timesOf(arrived, cancel, index) > 0;
      const row = cancel.rows.get(index);
      if (had(index) && !isTold && !wasLeft(index) && !(row && DOUBTFUL.includes(row.state)))
        untold.push(`${named(evidence, cancel, index)} had the old one`);
      if (row !== undefined && !had(index) && !mayHave(index)) doubtful[way] += 1;
      if (way === "live" && isTold && !had(index) && !mayHave(index))
        needless.push(named(evidence, cancel, index));
    }
    // The slices that were permitted and not yet committed when the old one was closed.
    const slicesMax = (workers + interruptions) * old.length;
    for (const way of ARRIVAL_WAYS)
      if (doubtful[way] > (way === "live" ? 0 : slicesMax * sliceSize))
        needless.push(`${doubtful[way]} people over ${way} had no open intent`);
  }
  return [
    check("whoever had the old message is told of its Cancel", untold),
    check("nobody else is told of a Cancel", needless),
  ];
}

/** An update that stands: who had what it replaces, and is not meant, is told so; nobody else is. */
function checkLeft(evidence: Evidence, arrived: ReadonlyMap<string, Arrived>): DrillCheck[] {
  const { dispatches, world } = evidence;
  const left = dispatchOf(dispatches, "left");
  const untold: string[] = [];
  const needless: string[] = [];
  for (const update of dispatches.filter(({ part }) => part === "update")) {
    const old = replacedBy(dispatches, update);
    for (const index of world.ways.keys()) {
      const had = old.some((each) => timesOf(arrived, each, index) > 0);
      const isMeant = update.rows.has(index);
      const isTold = left !== undefined && timesOf(arrived, left, index) > 0;
      const state = left?.rows.get(index)?.state;
      const isDoubtful = state !== undefined && DOUBTFUL.includes(state);
      if (had && !isMeant && !isTold && !isDoubtful && update.summary.state === "open")
        untold.push(`${named(evidence, update, index)} had the old one`);
      if (isTold && isMeant) needless.push(named(evidence, update, index));
    }
  }
  return [
    check("whoever an update leaves out is told so", untold),
    check("nobody is left out whom the update is for", needless),
  ];
}

function checkSums({ dispatches }: Evidence): DrillCheck[] {
  const of = (find: (dispatch: DispatchEvidence) => string[]) =>
    dispatches.flatMap((each) => find(each).map((wrong) => `${each.part} ${wrong}`));
  return [
    check(
      "every channel's states sum to planned",
      of(({ summary }) => channelSumFaults(summary.channels)),
    ),
    check(
      "every commune's states sum to planned, residents and concerned apart",
      of(({ communes }) => groupSumFaults(communes)),
    ),
    check(
      "the communes sum to every channel, state by state",
      of(({ summary, communes }) => communeSumFaults(summary.channels, communes)),
    ),
    check("the rows sum to every channel, state by state", of(rowSumFaults)),
  ];
}

/** The export is another way to the same facts: it must not tell another story. */
function rowSumFaults({ summary, rows }: DispatchEvidence): string[] {
  const counts = new Map<string, number>();
  for (const { channel, state } of rows.values())
    counts.set(`${channel} ${state}`, (counts.get(`${channel} ${state}`) ?? 0) + 1);
  return Object.entries(summary.channels).flatMap(([channel, { state }]) =>
    Object.entries(state).flatMap(([name, count]) => {
      const found = counts.get(`${channel} ${name}`) ?? 0;
      return found === count ? [] : [`${channel} ${name}: rows ${found}, channel ${count}`];
    }),
  );
}

/** Delivered is who said so: the far sides for everybody who got it, devices for themselves. */
function checkReceipts(evidence: Evidence, arrived: ReadonlyMap<string, Arrived>): DrillCheck[] {
  const { dispatches, testimony, world, claims } = evidence;
  const wrongs = dispatches.flatMap((dispatch) => {
    const said = { live: 0, loopback: 0, "loopback-once": 0 };
    for (const ordinal of testimony.acknowledged[dispatch.dispatch] ?? []) {
      const index = world.indexOfOrdinal.get(ordinal);
      if (index !== undefined && dispatch.rows.has(index)) said.live += 1;
    }
    for (const index of dispatch.rows.keys()) {
      const way = world.ways[index];
      if (way !== undefined && way !== "live" && timesOf(arrived, dispatch, index) > 0)
        said[way] += 1;
    }
    return ARRIVAL_WAYS.flatMap((way) => {
      const delivered = dispatch.summary.channels[way]?.reached.delivered ?? 0;
      return delivered === said[way]
        ? []
        : [`${dispatch.part} ${way}: ledger ${delivered}, acknowledged ${said[way]}`];
    });
  });
  const { foreign = 0, ...others } = testimony.claimVerdicts;
  const believed = Object.entries(others).map(([verdict, count]) => `${count} ${verdict}`);
  const unanswered = claims - foreign - Object.values(others).reduce((sum, each) => sum + each, 0);
  if (unanswered !== 0) believed.push(`${unanswered} without an answer`);
  return [
    check("the ledger's delivered are those who acknowledged", wrongs),
    check("nobody is believed who was not meant", believed),
  ];
}

/** States in which an order ends. */
export const FINAL_ORDERS: readonly string[] = ["carried-out", "refused", "expired", "suppressed"];

/** Each commune has one order; it ended as its operator says, or was never handed over. */
function checkAreaOrders({ dispatches, testimony }: Evidence): DrillCheck[] {
  const wrongs = dispatches.flatMap(({ part, dispatch, expectation, orders, summary }) => {
    const asked = new Map(
      testimony.orders
        .filter(({ dispatchId }) => dispatchId === dispatch)
        .map((order) => [order.areaCode, order]),
    );
    const places = orders.map(({ area }) => area).join();
    const wrong =
      expectation !== undefined && places !== expectation.communes.join()
        ? [`${part} has orders for ${places}`]
        : [];
    for (const { area, state, claimed } of orders) {
      // Under way when its bulletin was closed, and not answered: nobody knows, and that is said.
      if (state === "unsure" && summary.state !== "open") continue;
      const far = asked.get(area);
      if (far !== undefined) {
        const isSame = far.fate === state && (state === "refused" || far.claimed === claimed);
        if (!isSame) wrong.push(`${part} ${area} is ${state}, its operator says ${far.fate}`);
      } else if (summary.state === "open" || !FINAL_ORDERS.includes(state))
        wrong.push(`${part} ${area} is ${state} and nobody was asked`);
    }
    return wrong;
  });
  return [check("every area's order ended as its operator says", wrongs)];
}

function checkMessages({ dispatches, testimony, breaches }: Evidence): DrillCheck[] {
  const wrongs = dispatches.flatMap(({ part, dispatch, approvedHash, bulletin }) => {
    const bodies = testimony.bodies.filter(({ dispatchId }) => dispatchId === dispatch);
    if (bodies.length > 1) return [`${part} came as ${bodies.length} different messages`];
    return bodies.flatMap(({ text }) => {
      const { hash, bulletin: id, type } = JSON.parse(text) as Record<string, unknown>;
      return hash === approvedHash && id === bulletin && type === "Exercise"
        ? []
        : [`${part} carries ${String(hash)}, approved ${approvedHash}`];
    });
  });
  return [
    check("everybody gets the very bytes that were approved", wrongs),
    check("of several that replace one bulletin, one is issued", breaches),
    check("nothing else happens", testimony.oddities),
  ];
}
