// Publications as GeoJSON (RFC 7946), for maps. A feature's shape is what the agency drew; where it
// named units instead, the shape is null and the codes of the units are among the properties:
// the outlines of units belong to whoever made them, and not every area pack may be passed on.
import { HAZARDS } from "@loa/model/hazard.ts";
import { formatLocalTime } from "@loa/model/local-time.ts";
import { drawCircle } from "../registry/circle.ts";
import type { Choice } from "./archive.ts";
import { capPath, type Fed, fedOf, type FeedFacts } from "./atom.ts";
import { pagePath } from "./compose.ts";
import { type Publication, stepOf } from "./publication.ts";

/** A feed of everything in force. */
export const renderGeoJson = (facts: FeedFacts, choice: Choice): string =>
  JSON.stringify({
    type: "FeatureCollection",
    features: fedOf(facts, choice).map(({ publication, state }) => ({
      ...featureOf(publication, facts.origin),
      properties: { ...propertiesOf(publication, facts.origin), ...stateOf(state) },
    })),
  });

/** One publication, without what changes: it stays the same for ever. */
export const renderFeature = (publication: Publication, origin: string): string =>
  JSON.stringify(featureOf(publication, origin));

function featureOf(publication: Publication, origin: string) {
  return {
    type: "Feature",
    id: publication.identifier,
    geometry: geometryOf(publication),
    properties: propertiesOf(publication, origin),
  };
}

function geometryOf({ content }: Publication) {
  const { polygon, circle } = content.target;
  if (polygon) return { type: "Polygon", coordinates: [counterclockwise(polygon)] };
  const drawn = circle && drawCircle(circle.center, circle.radiusKm);
  return drawn && "ring" in drawn
    ? { type: "Polygon", coordinates: [counterclockwise(drawn.ring)] }
    : null;
}

type Ring = readonly (readonly [number, number])[];

/** The outer ring of a polygon runs counterclockwise: RFC 7946, 3.1.6. */
function counterclockwise(ring: Ring): Ring {
  const doubled = ring.reduce((sum, [x, y], i) => {
    const [nextX, nextY] = ring[(i + 1) % ring.length] ?? [x, y];
    return sum + (nextX - x) * (nextY + y);
  }, 0);
  return doubled > 0 ? ring.toReversed() : ring;
}

function propertiesOf(publication: Publication, origin: string) {
  const { content, code, account, incident, areas } = publication;
  return {
    type: content.type,
    msgType: publication.msgType,
    step: stepOf(publication),
    kind: content.kind,
    nature: content.nature,
    hazard: content.hazard,
    hazardName: HAZARDS[content.hazard].name,
    riskLevel: content.riskLevel,
    number: content.number,
    account: account.handle,
    accountName: account.name,
    incident: incident && { id: incident.id, name: incident.name },
    headline: { vi: content.texts.vi.headline, en: content.texts.en.headline },
    sent: formatLocalTime(new Date(publication.issuedAt)),
    expires: formatLocalTime(new Date(publication.expiresAt)),
    areas: areas.map((area) => ({
      code: area.code,
      name: area.name,
      ...(area.villages && { villages: area.villages }),
    })),
    packs: publication.packs,
    shortCode: code,
    web: { vi: origin + pagePath(code, "vi"), en: origin + pagePath(code, "en") },
    cap: origin + capPath(code),
  };
}

const stateOf = (state: Fed["state"]) => ({
  state: state.kind,
  ...("at" in state && { endedAt: formatLocalTime(state.at) }),
});
