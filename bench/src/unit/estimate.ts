// What a duty officer sees while drawing: how many people a shape would reach, over the API, for
// shapes of as many points as a hand, a simplified and an official outline have.
import { estimateAudience } from "@loa/api/audience.ts";
import { createClient } from "@loa/api/client.ts";
import { type Random, seedRandom } from "@loa/model/random.ts";
import type { Position } from "@loa/model/target.ts";
import { clearDispatches } from "../dispatch-tables.ts";
import { type OpenSet, openPeopleSet } from "../people-set.ts";
import { quantile } from "../statistics.ts";
import { check, type Figure, figure, type Unit } from "../unit.ts";
import { waitUntil } from "../wait.ts";

const READY_MS_MAX = 120_000;
const SHAPES = 60;
const SHAPES_SMALL = 4;
const POINTS = [100, 1_000, 5_000] as const;
/** Degrees: from a district to a storm's coast. */
const RADIUS_MIN = 0.1;
const RADIUS_MAX = 1;
/** Where the shapes are drawn: land of Vietnam and of Sông Lụa lies around these. */
const CENTRES = {
  vietnam: [
    [105.8, 21],
    [106.7, 10.8],
    [107.6, 16.4],
    [104, 21.8],
    [108.2, 14],
  ],
  "song-lua": [[109.9, 13.9]],
} as const;

export const estimate: Unit = {
  name: "estimate",
  title: "How many people a shape that is being drawn would reach",
  async run(context) {
    const open = await openPeopleSet(context);
    try {
      const client = createClient({ origin: open.installation.api, key: open.set.authorKey });
      await clearDispatches(open.installation.connection.pool);
      // A server that is still starting gives way to warnings and refuses estimates.
      const body = { target: { areas: [...open.set.areas], rule: { kind: "named" } as const } };
      await waitUntil(READY_MS_MAX, () =>
        client.ask(estimateAudience, { body }).then(
          () => true,
          () => false,
        ),
      );
      const random = seedRandom(context.seed);
      const figures: Figure[] = [];
      let isRight = true;
      let hasPeople = 0;
      for (const points of POINTS) {
        const times: number[] = [];
        const count = context.isSmall ? SHAPES_SMALL : SHAPES;
        // The first ones warm up.
        for (let i = -2; i < count; i++) {
          const polygon = drawShape(random, open, points).map(([lon, lat]): [number, number] => [
            lon,
            lat,
          ]);
          const startedMs = performance.now();
          const { residents, concerned, communes } = await client.ask(estimateAudience, {
            body: { target: { polygon, rule: { kind: "touches" } }, audienceRule: "residents" },
          });
          if (i >= 0) times.push(performance.now() - startedMs);
          const sum = communes.reduce((all, each) => all + each.residents + each.concerned, 0);
          isRight &&= sum === residents + concerned;
          if (sum > 0) hasPeople += 1;
        }
        const target = points === 100 && !context.isSmall ? { target: { atMost: 150 } } : {};
        figures.push(figure(`${points} points, median`, "ms", times, "as it is"), {
          ...figure(`${points} points, p95`, "ms", times, "as it is", target),
          value: quantile(times, 0.95),
        });
      }
      return {
        figures,
        checks: [
          check("estimate: communes sum to the whole", isRight),
          check("estimate: shapes hold people", hasPeople > 0),
        ],
      };
    } finally {
      await open.installation.stop();
    }
  },
};

/** A closed ring around a centre that never crosses itself, ragged as a hand or a coast. */
function drawShape(random: Random, { set }: OpenSet, points: number): Position[] {
  const centres: readonly (readonly [number, number])[] = CENTRES[set.country];
  const [lon, lat] = centres[Math.floor(random() * centres.length)] as readonly [number, number];
  const radius = RADIUS_MIN + random() * (RADIUS_MAX - RADIUS_MIN);
  const ring = Array.from({ length: points - 1 }, (_, i): Position => {
    const angle = (i / (points - 1)) * 2 * Math.PI;
    const reach = radius * (0.8 + 0.2 * random());
    return [lon + reach * Math.cos(angle), lat + reach * Math.sin(angle)];
  });
  return [...ring, ring[0] as Position];
}
