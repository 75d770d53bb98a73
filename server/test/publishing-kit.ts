// Publishing over the small Sông Lụa: bulletins that two people issue, and a feed and site on a
// folder of their own, at an instant that a test may choose.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BulletinContent } from "@loa/model/bulletin.ts";
import { typhoonContent, type TyphoonOptions } from "@loa/model/typhoon-content.ts";
import type { Actor } from "../src/account/actor.ts";
import { approveBulletin, createBulletin, submitBulletin } from "../src/bulletin/bulletin.ts";
import { loadBulletin } from "../src/bulletin/bulletin-row.ts";
import { cancelBulletin } from "../src/bulletin/cancel.ts";
import { draftNext } from "../src/bulletin/chain-draft.ts";
import { issueBulletin } from "../src/bulletin/issue.ts";
import { openFeed, type Feed, type FeedDeps } from "../src/feed/feed.ts";
import type { Publication } from "../src/feed/publication.ts";
import { Site } from "../src/feed/site.ts";
import { type BulletinWorld, createBulletinWorld, PLACES } from "./bulletin-world.ts";
import { silent } from "./engine-kit.ts";

export const ORIGIN = "https://canhbao.songlua.example";

export interface PublishingWorld extends AsyncDisposable {
  readonly world: BulletinWorld;
  readonly folder: string;
  /** Issued and published; `updates` are ids. */
  publish(content?: BulletinContent, updates?: readonly string[]): Promise<Publication>;
  cancel(id: string): Promise<Publication>;
  /** The correction or last bulletin that follows one. */
  next(id: string, step: "correction" | "last", content: BulletinContent): Promise<Publication>;
  /** A feed on the folder, as after a restart. */
  open(change?: Partial<FeedDeps>): Feed;
  readonly feed: Feed;
  readonly site: Site;
  /** What the site takes for the time; undefined is now. */
  at: Date | undefined;
}

export const typhoon = (
  areas: readonly string[] = ["SL001", "SL002"],
  options: Partial<TyphoonOptions> = {},
): BulletinContent =>
  typhoonContent({
    type: "Actual",
    target: { areas, zones: [], rule: { kind: "named" } },
    channels: ["live"],
    now: new Date(),
    ...options,
  });

export async function createPublishingWorld(): Promise<PublishingWorld> {
  const world = await createBulletinWorld();
  const folder = mkdtempSync(join(tmpdir(), "loa-published-"));
  const author = await world.actor("provinceAuthor");
  const approver = await world.actor("provinceApprover");
  const { db, pool } = world.database;
  const open = (change: Partial<FeedDeps> = {}): Feed =>
    openFeed({
      db,
      pool,
      bus: world.bus,
      log: silent,
      places: () => PLACES,
      folder,
      origin: () => ORIGIN,
      signer: { privateKey: world.keys.cap.privateKey },
      ...change,
    });
  const feed = open();
  const issue = async (id: string): Promise<Publication> => {
    await submitBulletin(world.deps, author, id, 1);
    const { hash } = await loadBulletin(pool, id);
    await approveBulletin(world.deps, approver, id, hash?.toString("hex") ?? "");
    await issueBulletin(world.deps, author, id);
    await feed.catchUp();
    const entry = feed.archive.byId(id);
    const publication = entry && feed.archive.publication(entry);
    if (!publication) throw new Error(`${id} was not published`);
    return publication;
  };
  const kit: PublishingWorld = {
    world,
    folder,
    feed,
    open,
    at: undefined,
    site: new Site({
      feed,
      origin: () => ORIGIN,
      now: () => kit.at ?? new Date(),
      places: {
        find(code) {
          const unit = PLACES.byCode(code);
          return unit && { code, name: unit.name, commune: communeOf(unit) };
        },
        former: () => undefined,
        communes: () => [],
        isInvented: () => true,
      },
    }),
    async publish(content = typhoon(), updates = []) {
      const wish = { accountId: accountOf(world, author), content, updates };
      const { id } = await createBulletin(world.deps, author, wish);
      return issue(id);
    },
    async cancel(id) {
      const reason = { vi: "Nêu sai địa bàn.", en: "Wrong area." };
      const draft = await cancelBulletin(world.deps, author, id, reason);
      return issue(draft.id);
    },
    async next(id, step, content) {
      const draft = await draftNext(world.deps, author, id, { step, content });
      return issue(draft.id);
    },
    async [Symbol.asyncDispose]() {
      await feed.close();
      rmSync(folder, { recursive: true, force: true });
      await world.close();
    },
  };
  return kit;
}

type Unit = NonNullable<ReturnType<typeof PLACES.byCode>>;

/** The commune around a village; nothing around what is larger. */
function communeOf(unit: Unit): string | undefined {
  const parent = unit.parentId === null ? undefined : PLACES.byId(unit.parentId);
  return parent?.parentId == null ? undefined : parent.code;
}

const accountOf = (world: BulletinWorld, actor: Actor): string =>
  world.demonstration.accounts.find((account) => account.agencyId === actor.agencyId)?.id ?? "";
