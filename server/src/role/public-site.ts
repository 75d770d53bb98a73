// Joins what the public reads: the feed of publications, its copy in the data folder, the tree of
// areas, and the routes. It begins to look for what was issued once the front has an address.
import { join } from "node:path";
import type { App } from "../http/app.ts";
import { mountFeeds } from "../http/feeds.ts";
import { mountPublicPages } from "../http/public.ts";
import { openFeed } from "../feed/feed.ts";
import { openPlaces, recordPlaces } from "../feed/places.ts";
import { Site, type SitePlaces } from "../feed/site.ts";
import type { AreaTree } from "../registry/area.ts";
import { PUBLISHED_FOLDER, writePlaces } from "./public-door.ts";
import type { RoleContext } from "./role.ts";

export interface PublicSite {
  mount(app: App): void;
  /** From here on what was issued is published, under this origin. */
  follow(ownOrigin: string): void;
  close(): Promise<void>;
}

export function openPublicSite(
  { order, connection, bus, log }: RoleContext,
  tree: () => AreaTree,
  now: () => Date,
): PublicSite {
  let own = "";
  const origin = (): string => order.publicUrl || own;
  const feed = openFeed({
    ...connection,
    bus,
    log,
    places: tree,
    folder: join(order.dataFolder, PUBLISHED_FOLDER),
    origin,
    signer: { privateKey: order.keys.cap.privateKey },
  });
  let placesOf: AreaTree | undefined;
  let places: SitePlaces;
  const placesNow = (): SitePlaces => {
    if (placesOf !== tree()) {
      placesOf = tree();
      const record = recordPlaces(placesOf);
      places = openPlaces(record);
      try {
        writePlaces(order.dataFolder, record);
      } catch (error) {
        log.error({ err: error }, "the places could not be copied to disk");
      }
    }
    return places;
  };
  const site = new Site({
    feed,
    places: {
      find: (code) => placesNow().find(code),
      former: (code) => placesNow().former(code),
      communes: () => placesNow().communes(),
      isInvented: () => placesNow().isInvented(),
    },
    origin,
    now,
  });
  return {
    mount(app) {
      mountFeeds(app, { site, capPublicKey: order.keys.cap.publicKey });
      mountPublicPages(app, { site });
    },
    follow(ownOrigin) {
      own = ownOrigin;
      // A copy of the places lies on disk before anybody asks for one.
      placesNow();
      feed.follow();
    },
    close: () => feed.close(),
  };
}
