// The chain that the chain drill plays: a storm whose place moves. Every step says for which communes
// it is, and who, by the people's own file, should hear what. Pure.
import type { ChainStep, Purpose } from "@loa/model/chain-step.ts";
import { type Expectation, expectAudience, type Person, type Unit } from "./expectation.ts";

/** One bulletin of the chain. */
export interface ChainStage {
  readonly name: string;
  readonly step: ChainStep;
  /** Codes of the communes that it is for. */
  readonly areas: readonly string[];
}

/** Who should be sent what at one step: the numbers of the people's rows. */
export interface StageExpectation {
  readonly stage: ChainStage;
  readonly main: Expectation;
  readonly told: Readonly<Record<Purpose, ReadonlySet<number>>>;
  /** Communes whose loudspeakers are ordered, by what they are told. */
  readonly ordered: Readonly<Record<Exclude<Purpose, "silent">, readonly string[]>>;
}

/**
 * The storm turns south: the first update loses a third of the coast and reaches as many communes
 * further inland, the second loses another part, and then it is all taken back.
 */
export function planChain(areas: readonly string[], units: readonly Unit[]): ChainStage[] {
  const third = Math.max(1, Math.floor(areas.length / 3));
  const kept = areas.slice(third);
  const others = units
    .filter(({ code, level }) => level === "commune" && !areas.includes(code))
    .map(({ code }) => code);
  const moved = [...kept, ...others.slice(0, third)];
  const last = moved.slice(Math.floor(kept.length / 2));
  return [
    { name: "alert", step: "alert", areas },
    { name: "update, moved", step: "update", areas: moved },
    { name: "correction", step: "correction", areas: moved },
    { name: "update, smaller", step: "update", areas: last },
    { name: "cancel", step: "cancel", areas: last },
  ];
}

/**
 * What each step should do, by plain loops: the new bulletin to its audience, the end of it to those
 * who had the one before and are not in it, a correction in silence, a cancel to all who have any.
 */
export function expectChain(
  stages: readonly ChainStage[],
  people: readonly Person[],
  units: readonly Unit[],
  meant: { readonly rule: "residents" | "both"; readonly account: string },
  isLive: (index: number) => boolean,
): StageExpectation[] {
  let have: ReadonlySet<number> = new Set();
  let communes: readonly string[] = [];
  return stages.map((stage) => {
    const main = expectAudience(people, units, { ...meant, areas: stage.areas });
    const audience = new Set(main.people.map(({ index }) => index));
    const nobody = new Set<number>();
    if (stage.step === "correction") {
      const silent = new Set([...have].filter((index) => isLive(index)));
      return {
        stage,
        main,
        told: { main: nobody, left: nobody, silent },
        ordered: { main: [], left: [] },
      };
    }
    const isEnd = stage.step === "cancel";
    const told = {
      main: isEnd ? have : audience,
      left: isEnd ? nobody : have.difference(audience),
      silent: nobody,
    };
    const left = communes.filter((code) => !main.communes.includes(code));
    have = isEnd ? nobody : audience;
    communes = isEnd ? [] : main.communes;
    return { stage, main, told, ordered: { main: main.communes, left: isEnd ? [] : left } };
  });
}
