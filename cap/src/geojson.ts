// GeoJSON (RFC 7946) of a message: a feature for each area of each info. CAP writes latitude first,
// GeoJSON longitude first; here is the one place where that is turned.
import type { CapArea, CapCircle, CapInfo, CapMessage, CapPoint } from "./message.ts";

type Position = readonly [longitude: number, latitude: number];

export type Geometry =
  | { readonly type: "Point"; readonly coordinates: Position }
  | { readonly type: "Polygon"; readonly coordinates: readonly (readonly Position[])[] }
  | { readonly type: "GeometryCollection"; readonly geometries: readonly Geometry[] };

export interface Feature {
  readonly type: "Feature";
  readonly geometry: Geometry | null;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface FeatureCollection {
  readonly type: "FeatureCollection";
  readonly features: readonly Feature[];
}

/** Corners of the polygon that stands for a circle: its area is within 0.2 % of the circle's. */
export const CIRCLE_CORNERS = 64;
const EARTH_RADIUS_KM = 6371.0088;

export function toGeoJson(message: CapMessage): FeatureCollection {
  return {
    type: "FeatureCollection",
    features: message.infos.flatMap((info) =>
      info.areas.map((area): Feature => ({
        type: "Feature",
        geometry: geometryOf(area),
        properties: propertiesOf(message, info, area),
      })),
    ),
  };
}

/** The area is the union of all its shapes; an area of codes alone has no geometry. */
function geometryOf({ polygons, circles }: CapArea): Geometry | null {
  const geometries = [...polygons.map(polygonOf), ...circles.map(circleOf)];
  const [first] = geometries;
  if (first === undefined) return null;
  return geometries.length === 1 ? first : { type: "GeometryCollection", geometries };
}

const position = ([latitude, longitude]: CapPoint): Position => [longitude, latitude];

/** RFC 7946, 3.1.6: the outer ring runs counterclockwise. */
function polygonOf(points: readonly CapPoint[]): Geometry {
  const ring = points.map(position);
  const twiceArea = ring.slice(1).reduce((sum, [x, y], index) => {
    const [fromX, fromY] = ring[index] as Position;
    return sum + fromX * y - x * fromY;
  }, 0);
  return { type: "Polygon", coordinates: [twiceArea < 0 ? ring.toReversed() : ring] };
}

function circleOf({ center, radiusKm }: CapCircle): Geometry {
  if (radiusKm === 0) return { type: "Point", coordinates: position(center) };
  const radians = Math.PI / 180;
  const [latitude, longitude] = [center[0] * radians, center[1] * radians];
  const angle = Math.min(radiusKm / EARTH_RADIUS_KM, Math.PI);
  const corners = Array.from({ length: CIRCLE_CORNERS }, (_, index): Position => {
    // Counterclockwise, from the east.
    const bearing = Math.PI / 2 - (index * 2 * Math.PI) / CIRCLE_CORNERS;
    const sin =
      Math.sin(latitude) * Math.cos(angle) +
      Math.cos(latitude) * Math.sin(angle) * Math.cos(bearing);
    const at = Math.asin(Math.max(-1, Math.min(1, sin)));
    const turn = Math.atan2(
      Math.sin(bearing) * Math.sin(angle) * Math.cos(latitude),
      Math.cos(angle) - Math.sin(latitude) * sin,
    );
    return [round((longitude + turn) / radians), round(at / radians)];
  });
  return { type: "Polygon", coordinates: [[...corners, corners[0] as Position]] };
}

/** A centimetre; more digits would claim what nobody measured. */
const round = (degrees: number): number => Math.round(degrees * 1e7) / 1e7;

const propertiesOf = (message: CapMessage, info: CapInfo, area: CapArea) => ({
  identifier: message.identifier,
  sender: message.sender,
  sent: message.sent,
  status: message.status,
  msgType: message.msgType,
  language: info.language,
  category: info.categories,
  event: info.event,
  responseType: info.responseTypes,
  urgency: info.urgency,
  severity: info.severity,
  certainty: info.certainty,
  effective: info.effective ?? message.sent,
  onset: info.onset ?? null,
  expires: info.expires ?? null,
  senderName: info.senderName ?? null,
  headline: info.headline ?? null,
  description: info.description ?? null,
  instruction: info.instruction ?? null,
  web: info.web ?? null,
  areaDesc: area.areaDesc,
  geocode: area.geocodes,
  circle: area.circles,
});
