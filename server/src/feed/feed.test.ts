import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkCap } from "@loa/cap/check.ts";
import { readCap } from "@loa/cap/read.ts";
import { verifyCap } from "@loa/cap/verify.ts";
import { makeShortCode } from "@loa/model/short-code.ts";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PLACES } from "../../test/bulletin-world.ts";
import {
  createPublishingWorld,
  ORIGIN,
  type PublishingWorld,
  typhoon,
} from "../../test/publishing-kit.ts";
import { ENDED_KEPT_DAYS } from "./archive.ts";
import type { Publication } from "./publication.ts";
import type { FeedFile, Scope } from "./site.ts";

let kit: PublishingWorld;
beforeAll(async () => {
  kit = await createPublishingWorld();
});
afterAll(() => kit[Symbol.asyncDispose]());

const capOf = async ({ id }: Publication): Promise<Buffer> => {
  const entry = kit.feed.archive.byId(id);
  return (entry && (await kit.feed.cap(entry))) ?? Buffer.alloc(0);
};
const fed = (file: FeedFile, scope: Scope = { kind: "all" }): string =>
  Buffer.from(kit.site.feedFile(scope, file)?.bodies.identity ?? "").toString();
const stateOf = ({ id }: Publication, at = new Date()) => {
  const entry = kit.feed.archive.byId(id);
  return entry && kit.feed.archive.stateAt(entry, at).kind;
};
const databaseAway = {
  query: () => Promise.reject(new Error("connect ECONNREFUSED")),
} as unknown as pg.Pool;

describe("the CAP document of a bulletin", () => {
  test("follows the profile, is signed with the pinned key, and names what was approved", async () => {
    const published = await kit.publish(typhoon(["SL001-01", "SL002"]));
    const cap = await capOf(published);
    expect(checkCap(cap, { profile: "loa" })).toMatchObject({ valid: true });
    expect(checkCap(cap, { profile: "google" })).toMatchObject({ valid: true });
    const { publicKey } = kit.world.keys.cap;
    const sender = "songlua@canhbao.songlua.example";
    expect(verifyCap(cap, { keys: [{ sender, publicKey }] }).verified).toBe(true);
    const { message } = readCap(cap);
    expect(message).toMatchObject({
      identifier: `loa.songlua.${published.id}`,
      sender,
      status: "Actual",
      msgType: "Alert",
      infos: [{ language: "vi-VN", web: `${ORIGIN}/b/${published.code}` }, { language: "en" }],
    });
    const codes = message?.infos[0]?.areas.flatMap(({ geocodes }) => geocodes);
    expect(codes?.map(({ value }) => value)).toEqual(["SL001-01", "SL002"]);
  });

  test("of an update and a cancel refers to what it takes the place of", async () => {
    const first = await kit.publish();
    const update = await kit.publish(typhoon(), [first.id]);
    const cancel = await kit.cancel(update.id);
    const references = (bytes: Buffer) => readCap(bytes).message?.references;
    const tripleOf = async (published: Publication) => {
      const { sender, identifier, sent } = readCap(await capOf(published)).message ?? {};
      return [{ sender, identifier, sent }];
    };
    expect(references(await capOf(update))).toEqual(await tripleOf(first));
    expect(references(await capOf(cancel))).toEqual(await tripleOf(update));
    expect(readCap(await capOf(cancel)).message).toMatchObject({ msgType: "Cancel" });
    expect([first, update, cancel].map((each) => stateOf(each))).toEqual([
      "replaced",
      "cancelled",
      "in-force",
    ]);
  });

  test("of a correction says what it corrects, of a last bulletin that it is one", async () => {
    const content = typhoon();
    const { vi } = content.texts;
    const full = vi.full.replace("20 giờ", "22 giờ");
    const faulty = await kit.publish({
      ...content,
      texts: { ...content.texts, vi: { ...vi, full } },
    });
    const correction = await kit.next(faulty.id, "correction", content);
    const last = await kit.next(correction.id, "last", content);
    const said = async (published: Publication) => {
      const { message } = readCap(await capOf(published));
      const [info, english] = message?.infos ?? [];
      const value = (of: typeof info, name: string) =>
        of?.parameters.find(({ valueName }) => valueName === name)?.value;
      return {
        codes: message?.codes,
        correction: [value(info, "loa.correction"), value(english, "loa.correction")],
        last: value(info, "loa.lastBulletin"),
      };
    };
    const codes = ["profile:loa:1.0"];
    expect(await said(correction)).toEqual({
      codes,
      correction: [
        expect.stringMatching(/^Đính chính bản tin số 09\/CĐ-PTDS ban hành lúc .*: toàn văn\.$/u),
        expect.stringMatching(/^Corrects bulletin 09\/CĐ-PTDS of .*: other versions\.$/u),
      ],
      last: undefined,
    });
    expect(await said(last)).toEqual({ codes, correction: [undefined, undefined], last: "true" });
    expect(fed("alerts.atom")).toMatch(/term="correction" scheme="urn:loa:step"/u);
    expect(fed("alerts.geojson")).toContain('"step":"last"');
  });

  test("keeps a level that people wrote bare, and then does not claim the profile", async () => {
    const content = typhoon();
    const headline = "Bão cấp 4 đi vào Sông Lụa đêm nay";
    const vi = { ...content.texts.vi, headline };
    const published = await kit.publish({ ...content, texts: { ...content.texts, vi } });
    const { message } = readCap(await capOf(published));
    expect(message).toMatchObject({ codes: [], infos: [{ headline }, {}] });
  });
});

