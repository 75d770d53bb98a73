// Everything that the public can read, by what it is: pages, lists, feeds, documents. Rendered once
// for each version of the archive and kept; nothing here asks the database, but for a document
// whose file is gone.
import { readShortCode } from "@loa/model/short-code.ts";
import type { Bilingual, Language } from "@loa/model/text.ts";
import { type AreaChoice, type Choice, type Entry } from "./archive.ts";
import { type Asset, AssetCache, CACHE_CHANGING, CACHE_FOR_EVER, makeAsset } from "./asset.ts";
import { renderAtom } from "./atom.ts";
import type { Published } from "./feed.ts";
import { renderFeature, renderGeoJson } from "./geojson.ts";
import { Matcher, MATCHED_MAX, PASTE_MAX } from "./match.ts";
import {
  type FormerUnit,
  type NamedUnit,
  renderAreasPage,
  renderFormerPage,
} from "./page/area-page.ts";
import { renderBulletinPage, renderPartPage } from "./page/bulletin-page.ts";
import { type CheckResult, renderCheckPage } from "./page/check-page.ts";
import { inLanguage } from "./page/layout.ts";
import { renderListPage } from "./page/list-page.ts";
import type { PageFacts } from "./page/state.ts";
import { type Publication, type Shelf } from "./publication.ts";

/** Files in each folder of feeds. */
export const FEED_FILES = [
  "alerts.atom",
  "alerts.geojson",
  "exercises.atom",
  "exercises.geojson",
] as const;
export type FeedFile = (typeof FEED_FILES)[number];
/** Pages of a list that can be asked for: bounds what a stranger makes us render. */
export const LIST_NUMBER_MAX = 500;

export const HTML_TYPE = "text/html; charset=utf-8";
const ATOM_TYPE = "application/atom+xml; charset=utf-8";
const GEOJSON_TYPE = "application/geo+json; charset=utf-8";
const CAP_TYPE = "application/cap+xml; charset=utf-8";

/** What a list or feed is about. */
export type Scope =
  | { readonly kind: "all" }
  | { readonly kind: "account"; readonly handle: string }
  | { readonly kind: "area"; readonly code: string }
  | { readonly kind: "incident"; readonly id: string };

/** What is asked of the tree of areas; it is in memory. */
export interface SitePlaces {
  /** Undefined for a code that no active unit has. */
  find(code: string): (AreaChoice & { readonly name: Bilingual }) | undefined;
  /** What became of a code that was in force; undefined for one that is, or never was. */
  former(code: string): FormerUnit | undefined;
  /** All communes, sorted by name. */
  communes(): readonly NamedUnit[];
  /** Whether the province is the invented one. */
  isInvented(): boolean;
}

export interface SiteDeps {
  readonly feed: Published;
  readonly places: SitePlaces;
  readonly origin: () => string;
  readonly now: () => Date;
}

export class Site {
  readonly #deps: SiteDeps;
  readonly #cache: AssetCache;
  readonly #matcher = new Matcher();

  constructor(deps: SiteDeps) {
    this.#deps = deps;
    this.#cache = new AssetCache(deps.feed.archive, deps.now);
    this.#matcher.prepare(deps.feed.archive.recent(MATCHED_MAX));
  }

