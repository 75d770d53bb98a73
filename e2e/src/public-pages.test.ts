// The public pages of a real installation in a real browser, by keyboard and eye: sizes, languages,
// light and dark, without style, on paper, and while the database is away.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  START_MS_MAX,
  startTestInstallation,
  type TestInstallation,
} from "../../server/test/installation.ts";
import { findBarriers, HAS_BROWSER, openBrowser } from "./browser.ts";
import { sendStorm, type Storm } from "./storm.ts";

/** How long the rules may take over every page, on a busy machine: a second or more for each. */
const BARRIERS_MS_MAX = 240_000;
/** How long a bulletin may take from issue to its page, on a busy machine. */
const PUBLISHED_MS_MAX = 20_000;

let dataFolder: string;
let loa: TestInstallation;
let browser: Browser;
let storm: Storm;
/** Paths of the bulletins' pages, by what they are in the storm. */
let pages: Record<(typeof NAMES)[number], string>;
const NAMES = [
  "order",
  "replaced",
  "faulty",
  "correction",
  "last",
  "cancelled",
  "exercise",
  "ofCommune",
] as const;

beforeAll(async () => {
  dataFolder = mkdtempSync(join(tmpdir(), "loa-e2e-"));
  const starting = startTestInstallation(dataFolder, { LOA_WORKERS: "1" });
  [loa, browser] = await Promise.all([starting, openBrowser()]);
  const [province, commune] = loa.demonstration.accounts;
  storm = await sendStorm(
    {
      author: loa.as("provinceAuthor"),
      approver: loa.as("provinceApprover"),
      accountId: province?.id ?? "",
    },
    {
      author: loa.as("communeAuthor"),
      approver: loa.as("communeApprover"),
      accountId: commune?.id ?? "",
    },
    commune?.area ?? "",
  );
  pages = await readPaths();
}, START_MS_MAX);
afterAll(async () => {
  await browser?.close();
  await loa?.end();
  rmSync(dataFolder, { recursive: true, force: true });
});

interface Feature {
  readonly id: string;
  readonly properties: { readonly shortCode: string };
}

async function readPaths(): Promise<typeof pages> {
  const paths = new Map<string, string>();
  return vi.waitFor(
    async () => {
      for (const shelf of ["alerts", "exercises"]) {
        const response = await fetch(`${loa.api}/feeds/${shelf}.geojson`);
        const { features } = (await response.json()) as { features: Feature[] };
        for (const { id, properties } of features)
          paths.set(id.split(".").at(-1) ?? "", `/b/${properties.shortCode}`);
      }
      const found = NAMES.map((name) => {
        const path = paths.get(storm[name]);
        if (path === undefined) throw new Error(`${name} was not published`);
        return [name, path];
      });
      return Object.fromEntries(found) as typeof pages;
    },
    { timeout: PUBLISHED_MS_MAX, interval: 200 },
  );
}

/** Opens a page, runs what is to be seen there, and closes it. */
async function visit(
  path: string,
  look: (page: Page) => Promise<void>,
  options: BrowserContextOptions = {},
): Promise<void> {
  const context = await browser.newContext({ ...options, baseURL: loa.api });
  try {
    const page = await context.newPage();
    const refused: string[] = [];
    page.on("console", (message) => refused.push(message.text()));
    page.on("request", (request) => {
      if (!request.url().startsWith(loa.api)) refused.push(request.url());
    });
    const isMissing = (await page.goto(path))?.status() === 404;
    await look(page);
    // The policy blocked nothing of ours, and nothing was asked of anybody else.
    const expected = isMissing ? /favicon|status of 404/u : /favicon/u;
    expect(refused.filter((text) => !expected.test(text))).toEqual([]);
  } finally {
    await context.close();
  }
}

const isTooWide = (page: Page): Promise<boolean> =>
  page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth");

