// The thread in which drawn shapes are compared with communes. It is told the communes once and
// then answers one question after the other; whoever asks may end it at any instant.
import { parentPort } from "node:worker_threads";
import { type CommuneCover, type Cover, prepareCommunes } from "./cover.ts";
import type { Shape } from "./segment.ts";
import { checkCrossings } from "./shape.ts";

/** What the thread is told. Shapes of communes come as GeoJSON text, to be parsed here. */
export type ToTargetWorker =
  | { readonly kind: "communes"; readonly rows: readonly { id: number; geometry: string }[] }
  | { readonly kind: "ready" }
  | { readonly kind: "cover"; readonly request: number; readonly shapes: readonly NamedShape[] };

/** A drawn shape and where in the target it stands. */
export interface NamedShape {
  readonly at: string;
  readonly shape: Shape;
}

export type FromTargetWorker =
  | { readonly request: number; readonly covers: readonly Cover[] }
  | { readonly request: number; readonly fault: { readonly at: string; readonly what: string } };

const communes: { id: number; shape: Shape }[] = [];
let prepared: CommuneCover | undefined;

parentPort?.on("message", (message: ToTargetWorker) => {
  switch (message.kind) {
    case "communes":
      for (const { id, geometry } of message.rows)
        communes.push({ id, shape: readStored(geometry) });
      break;
    case "ready":
      prepared = prepareCommunes(communes);
      break;
    case "cover":
      answer(coverShapes(message.request, message.shapes));
      break;
    default:
      message satisfies never;
  }
});

function coverShapes(request: number, shapes: readonly NamedShape[]): FromTargetWorker {
  for (const { at, shape } of shapes) {
    const what = checkCrossings(shape);
    if (what !== null) return { request, fault: { at, what } };
  }
  if (!prepared) throw new Error("asked before all communes were there");
  return { request, covers: prepared.cover(shapes.map(({ shape }) => shape)) };
}

/** Stored shapes were checked when they were imported. */
function readStored(text: string): Shape {
  const { type, coordinates } = JSON.parse(text) as { type: string; coordinates: unknown };
  return (type === "Polygon" ? [coordinates] : coordinates) as Shape;
}

function answer(message: FromTargetWorker): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
  parentPort?.postMessage(message);
}