  /** A list of the shelf of alerts or, of everything, of exercises; pages count from 1. */
  list(language: Language, scope: Scope, shelf: Shelf, number: number): Asset | undefined {
    const about = this.#about(scope);
    if (!about || number > LIST_NUMBER_MAX) return undefined;
    const path = shelf === "exercises" ? "/exercises" : about.page;
    const title = shelf === "exercises" ? EXERCISES_TITLE : about.title;
    return this.#page(`${inLanguage(language, path)} ${number}`, language, (facts) =>
      renderListPage(facts, {
        choice: { ...about.choice, shelf },
        path,
        title,
        number,
        isInvented: this.#deps.places.isInvented(),
        feeds: about.feeds,
      }),
    );
  }

  bulletin(language: Language, code: string): Asset | undefined {
    return this.#ofBulletin(`/b/${code} ${language}`, language, code, renderBulletinPage);
  }

  /** `areas`, or an item by its number. */
  part(language: Language, code: string, part: string): Asset | undefined {
    return this.#ofBulletin(`/b/${code}/${part} ${language}`, language, code, (...parts) =>
      renderPartPage(...parts, part),
    );
  }

  /** Found by name; not kept, because names are whatever people type. */
  areas(language: Language, name: string): Asset {
    const { places } = this.#deps;
    const page = renderAreasPage(language, name, places.communes(), places.isInvented());
    return makeAsset(page, HTML_TYPE, CACHE_CHANGING);
  }

  /** What became of a code that no unit has any more. */
  former(code: string): FormerUnit | undefined {
    const { places } = this.#deps;
    return places.find(code) ? undefined : places.former(code);
  }

  /** The choice between the units into which a former one went. */
  formerPage(language: Language, former: FormerUnit): Asset {
    const page = renderFormerPage(language, former, this.#deps.places.isInvented());
    return makeAsset(page, HTML_TYPE, CACHE_CHANGING);
  }

  feedFile(scope: Scope, file: FeedFile): Asset | undefined {
    const about = this.#about(scope);
    if (!about) return undefined;
    const [shelf, form] = file.split(".") as [Shelf, "atom" | "geojson"];
    const path = about.feeds + file;
    const choice = { ...about.choice, shelf };
    return this.#cache.get(path, (now) => {
      const facts = { archive: this.#deps.feed.archive, now, origin: this.#deps.origin() };
      return form === "atom"
        ? makeAsset(
            renderAtom(facts, { choice, title: about.title.vi, path }),
            ATOM_TYPE,
            CACHE_CHANGING,
          )
        : makeAsset(renderGeoJson(facts, choice), GEOJSON_TYPE, CACHE_CHANGING);
    });
  }

  /** Byte for byte as it was published. */
  async cap(code: string): Promise<Asset | undefined> {
    const entry = this.#deps.feed.archive.byCode(code);
    const bytes = entry && (await this.#deps.feed.cap(entry));
    return (
      bytes && this.#cache.get(`/cap/${code}`, () => makeAsset(bytes, CAP_TYPE, CACHE_FOR_EVER))
    );
  }

  feature(code: string): Asset | undefined {
    const { archive } = this.#deps.feed;
    const entry = archive.byCode(code);
    const publication = entry && archive.publication(entry);
    return (
      publication &&
      this.#cache.get(`/geojson/${code}`, () =>
        makeAsset(renderFeature(publication, this.#deps.origin()), GEOJSON_TYPE, CACHE_FOR_EVER),
      )
    );
  }

  /** What somebody typed as a code. Nothing of it is kept. */
  checkCode(typed: string): CheckResult {
    const { archive } = this.#deps.feed;
    // A link to a bulletin's page is as good as its code.
    const read = readShortCode(/\/b\/([^/?#\s]+)/u.exec(typed)?.[1] ?? typed);
    if (read.kind === "no-code") return { kind: "no-code" };
    if (read.kind === "mistyped") return { kind: "code-mistyped" };
    const entry = archive.byCode(read.code);
    const publication = entry && archive.publication(entry);
    if (!entry || !publication) return { kind: "code-unknown", code: read.code };
    return { kind: "code-found", entry, publication };
  }

  /** What somebody pasted. Nothing of it is kept. */
  checkText(pasted: string): CheckResult {
    if (pasted.length > 2 * PASTE_MAX) return { kind: "text-too-long" };
    const text = pasted.trim();
    if (text.length <= 200 && !/\s/u.test(text)) {
      const byCode = this.checkCode(text);
      if (byCode.kind !== "no-code") return byCode;
    }
    const { archive } = this.#deps.feed;
    const match = this.#matcher.match(text, this.#candidates());
    const entry = match.kind === "found" ? archive.byId(match.source.publication.id) : undefined;
    return { kind: "text", match, entry };
  }

  /** What holds now comes first: of bulletins with the same text that one is meant. */
  #candidates(): Publication[] {
    const { archive } = this.#deps.feed;
    const now = this.#deps.now();
    const isInForce = ({ id }: Publication): boolean => {
      const entry = archive.byId(id);
      return entry !== undefined && archive.stateAt(entry, now).kind === "in-force";
    };
    const byForce = Map.groupBy(archive.recent(MATCHED_MAX), isInForce);
    return [...(byForce.get(true) ?? []), ...(byForce.get(false) ?? [])];
  }

  checkPage(language: Language, result: CheckResult): string {
    const { places } = this.#deps;
    return renderCheckPage(this.#facts(language, this.#deps.now()), result, places.isInvented());
  }

  #facts(language: Language, now: Date): PageFacts {
    return { archive: this.#deps.feed.archive, now, origin: this.#deps.origin(), language };
  }

  #page(
    key: string,
    language: Language,
    render: (facts: PageFacts) => string | undefined,
  ): Asset | undefined {
    return this.#cache.get(key, (now) => {
      const page = render(this.#facts(language, now));
      return page === undefined ? undefined : makeAsset(page, HTML_TYPE, CACHE_CHANGING);
    });
  }

  #ofBulletin(
    key: string,
    language: Language,
    code: string,
    render: (facts: PageFacts, entry: Entry, publication: Publication) => string | undefined,
  ): Asset | undefined {
    const { archive } = this.#deps.feed;
    const entry = archive.byCode(code);
    if (!entry) return undefined;
    return this.#page(key, language, (facts) => {
      const publication = archive.publication(entry);
      return publication && render(facts, entry, publication);
    });
  }

  /** Undefined for what does not exist, so that no stranger fills the cache. */
  #about(
    scope: Scope,
  ): { choice: Omit<Choice, "shelf">; title: Bilingual; page: string; feeds: string } | undefined {
    const { archive } = this.#deps.feed;
    switch (scope.kind) {
      case "all":
        return { choice: {}, title: ALL_TITLE, page: "/", feeds: "/feeds/" };
      case "account": {
        const known = archive.newestWhere(({ handle }) => handle === scope.handle);
        const title = known && archive.publication(known)?.account.name;
        const path = encodeURIComponent(scope.handle);
        return (
          title && {
            choice: { handle: scope.handle },
            title,
            page: `/o/${path}`,
            feeds: `/feeds/accounts/${path}/`,
          }
        );
      }
      case "incident": {
        const known = archive.newestWhere(({ incidentId }) => incidentId === scope.id);
        const title = known && archive.publication(known)?.incident?.name;
        return (
          title && {
            choice: { incidentId: scope.id },
            title,
            page: `/i/${scope.id}`,
            feeds: `/feeds/incidents/${scope.id}/`,
          }
        );
      }
      case "area": {
        const area = this.#deps.places.find(scope.code);
        const path = encodeURIComponent(scope.code);
        return (
          area && {
            choice: { area },
            title: area.name,
            page: `/a/${path}`,
            feeds: `/feeds/areas/${path}/`,
          }
        );
      }
    }
  }
}

const ALL_TITLE: Bilingual = {
  vi: "Cảnh báo, thông báo chính thức",
  en: "Official warnings and notices",
};
const EXERCISES_TITLE: Bilingual = {
  vi: "Diễn tập và tin thử nghiệm",
  en: "Exercises and tests",
};