describe.skipIf(!HAS_BROWSER)("in a real browser", () => {
  describe("every page", () => {
    const paths = (): string[] => [
      "/",
      pages.order,
      pages.replaced,
      pages.faulty,
      pages.correction,
      pages.last,
      pages.cancelled,
      pages.exercise,
      `${pages.order}/1`,
      `${pages.order}/areas`,
      `/i/${storm.incidentId}`,
      "/a/SL",
      "/check",
      `/check?code=${pages.replaced.slice(3)}`,
      "/check?code=000000000",
      "/areas",
      "/areas?name=zz",
      "/exercises",
      "/nowhere",
    ];

    test.each([
      ["Vietnamese", "vi", 320, "light"],
      ["English", "en", 390, "dark"],
      ["Vietnamese", "vi", 1280, "dark"],
      ["English", "en", 768, "light"],
    ] as const)(
      "in %s (%s, %i pixels, %s) keeps nobody from reading it",
      async (_, language, width, colorScheme) => {
        for (const each of paths()) {
          const path = language === "vi" ? each : each === "/" ? "/en" : `/en${each}`;
          await visit(
            path,
            async (page) => {
              expect([path, await findBarriers(page)]).toEqual([path, []]);
              expect([path, await isTooWide(page)]).toEqual([path, false]);
              expect(await page.locator("html").getAttribute("lang")).toBe(language);
            },
            { viewport: { width, height: 800 }, colorScheme },
          );
        }
      },
      BARRIERS_MS_MAX,
    );

    test("can be enlarged to twice its size", async () => {
      // 640 pixels at twice the size are 320 of the page's own.
      for (const path of paths())
        await visit(path, async (page) => expect(await isTooWide(page)).toBe(false), {
          viewport: { width: 320, height: 400 },
          deviceScaleFactor: 2,
        });
    });
  });

  test("an order is replaced: the old page says when, and leads to the new one", async () => {
    await visit(pages.replaced, async (page) => {
      const state = page.locator(".state").first();
      expect(await state.innerText()).toMatch(/ĐÃ ĐƯỢC THAY THẾ\s+Đã được thay thế lúc \d\d:\d\d/u);
      await page.getByRole("link", { name: "Đọc bản đang có hiệu lực" }).click();
      expect(new URL(page.url()).pathname).toBe(pages.order);
      expect(await page.locator(".state").first().innerText()).toContain("ĐANG CÓ HIỆU LỰC");
      await page.getByRole("link", { name: "English", exact: true }).click();
      expect(await page.locator(".state").first().innerText()).toContain("IN FORCE");
      expect(await page.getByRole("heading", { level: 1 }).innerText()).toMatch(/^Typhoon No\. 9/u);
    });
  });

  test("a correction shows what was wrong, and the faulty version leads to it", async () => {
    await visit(pages.faulty, async (page) => {
      const state = page.locator(".state").first();
      expect(await state.innerText()).toMatch(/ĐÃ ĐƯỢC ĐÍNH CHÍNH\s+Đã được đính chính lúc \d\d/u);
      await page.goto(pages.correction);
      expect(await page.locator(".diff del").innerText()).toBe("[trước đây: 19]");
      expect(await page.locator(".diff ins").innerText()).toBe("[nay là: 17]");
      await page.getByRole("link", { name: "Đọc bản đang có hiệu lực" }).click();
      expect(new URL(page.url()).pathname).toBe(pages.last);
      expect(await page.locator(".state").first().innerText()).toContain("tin cuối cùng");
    });
  });

  test("the points of a text hang, and a page in use says less on the screen than on paper", async () => {
    await visit(pages.order, async (page) => {
      expect(await page.locator("p.point").first().innerText()).toMatch(/^1\. Sơ tán/u);
      expect(await page.locator(".paper").isVisible()).toBe(false);
      await page.emulateMedia({ media: "print" });
      expect(await page.locator(".paper").isVisible()).toBe(true);
    });
  });

  test("somebody finds their commune by keyboard alone, its name typed without marks", async () => {
    await visit("/", async (page) => {
      await page.keyboard.press("Tab");
      expect(await page.locator(":focus").innerText()).toBe("Đến nội dung chính");
      await page.goto("/areas");
      await page.getByLabel("Tên xã, phường, đặc khu").focus();
      await page.keyboard.type("ben lua");
      await page.keyboard.press("Enter");
      await page.getByRole("link", { name: /Bến Lụa/u }).press("Enter");
      await page.waitForURL(/\/a\//u);
      expect(await page.getByRole("heading", { level: 1 }).innerText()).toContain("Bến Lụa");
      expect(await page.locator("main").innerText()).toContain("Nước sông lên nhanh");
    });
  });

  test("a forwarded notice is checked: by its code, then by its text, which was altered", async () => {
    await visit("/check", async (page) => {
      await page
        .getByLabel(/Mã gồm 9 chữ và số/u)
        .fill(pages.order.slice("/b/".length).toLowerCase());
      await page.getByRole("button", { name: "Kiểm tra mã" }).click();
      expect(await page.locator("main").innerText()).toContain("BẢN TIN THẬT");
      await page
        .getByLabel("Dán nội dung nhận được")
        .fill(
          "Fwd: Bão số 9 gió cấp 11, giật cấp 14, dự kiến vào bờ đêm nay. Người dân vùng cửa sông, ven " +
            "biển sơ tán trước 22 giờ theo hướng dẫn của trưởng thôn. Cần cứu nạn gọi 112.",
        );
      await page.getByRole("button", { name: "Kiểm tra nội dung" }).click();
      expect(await page.locator(".state").first().innerText()).toContain("ĐÃ BỊ SỬA ĐỔI");
      expect(await page.locator(".diff del").innerText()).toBe("[thêm: 22]");
      expect(await page.locator(".diff ins").innerText()).toBe("[bản gốc: 19]");
      expect(page.url()).not.toContain("22");
      expect(await findBarriers(page)).toEqual([]);
    });
  });

  test("without its style a page says the same in the same order", async () => {
    await visit(pages.exercise, async (page) => {
      await page.evaluate("document.querySelector('style').remove()");
      const text = await page.locator("main").innerText();
      expect(text.indexOf("DIỄN TẬP")).toBeGreaterThan(-1);
      expect(text.indexOf("DIỄN TẬP")).toBeLessThan(text.indexOf("Bão số 9"));
      expect(text).toContain("Cấp độ rủi ro thiên tai: cấp 4 (đỏ)");
    });
  });

  test("on paper it has its code and QR code, and no navigation; two sheets of A4 at most", async () => {
    await visit(pages.order, async (page) => {
      await page.emulateMedia({ media: "print" });
      expect(await page.getByRole("navigation").isVisible()).toBe(false);
      expect(await page.getByRole("img", { name: "Mã QR mở trang này" }).isVisible()).toBe(true);
      const pdf = (await page.pdf({ preferCSSPageSize: true })).toString("latin1");
      expect(pdf.match(/\/Type\s*\/Page\b/gu)?.length).toBeLessThanOrEqual(2);
    });
  });

  test("with the database away, everything is still there", async () => {
    const [postgres] = loa.pids("postgres");
    process.kill(postgres as number, "SIGSTOP");
    try {
      for (const path of ["/", pages.order, "/feeds/alerts.atom", "/feeds/exercises.geojson"]) {
        const response = await fetch(loa.api + path, { signal: AbortSignal.timeout(5_000) });
        expect([path, response.status]).toEqual([path, 200]);
      }
      const cap = await fetch(`${loa.api}/feeds/bulletins/${pages.order.slice(3)}/cap.xml`);
      expect(await cap.text()).toMatch(/<\/alert>\s*$/u);
      const page = await fetch(`${loa.api}/check?code=${pages.replaced.slice(3)}`);
      expect(await page.text()).toContain("ĐÃ ĐƯỢC THAY THẾ");
    } finally {
      process.kill(postgres as number, "SIGCONT");
    }
  });
});
