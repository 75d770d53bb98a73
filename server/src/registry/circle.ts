// A circle on the globe as a ring of points. The ring lies just outside the circle, so that its
// straight edges leave out nobody who is within the radius.
import type { Position } from "@loa/model/target.ts";

/** Mean radius of the earth (IUGG), kilometres. */
const EARTH_RADIUS_KM = 6371.0088;
/** With 256 points the ring lies at most 0.008 % of the radius outside the circle. */
const CIRCLE_POINTS = 256;

const toRadians = (degrees: number) => (degrees * Math.PI) / 180;
const toDegrees = (radians: number) => (radians * 180) / Math.PI;

/** The closed ring, or a sentence about why there is none. */
export function drawCircle(
  [lon, lat]: Position,
  radiusKm: number,
): { readonly ring: readonly Position[] } | { readonly fault: string } {
  const angle = radiusKm / EARTH_RADIUS_KM / Math.cos(Math.PI / CIRCLE_POINTS);
  if (Math.abs(toRadians(lat)) + angle >= Math.PI / 2) return { fault: "reaches over a pole" };
  const phi = toRadians(lat);
  const ring = Array.from({ length: CIRCLE_POINTS }, (_, i): Position => {
    const bearing = (2 * Math.PI * i) / CIRCLE_POINTS;
    const sine =
      Math.sin(phi) * Math.cos(angle) + Math.cos(phi) * Math.sin(angle) * Math.cos(bearing);
    const east = Math.atan2(
      Math.sin(bearing) * Math.sin(angle) * Math.cos(phi),
      Math.cos(angle) - Math.sin(phi) * sine,
    );
    return [lon + toDegrees(east), toDegrees(Math.asin(sine))];
  });
  if (ring.some(([x]) => Math.abs(x) > 180)) return { fault: "reaches over the 180th meridian" };
  return { ring: [...ring, ring[0] as Position] };
}
