// A QR code as inline SVG: one path of black cells, small enough for a page of 30 kB.
import { encode } from "uqr";
import { markup, type Html } from "./html.ts";

/** The quiet zone that readers want around the code: ISO/IEC 18004 asks for four cells. */
const QUIET_CELLS = 4;

/** @param label what it leads to, for who does not see it. */
export function renderQr(text: string, label: string): Html {
  const { data, size } = encode(text, { ecc: "M", border: 0 });
  const runs = data.flatMap((row, y) =>
    Array.from(
      row
        .map((cell) => (cell ? "1" : "0"))
        .join("")
        .matchAll(/1+/gu),
      (run) => {
        const length = run[0].length;
        return `M${run.index + QUIET_CELLS} ${y + QUIET_CELLS}h${length}v1h-${length}z`;
      },
    ),
  );
  const edge = size + 2 * QUIET_CELLS;
  return markup`<svg
    role="img"
    aria-label="${label}"
    viewBox="0 0 ${edge} ${edge}"
    width="144"
    height="144"
    shape-rendering="crispEdges">
    <path fill="#fff" d="M0 0h${edge}v${edge}H0z"/>
    <path fill="#000" d="${runs.join("")}"/>
  </svg>`;
}