describe("what was published", () => {
  test("never changes, byte for byte: by a restart, a lost folder, or time", async () => {
    const published = await kit.publish();
    const cap = await capOf(published);
    const file = join(kit.folder, `${published.code}.xml`);
    expect(readFileSync(file)).toEqual(cap);
    rmSync(file);
    await using again = {
      ...kit.open({ signer: undefined }),
      [Symbol.asyncDispose]: async () => {},
    };
    expect(again.archive.byId(published.id)).toBeUndefined();
    await again.catchUp();
    expect(readFileSync(file)).toEqual(cap);
    await again.close();
  });

  test("is answered after a restart while the database is away", async () => {
    const published = await kit.publish();
    const cap = await capOf(published);
    const restarted = kit.open({ pool: databaseAway });
    const entry = restarted.archive.byCode(published.code);
    expect(entry && restarted.archive.publication(entry)).toEqual(published);
    expect(entry && (await restarted.cap(entry))).toEqual(cap);
    await expect(restarted.catchUp()).rejects.toThrow("ECONNREFUSED");
    await restarted.close();
  });

  test("is read from the table where a file on disk is broken", async () => {
    const published = await kit.publish();
    writeFileSync(join(kit.folder, `${published.code}.json`), '{"v":1,');
    const restarted = kit.open();
    expect(restarted.archive.byId(published.id)).toBeUndefined();
    await restarted.catchUp();
    const entry = restarted.archive.byId(published.id);
    expect(entry && restarted.archive.publication(entry)).toEqual(published);
    await restarted.close();
    expect(readdirSync(kit.folder).filter((name) => name.endsWith(".draft"))).toEqual([]);
  });

  test("has another code where its own is taken", async () => {
    const { pool } = kit.world.database;
    const taken = await kit.publish();
    const thief = await kit.publish();
    await pool.query("DELETE FROM publication WHERE bulletin_id = $1", [taken.id]);
    await pool.query("UPDATE publication SET code = $1 WHERE bulletin_id = $2", [
      makeShortCode(taken.id),
      thief.id,
    ]);
    const restarted = kit.open({ folder: join(kit.folder, "empty") });
    await restarted.catchUp();
    expect(restarted.archive.byId(taken.id)?.code).toBe(makeShortCode(taken.id, 1));
    await restarted.close();
  });

  test("is nothing, and loud, where the document would name other places than were approved", async () => {
    const faults: unknown[] = [];
    const log = { error: (_: unknown, said: string) => faults.push(said) } as never;
    const published = await kit.publish(typhoon(["SL001-02"]));
    await kit.world.database.pool.query("DELETE FROM publication WHERE bulletin_id = $1", [
      published.id,
    ]);
    // A village whose code is another one each time that it is asked for.
    let asked = 0;
    const byId = (id: number) => {
      const unit = PLACES.byId(id);
      return unit && { ...unit, code: id === 102 ? `SL001-${++asked}` : unit.code };
    };
    const folder = join(kit.folder, "closed");
    const wrong = kit.open({ folder, log, places: () => ({ ...PLACES, byId }) });
    await wrong.catchUp();
    expect(wrong.archive.byId(published.id)).toBeUndefined();
    expect(readdirSync(folder)).not.toContain(`${published.code}.xml`);
    expect(faults).toEqual(["a bulletin could not be published"]);
    expect(asked).toBeGreaterThan(1);
    await wrong.close();
    await kit.feed.catchUp();
  });
});

