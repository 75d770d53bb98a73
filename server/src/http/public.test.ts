// What the public reads, over HTTP: caching, security, tolerance of what people and attackers send.
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { ITEM_TEXT_MAX, ITEMS_MAX } from "@loa/model/bulletin.ts";
import { formatShortCode } from "@loa/model/short-code.ts";
import { Problem } from "@loa/model/problem.ts";
import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createPublishingWorld, type PublishingWorld, typhoon } from "../../test/publishing-kit.ts";
import type { Publication } from "../feed/publication.ts";
import { PAGE_BYTES_MAX } from "../feed/page/layout.ts";
import { openPlaces } from "../feed/places.ts";
import { Site } from "../feed/site.ts";
import { type App, buildApp } from "./app.ts";
import { mountFeeds } from "./feeds.ts";
import { CHECKS_BURST, mountPublicPages, renderProblemPage } from "./public.ts";

let kit: PublishingWorld;
let app: App;
let order: Publication;
/** Everything that was logged. */
let logged = "";

beforeAll(async () => {
  kit = await createPublishingWorld();
  order = await kit.publish();
  app = newApp();
});
afterAll(() => kit[Symbol.asyncDispose]());

function newApp(site: Site = kit.site): App {
  const log = pino({ level: "trace" }, { write: (line: string) => (logged += line) });
  const built = buildApp({
    db: kit.world.database.db,
    log,
    authenticate: () => Promise.reject(new Error("nobody signs in here")),
    answerPeople: renderProblemPage,
  });
  mountFeeds(built, { site, capPublicKey: kit.world.keys.cap.publicKey });
  mountPublicPages(built, { site });
  return built;
}

