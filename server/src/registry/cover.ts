// Which communes a drawn shape touches, and which share of each it covers. Communes are
// prepared once; a shape then costs the communes along its border, not the country.
import Flatbush from "flatbush";
import type { Position } from "@loa/model/target.ts";
import {
  bordersMeet,
  boxOfLines,
  indexLines,
  isInside,
  lineAt,
  type Lines,
  linesThrough,
  packLines,
} from "./line-set.ts";
import type { Shape } from "./segment.ts";
import { computeShares, type Surface } from "./share.ts";

/** A commune that the shapes touch, if only in a point, and the share that they cover. */
export interface Cover {
  readonly id: number;
  readonly share: number;
}

export interface CommuneCover {
  /** Covers of the union of the shapes, in no order. */
  cover(shapes: readonly Shape[]): Cover[];
}

interface Prepared extends Surface {
  readonly id: number;
  readonly lines: Lines;
}

/** How a shape lies to one commune: apart, all over it, or somewhere on its surface. */
type Relation = "apart" | "whole" | "partly";

/** Prepares communes. Memory: about 100 bytes a point. */
export function prepareCommunes(
  communes: readonly { readonly id: number; readonly shape: Shape }[],
): CommuneCover {
  const prepared = communes.map(({ id, shape }): Prepared => {
    const lines = packLines(shape);
    return { id, shape, lines, box: boxOfLines(lines) };
  });
  // An index wants at least one entry.
  const index = new Flatbush(Math.max(1, prepared.length));
  for (const { box } of prepared) index.add(...box);
  if (prepared.length === 0) index.add(0, 0, 0, 0);
  index.finish();
  return {
    cover(shapes) {
      const whole = new Set<Prepared>();
      const partly = new Set<Prepared>();
      for (const shape of shapes) {
        const lines = packLines(shape);
        const lineIndex = indexLines(lines);
        const [west, south, east, north] = boxOfLines(lines);
        for (const i of index.search(west, south, east, north)) {
          const commune = prepared[i];
          if (!commune || whole.has(commune)) continue;
          const relation = relate(commune, lines, lineIndex);
          if (relation === "whole") whole.add(commune);
          else if (relation === "partly") partly.add(commune);
        }
      }
      const uncertain = [...partly].filter((commune) => !whole.has(commune));
      const shares = computeShares(uncertain, shapes);
      return [
        ...[...whole].map(({ id }) => ({ id, share: 1 })),
        ...uncertain.map(({ id }, i) => ({ id, share: shares[i] as number })),
      ];
    },
  };
}

function relate({ box, lines, shape }: Prepared, drawn: Lines, drawnIndex: Flatbush): Relation {
  const near = linesThrough(drawn, drawnIndex, box);
  const startsIn = (polygon: Shape[number]) => {
    const [x, y] = (polygon[0] as Shape[number][number])[0] as Position;
    return isInside(drawn, x, y, drawnIndex);
  };
  // No drawn line in the commune's box: all of the box is on one side.
  if (near.length === 0) return startsIn(shape[0] as Shape[number]) ? "whole" : "apart";
  if (bordersMeet(drawn, near, lines)) return "partly";
  // The borders are apart: each of the commune's polygons is wholly in or out, unless the drawing
  // (an island of it, or a hole) lies wholly within the commune.
  const drawnWithin = near.some((line) => {
    const [x, y] = lineAt(drawn, line * 4);
    return isInside(lines, x, y);
  });
  if (drawnWithin) return "partly";
  const inside = shape.filter(startsIn).length;
  return inside === 0 ? "apart" : inside === shape.length ? "whole" : "partly";
}
