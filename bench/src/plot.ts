// The plot: how cost grows with registered people, one line for each figure, each on its own
// logarithmic scale relative to its value at the fewest people. A flat line is a cost that does not
// grow with people; the diagonal is one that grows as they do.
import type { Measured } from "./documents.ts";
import { formatValue } from "./page.ts";

const WIDTH = 870;
const HEIGHT = 420;
const LEFT = 64;
const RIGHT = 410;
const TOP = 24;
const BOTTOM = 48;
/** Distinct for people who cannot tell red from green, on light and on dark paper. */
const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f"];
/** What is drawn: unit, name and unit of measure of a figure. */
const LINES: readonly (readonly [unit: string, name: string, measure: string])[] = [
  ["engine", "issue to all durable", "s"],
  ["engine", "processor time to durable", "CPU-s/million"],
  ["engine", "disk after seal", "bytes/recipient"],
  ["issue", "request to issue to durable plan, p99", "ms"],
  ["estimate", "100 points, p95", "ms"],
  ["restart", "index ready after a kill", "s"],
  ["restart", "next send after a kill of all processes", "s"],
  ["memory", "all server processes", "GiB"],
  ["live", "issued until the last phone has it", "ms"],
  ["receipts", "gateway, packed: processor time", "CPU-s/million"],
  ["preempt", "issued until the first is sent", "ms"],
];

interface Line {
  readonly label: string;
  readonly colour: string;
  /** Of a colour that comes again. */
  readonly isDashed: boolean;
  readonly points: readonly { readonly people: number; readonly value: number }[];
}

export function drawPlot(measured: readonly Measured[]): string {
  const lines = LINES.map(([unit, name, measure], index): Line => ({
    label: `${unit}: ${name} (${measure})`,
    colour: COLOURS[index % COLOURS.length] as string,
    isDashed: index >= COLOURS.length,
    points: measured
      .filter((each) => each.unit === unit)
      .flatMap(({ subscribers, figures }) => {
        const found = figures.find((each) => each.name === name && each.unit === measure);
        return found ? [{ people: subscribers, value: found.value }] : [];
      })
      .filter(({ value }) => value > 0),
  })).filter(({ points }) => points.length > 0);
  const people = [...new Set(lines.flatMap(({ points }) => points.map((p) => p.people)))].toSorted(
    (a, b) => a - b,
  );
  const ratios = lines.flatMap(({ points }) =>
    points.map(({ value }) => value / (points[0]?.value ?? value)),
  );
  const [low, high] = [Math.min(0.5, ...ratios), Math.max(10, ...ratios)];
  const x = scale(people[0] ?? 1, people.at(-1) ?? 10, LEFT, WIDTH - RIGHT);
  const y = scale(low, high, HEIGHT - BOTTOM, TOP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="11" fill="#808080">`,
    `<title>Cost by registered people, relative to the fewest</title>`,
    ...drawAxes(people, low, high, x, y),
    ...lines.flatMap((line, index) => drawLine(line, index, x, y)),
    "</svg>",
    "",
  ].join("\n");
}

type Scale = (value: number) => number;

const scale =
  (low: number, high: number, from: number, to: number): Scale =>
  (value) =>
    high <= low
      ? from
      : from + ((Math.log(value) - Math.log(low)) / (Math.log(high) - Math.log(low))) * (to - from);

function drawAxes(
  people: readonly number[],
  low: number,
  high: number,
  x: Scale,
  y: Scale,
): string[] {
  const ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100].filter(
    (tick) => tick >= low && tick <= high,
  );
  return [
    ...ticks.map(
      (tick) =>
        `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at(y(tick))}" y2="${at(y(tick))}" stroke="#808080" stroke-opacity="0.3"/>` +
        `<text x="${LEFT - 8}" y="${at(y(tick) + 4)}" text-anchor="end">×${tick}</text>`,
    ),
    ...people.map(
      (count) =>
        `<text x="${at(x(count))}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${count / 1e6} M</text>`,
    ),
    `<text x="${(LEFT + WIDTH - RIGHT) / 2}" y="${HEIGHT - 10}" text-anchor="middle">registered people</text>`,
  ];
}

function drawLine(
  { label, colour, isDashed, points }: Line,
  index: number,
  x: Scale,
  y: Scale,
): string[] {
  const first = points[0]?.value ?? 1;
  const last = points.at(-1);
  const path = points.map((p) => `${at(x(p.people))},${at(y(p.value / first))}`).join(" ");
  const labelY = TOP + 14 + index * 30;
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${isDashed ? ' stroke-dasharray="6 3"' : ""}/>`,
    ...points.map(
      (p) =>
        `<circle cx="${at(x(p.people))}" cy="${at(y(p.value / first))}" r="3" fill="${colour}"/>`,
    ),
    `<text x="${WIDTH - RIGHT + 16}" y="${labelY}" fill="${colour}">${label}${isDashed ? " (dashed)" : ""}</text>`,
    `<text x="${WIDTH - RIGHT + 16}" y="${labelY + 13}">${formatValue(first)} at ${(points[0]?.people ?? 0) / 1e6} M, ${formatValue(last?.value ?? first)} at ${(last?.people ?? 0) / 1e6} M</text>`,
  ];
}

const at = (value: number): string => value.toFixed(1);