const get = async (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  app.request(path, { headers });
const paste = async (text: string, path = "/check"): Promise<Response> =>
  app.request(path, {
    method: "POST",
    body: new URLSearchParams({ text }).toString(),
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
/** The page as people see it, without markup. */
const words = async (response: Response): Promise<string> =>
  (await response.text())
    .replaceAll(/<head>[^]*?<\/head>|<[^>]+>/gu, " ")
    .replaceAll("&#39;", "'")
    .replaceAll("&quot;", '"')
    .replaceAll(/\s+/gu, " ");

describe("a reader who comes back", () => {
  test.each(["/", "/b/CODE", "/feeds/alerts.atom", "/feeds/bulletins/CODE/cap.xml"])(
    "%s: has it already, in each form by its own strong ETag",
    async (pattern) => {
      const path = pattern.replace("CODE", order.code);
      const plain = await get(path);
      const body = Buffer.from(await plain.arrayBuffer());
      const tags = new Set<string>();
      for (const [encoding, decode] of [
        ["gzip", gunzipSync],
        ["br", brotliDecompressSync],
      ] as const) {
        const packed = await get(path, { "accept-encoding": `${encoding}, identity;q=0.1` });
        expect(packed.headers.get("content-encoding")).toBe(encoding);
        expect(packed.headers.get("vary")).toBe("Accept-Encoding");
        expect(decode(Buffer.from(await packed.arrayBuffer()))).toEqual(body);
        const etag = packed.headers.get("etag") ?? "";
        tags.add(etag);
        const again = await get(path, {
          "accept-encoding": encoding,
          "if-none-match": `"x", W/${etag}`,
        });
        expect([again.status, (await again.arrayBuffer()).byteLength]).toEqual([304, 0]);
        expect(again.headers.get("cache-control")).toBe(packed.headers.get("cache-control"));
      }
      tags.add(plain.headers.get("etag") ?? "");
      expect(tags.size).toBe(3);
      for (const tag of tags) expect(tag).toMatch(/^"[\w-]{20,}"$/u);
    },
  );

  test("asks again for what may change within 20 seconds, never for what cannot", async () => {
    const caching = async (path: string) => (await get(path)).headers.get("cache-control");
    expect(await caching("/")).toBe("public, max-age=20");
    expect(await caching("/feeds/alerts.geojson")).toBe("public, max-age=20");
    expect(await caching(`/feeds/bulletins/${order.code}/cap.xml`)).toMatch(/immutable/u);
  });

  test("has a list already that another process made later, while nothing changed", async () => {
    const places = openPlaces({ v: 2, isInvented: true, units: [], former: [] });
    const madeAt = async (minutes: number) => {
      const at = new Date(Date.now() + minutes * 60_000);
      const site = new Site({ feed: kit.feed, places, origin: () => "x://y", now: () => at });
      return (await newApp(site).request("/")).headers.get("etag");
    };
    expect(await madeAt(30)).toBe(await madeAt(0));
    // By then it has expired: typhoon() lasts for twelve hours.
    expect(await madeAt(13 * 60)).not.toBe(await madeAt(0));
  });

  test("asks with HEAD as with GET", async () => {
    const head = await app.request("/", { method: "HEAD" });
    expect([head.status, await head.text()]).toEqual([200, ""]);
    expect(head.headers.get("etag")).toBe((await get("/")).headers.get("etag"));
  });
});

describe("a page", () => {
  test("runs nothing, loads nothing, sets nothing, and may not be framed", async () => {
    for (const path of ["/", `/b/${order.code}`, "/check", "/areas", "/exercises", "/nowhere"]) {
      const page = await get(path, { accept: "text/html" });
      const policy = page.headers.get("content-security-policy");
      expect(policy).toMatch(/^default-src 'none'; style-src 'sha256-[^']+'; form-action 'self'/u);
      expect(policy).toMatch(/base-uri 'none'; frame-ancestors 'none'$/u);
      expect(page.headers.get("set-cookie")).toBeNull();
      expect(page.headers.get("referrer-policy")).toBe("no-referrer");
      expect(page.headers.get("x-content-type-options")).toBe("nosniff");
      const text = await page.text();
      expect(text).not.toMatch(/<script|\son\w+=|style="|<img|<iframe|javascript:/iu);
      const elsewhere = Array.from(text.matchAll(/(?:src|href|action)="(https?:[^"]*)"/gu));
      expect(elsewhere).toEqual([]);
    }
  });

  test("has at most 30 kB, also of the longest bulletin; what did not fit has its own page", async () => {
    const content = typhoon(["SL"]);
    const item = {
      category: "shelters" as const,
      title: { vi: "Nơi trú tránh của toàn tỉnh", en: "Shelters" },
      text: { vi: "Trường tiểu học. ".repeat(470), en: "School. ".repeat(ITEM_TEXT_MAX / 8) },
    };
    const { code } = await kit.publish({
      ...content,
      items: Array.from({ length: ITEMS_MAX }, () => item),
    });
    for (const path of [`/b/${code}`, `/en/b/${code}`, "/", "/en", "/check"]) {
      const size = (await (await get(path)).arrayBuffer()).byteLength;
      expect([path, size < PAGE_BYTES_MAX]).toEqual([path, true]);
    }
    const page = await (await get(`/b/${code}`)).text();
    expect(page).toContain(`href="/b/${code}/${ITEMS_MAX}"`);
    expect(await words(await get(`/b/${code}/${ITEMS_MAX}`))).toContain("Trường tiểu học.");
    expect((await get(`/b/${code}/${ITEMS_MAX + 1}`)).status).toBe(404);
  });

  test("names number, ground, signatory, source, places, what to do and 112", async () => {
    const page = await words(await get(`/b/${order.code}`));
    const { content } = order;
    for (const said of [
      "ĐANG CÓ HIỆU LỰC",
      "Công điện số",
      content.number,
      ...content.legalBasis,
      content.signatory.post.vi,
      content.source?.number ?? "",
      "xã Bến Lụa",
      content.texts.vi.short,
      "112",
      formatShortCode(order.code),
      "Cấp độ rủi ro thiên tai: cấp 4 (đỏ)",
    ])
      expect(page).toContain(said);
  });

  test("shows every version of the thread, with when it was replaced or cancelled", async () => {
    const first = await kit.publish(typhoon(["SL003"]));
    const second = await kit.publish(typhoon(["SL003"]), [first.id]);
    const before = await words(await get(`/b/${first.code}`));
    expect(before).toMatch(/ĐÃ ĐƯỢC THAY THẾ Đã được thay thế lúc \d\d:\d\d ngày/u);
    expect(before).toContain("Đọc bản đang có hiệu lực");
    const cancel = await kit.cancel(second.id);
    expect(await words(await get(`/b/${second.code}`))).toMatch(/ĐÃ THU HỒI Đã thu hồi lúc/u);
    const last = await words(await get(`/b/${cancel.code}`));
    expect(last).toContain("THÔNG BÁO THU HỒI");
    expect(last).toMatch(/mới nhất trước .* Đã thu hồi lúc .* Đã được thay thế lúc/u);
    expect(await words(await get(`/en/b/${first.code}`))).toMatch(
      /REPLACED Replaced at \d\d:\d\d on/u,
    );
  });

  test("shows the words that a correction put right, and the faulty version as corrected", async () => {
    const content = typhoon(["SL003"]);
    const { vi } = content.texts;
    const texts = (short: string) => ({ ...content.texts, vi: { ...vi, short } });
    const faulty = await kit.publish({ ...content, texts: texts(vi.short.replace("19", "21")) });
    const corrected = await kit.next(faulty.id, "correction", content);
    const old = await words(await get(`/b/${faulty.code}`));
    expect(old).toMatch(/ĐÃ ĐƯỢC ĐÍNH CHÍNH Đã được đính chính lúc \d\d:\d\d ngày/u);
    const page = await words(await get(`/b/${corrected.code}`));
    expect(page).toContain("ĐANG CÓ HIỆU LỰC");
    expect(page).toMatch(
      /Nội dung đính chính .*Nội dung tóm tắt: … biển sơ tán trước \[trước đây: 21\] \[nay là: 19\] giờ theo hướng dẫn …/u,
    );
    expect(page).not.toContain("Toàn văn:");
    expect(page).toMatch(/Đính chính, số .* Bản tin đầu, số .* Đã được đính chính lúc/u);
    expect(await words(await get(`/en/b/${corrected.code}`))).toContain("What was corrected");
    expect(await words(await get("/"))).toContain("Bản đính chính, đang có hiệu lực đến");
  });

  test("says of the last bulletin that no other will follow", async () => {
    const first = await kit.publish(typhoon(["SL004"]));
    const last = await kit.next(first.id, "last", typhoon(["SL004"]));
    const page = await words(await get(`/b/${last.code}`));
    expect(page).toContain("Đây là tin cuối cùng: sẽ không có bản tin tiếp theo trong chuỗi này.");
    expect(page).toMatch(/Tin cuối cùng, số .* Bản tin đầu, số/u);
    expect(await words(await get(`/b/${first.code}`))).toContain("ĐÃ ĐƯỢC THAY THẾ");
    expect(await words(await get("/"))).toMatch(/Đã được thay thế bằng tin cuối cùng lúc/u);
    kit.at = new Date(last.expiresAt);
    const after = await words(await get(`/b/${last.code}`));
    kit.at = undefined;
    expect(after).toContain("HẾT HIỆU LỰC");
  });

  test("says what a failure is, and does not blame the address for it", async () => {
    const page = await words(renderProblemPage(new Problem("internal-error", ""), "/b/X"));
    expect(page).toContain("Hãy thử lại sau ít phút");
    expect(page).not.toContain("gõ nhầm");
    const missing = await words(renderProblemPage(new Problem("not-found", ""), "/en/b/X"));
    expect(missing).toContain("This page was not found The address may have been mistyped");
  });

  test("says that an exercise is one before anything else, and lists it apart", async () => {
    const exercise = await kit.publish(typhoon(["SL001"], { type: "Exercise" }));
    const page = await words(await get(`/b/${exercise.code}`));
    expect(page.indexOf("DIỄN TẬP Đây là nội dung diễn tập")).toBeLessThan(
      page.indexOf("Bão số 9 sắp đổ bộ"),
    );
    expect(page).not.toContain("ĐANG CÓ HIỆU LỰC");
    expect(await (await get("/")).text()).not.toContain(exercise.code);
    expect(await (await get("/exercises")).text()).toContain(exercise.code);
  });

  test("is found by links that grew on their way, and by a code as people type it", async () => {
    expect((await get(`/b/${order.code}?fbclid=x&fbclid=y&utm_source=zalo`)).status).toBe(200);
    const typed = await get(`/b/${formatShortCode(order.code).toLowerCase()}`);
    expect([typed.status, typed.headers.get("location")]).toEqual([308, `/b/${order.code}`]);
  });

  test.each([
    "/b/AAAAAAAAA",
    "/b/%3Cscript%3E",
    "/a/XX",
    "/i/none",
    "/o/none",
    "/en/nothing",
    "/?page=400",
    `/b/${"A".repeat(90)}`,
  ])("%s is told to a person as a page", async (path) => {
    const page = await get(path, { accept: "text/html,*/*" });
    expect(page.status === 404 || page.status === 400).toBe(true);
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const text = await page.text();
    expect(text).not.toContain("<script>");
    expect(text).toContain("/check");
  });
});

describe("Check a notice", () => {
  const { vi } = typhoon().texts;

  test("by code: genuine, mistyped, not ours, no code", async () => {
    const by = async (code: string) => words(await get(`/check?code=${encodeURIComponent(code)}`));
    expect(await by(formatShortCode(order.code))).toMatch(/BẢN TIN THẬT .*ĐANG CÓ HIỆU LỰC/u);
    expect(await by(`https://canhbao.songlua.example/b/${order.code}`)).toContain("BẢN TIN THẬT");
    const last = order.code.at(-1) === "0" ? "1" : "0";
    expect(await by(order.code.slice(0, -1) + last)).toContain("MÃ BỊ GÕ NHẦM");
    expect(await by("000000000")).toContain("KHÔNG PHẢI BẢN TIN CỦA HỆ THỐNG NÀY");
    expect(await by("xin chào")).toContain("KHÔNG PHẢI MÃ BẢN TIN");
  });

  test("by text: what was approved, what was altered, what is not ours", async () => {
    expect(await words(await paste(`Fwd: ${vi.short}`))).toContain(
      "Từng từ giống bản đã được duyệt",
    );
    const forged = await words(await paste(vi.short.replace("112", "0912 345 678")));
    expect(forged).toContain("ĐÃ BỊ SỬA ĐỔI");
    expect(forged).toContain("[thêm: 0912 345 678] [bản gốc: 112]");
    const foreign = "Khẩn cấp: vỡ đê, tất cả người dân chạy ngay lên núi trong đêm nay nhé.";
    expect(await words(await paste(foreign))).toContain("KHÔNG TÌM THẤY");
    expect(await words(await paste(vi.short, "/en/check"))).toContain("Word for word");
  });

  test("of an exercise says so", async () => {
    const text = typhoon([], { type: "Exercise" }).texts.vi.short;
    expect(await words(await paste(text))).toContain("DIỄN TẬP Đây là nội dung diễn tập");
  });

  test("keeps nothing: no cache, no log, nothing of it in an address", async () => {
    const secret = "Con tôi là Nguyễn Thị Mật đang ở nhà số bảy ngõ chín một mình, xin cứu giúp";
    const answer = await paste(secret);
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(await answer.text()).not.toContain("Nguyễn Thị Mật");
    expect(logged).not.toMatch(/Mật|xin cứu/u);
    const { rows } = await kit.world.database.pool.query("SELECT FROM idempotency");
    expect(rows).toEqual([]);
  });

  test("shows a hostile text as text", async () => {
    const hostile = `${vi.short} <script>alert(1)</script> "onload='x' &lt;img src=x&gt;`;
    const page = await (await paste(hostile)).text();
    expect(page).not.toMatch(/<script|<img|onload='/u);
    for (const name of ['"><script>', "'><b>"]) {
      const areas = await (await get(`/areas?name=${encodeURIComponent(name)}`)).text();
      expect(areas).not.toMatch(/"><script|'><b>/u);
    }
  });

  test.each([
    ["nothing", ""],
    ["no form", "%%%=%"],
    ["bytes that are no text", "text=%FF%FE%00%C3"],
    ["another field", "txet=abc"],
    ["a field twice", "text=a&text=b"],
  ])("answers a page to %s", async (_, body) => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const page = await app.request("/check", { method: "POST", body, headers });
    expect([page.status, page.headers.get("content-type")]).toEqual([
      200,
      "text/html; charset=utf-8",
    ]);
  });

  test("refuses what is too long as a page", async () => {
    expect(await words(await paste("a ".repeat(15_000)))).toContain("NỘI DUNG QUÁ DÀI");
    const page = await paste("ắ".repeat(20_000));
    expect([page.status, page.headers.get("content-type")]).toEqual([
      413,
      "text/html; charset=utf-8",
    ]);
  });

  test("says that it is busy instead of making others wait", async () => {
    app = newApp();
    const answers = await Promise.all(
      Array.from({ length: CHECKS_BURST * 2 }, () => paste(vi.short)),
    );
    const busy = answers.filter(({ status }) => status === 503);
    expect(busy.length).toBeGreaterThan(0);
    expect(await words(busy[0] as Response)).toContain("HỆ THỐNG ĐANG BẬN");
    expect((await get(`/check?code=${order.code}`)).status).toBe(200);
    app = newApp();
  });
});

test("feeds may be read by anybody's page, and the key with which CAP is signed", async () => {
  const feed = await get("/feeds/alerts.geojson");
  expect(feed.headers.get("access-control-allow-origin")).toBe("*");
  expect(feed.headers.get("content-type")).toMatch(/^application\/geo\+json/u);
  expect(await (await get("/feeds/cap-key.pem")).text()).toBe(kit.world.keys.cap.publicKey);
  expect((await get("/feeds/nothing.atom")).status).toBe(400);
  expect((await get("/feeds/areas/XX/alerts.atom")).status).toBe(404);
});

describe("the code of a former unit", () => {
  const commune = (code: string, name: string) => ({
    code,
    level: "commune",
    name: { vi: name, en: name },
    parent: null,
  });
  const reorganized = () =>
    newApp(
      new Site({
        feed: kit.feed,
        origin: () => "https://canhbao.songlua.example",
        now: () => new Date(),
        places: openPlaces({
          v: 2,
          isInvented: true,
          units: [commune("N1", "Bãi Mới"), commune("N2", "An <Hòa>")],
          former: [
            { code: "A 1", name: "Bãi Dâu", into: ["N1"] },
            { code: "C", name: "Cồn Cát", into: ["N1", "N2"] },
          ],
        }),
      }),
    );

  test("leads to the one unit that took its place, page and feed", async () => {
    const leads = async (path: string) => {
      const { status, headers } = await reorganized().request(path);
      return [status, headers.get("location"), headers.get("cache-control")];
    };
    const caching = "public, max-age=20";
    expect(await leads("/a/A%201")).toEqual([308, "/a/N1", caching]);
    expect(await leads("/en/a/A%201")).toEqual([308, "/en/a/N1", caching]);
    expect(await leads("/feeds/areas/A%201/alerts.atom")).toEqual([
      308,
      "/feeds/areas/N1/alerts.atom",
      caching,
    ]);
  });

  test("of an area that went into several lists them, in both languages", async () => {
    const after = reorganized();
    const vi = await after.request("/a/C");
    expect(vi.status).toBe(200);
    const page = await vi.text();
    expect(page).toContain("Cồn Cát (đơn vị hành chính cũ)");
    expect(page).toContain("nay thuộc nhiều đơn vị");
    expect(page).toContain('<a href="/a/N1">Bãi Mới</a>');
    expect(page).toContain('<a href="/a/N2">An &lt;Hòa&gt;</a>');
    expect(await (await after.request("/en/a/C")).text()).toContain('<a href="/en/a/N1">');
    const feed = await after.request("/feeds/areas/C/alerts.atom");
    expect(feed.status).toBe(409);
    expect(await feed.json()).toMatchObject({
      code: "area-superseded",
      detail: expect.stringContaining("N1, N2") as string,
    });
    expect((await after.request("/a/nowhere")).status).toBe(404);
  });
});