describe("feeds", () => {
  test("never mix an exercise or a test with what is actual", async () => {
    const real = await kit.publish();
    const exercise = await kit.publish(typhoon(["SL001"], { type: "Exercise" }));
    expect(readCap(await capOf(exercise)).message?.status).toBe("Exercise");
    for (const form of ["atom", "geojson"] as const) {
      expect(fed(`alerts.${form}`)).toContain(real.identifier);
      expect(fed(`alerts.${form}`)).not.toContain(exercise.identifier);
      expect(fed(`exercises.${form}`)).toContain(exercise.identifier);
      expect(fed(`exercises.${form}`)).not.toContain(real.identifier);
    }
    expect(fed("exercises.atom")).toMatch(/<title>DIỄN TẬP/u);
  });

  test("of a unit hold what is for it, above it and for its villages", async () => {
    const province = await kit.publish(typhoon(["SL"]));
    const commune = await kit.publish(typhoon(["SL001"]));
    const village = await kit.publish(typhoon(["SL001-02"]));
    const elsewhere = await kit.publish(typhoon(["SL004"]));
    const all = [province, commune, village, elsewhere];
    const heldBy = (code: string) => {
      const text = fed("alerts.atom", { kind: "area", code });
      return all.filter(({ identifier }) => text.includes(identifier));
    };
    expect(heldBy("SL")).toEqual(all);
    expect(heldBy("SL001")).toEqual([province, commune, village]);
    expect(heldBy("SL001-01")).toEqual([province, commune]);
    expect(heldBy("SL004")).toEqual([province, elsewhere]);
    expect(kit.site.feedFile({ kind: "area", code: "HN" }, "alerts.atom")).toBeUndefined();
    expect(kit.site.feedFile({ kind: "account", handle: "x" }, "alerts.atom")).toBeUndefined();
    expect(fed("alerts.atom", { kind: "account", handle: "songlua" })).toContain(
      village.identifier,
    );
  });

  test("keep what has ended for two weeks, and say how it ended", async () => {
    const published = await kit.publish(typhoon(["SL005"], { hours: 1 }));
    const days = (count: number) => new Date(Date.parse(published.expiresAt) + count * 86_400_000);
    const states = () => {
      const { features } = JSON.parse(fed("alerts.geojson")) as {
        features: { id: string; properties: { state: string } }[];
      };
      return features.find(({ id }) => id === published.identifier)?.properties.state;
    };
    expect(states()).toBe("in-force");
    kit.at = new Date(Date.parse(published.expiresAt));
    expect(states()).toBe("expired");
    kit.at = days(ENDED_KEPT_DAYS - 0.01);
    expect(states()).toBe("expired");
    kit.at = days(ENDED_KEPT_DAYS);
    expect(states()).toBeUndefined();
    expect(stateOf(published, kit.at)).toBe("expired");
    kit.at = undefined;
  });
});
