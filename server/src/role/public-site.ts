// Joins what the public reads: the feed of publications, its copy in the data folder, the tree of
// areas, and the routes. It begins to look for what was issued once the front has an address.
import { join } from "node:path";
import type { App } from "../http/app.ts";
import { mountFeeds } from "../http/feeds.ts";
import { mountPublicPages } from "../http/public.ts";
import { openFeed } from "../feed/feed.ts";
import { INVENTED_PACK } from "../feed/publication.ts";
import { Site, type SitePlaces } from "../feed/site.ts";
import type { AreaTree } from "../registry/area.ts";
import type { RoleContext } from "./role.ts";

/** Beside the database; may be deleted, and is then written again. */
export const PUBLISHED_FOLDER = "published";

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
  const site = new Site({ feed, places: placesOf(tree), origin, now });
  return {
    mount(app) {
      mountFeeds(app, { site, capPublicKey: order.keys.cap.publicKey });
      mountPublicPages(app, { site });
    },
    follow(ownOrigin) {
      own = ownOrigin;
      feed.follow();
    },
    close: () => feed.close(),
  };
}

/** What the site asks of the tree; communes are sorted once for each tree. */
function placesOf(tree: () => AreaTree): SitePlaces {
  let sortedOf: AreaTree | undefined;
  let sorted: ReturnType<SitePlaces["communes"]> = [];
  return {
    find(code) {
      const area = tree().byCode(code);
      if (!area) return undefined;
      const commune = area.level === "village" ? tree().communeOf(area.id)?.code : undefined;
      return { code, name: area.name, commune };
    },
    communes() {
      if (sortedOf === tree()) return sorted;
      sortedOf = tree();
      const collator = new Intl.Collator("vi");
      sorted = sortedOf.areas
        .filter(({ level }) => level === "commune")
        .map(({ code, name, parentId }) => ({
          code,
          name,
          within: parentId === null ? null : (tree().byId(parentId)?.name ?? null),
        }))
        .toSorted((a, b) => collator.compare(a.name.vi, b.name.vi));
      return sorted;
    },
    isInvented: () => tree().packs.some(({ name }) => name === INVENTED_PACK),
  };
}
