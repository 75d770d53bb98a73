// The public pages: plain HTML without scripts, cookies or anything from elsewhere. What somebody
// pastes into "Check a notice" is compared and forgotten; it is in no URL, no log and no cache.
import { checkText, publicPages } from "@loa/api/publications.ts";
import { PROBLEMS } from "@loa/api/problems.ts";
import { Problem } from "@loa/model/problem.ts";
import { readShortCode } from "@loa/model/short-code.ts";
import { type Bilingual, type Language, LANGUAGES } from "@loa/model/text.ts";
import { type Asset, CACHE_CHANGING, makeAsset } from "../feed/asset.ts";
import type { CheckResult } from "../feed/page/check-page.ts";
import { markup } from "../feed/page/html.ts";
import { inLanguage, renderPage } from "../feed/page/layout.ts";
import { PAGE_POLICY } from "../feed/page/style.ts";
import { say } from "../feed/page/words.ts";
import { HTML_TYPE, type Scope, type Site } from "../feed/site.ts";
import type { App } from "./app.ts";
import { sendAsset } from "./asset-response.ts";
import { limitRate } from "./rate.ts";

/** Texts that are compared each second, whoever sends them: each takes some 10 ms of this process. */
export const CHECKS_PER_SECOND = 20;
export const CHECKS_BURST = 40;
/** Longest name that is looked for among the communes. */
const NAME_MAX = 60;

const PAGE_HEADERS = {
  "content-security-policy": PAGE_POLICY,
  "cross-origin-opener-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=()",
  "x-frame-options": "DENY",
} as const;

/** The answer to a check is nobody else's. */
const CACHE_NOTHING = "no-store";

export function mountPublicPages(app: App, { site }: { readonly site: Site }): void {
  const takeOne = limitRate({ perSecond: CHECKS_PER_SECOND, burst: CHECKS_BURST });
  for (const language of LANGUAGES) {
    const pages = publicPages[language];
    const send = (request: Request, asset: Asset | undefined): Response => {
      if (!asset) throw new Problem("not-found", "There is nothing under this address.");
      return sendAsset(request, asset, PAGE_HEADERS);
    };
    const list = (request: Request, scope: Scope) =>
      send(request, site.list(language, scope, "alerts", pageNumber(request)));
    app.mount(pages.list, async ({ request }) => list(request, { kind: "all" }));
    app.mount(pages.area, async ({ request, params }) => {
      const former = site.former(params.code);
      if (!former) return list(request, { kind: "area", code: params.code });
      const [only, ...others] = former.into;
      return only && others.length === 0
        ? redirect(inLanguage(language, `/a/${encodeURIComponent(only.code)}`))
        : send(request, site.formerPage(language, former));
    });
    app.mount(pages.account, async ({ request, params }) =>
      list(request, { kind: "account", handle: params.handle }),
    );
    app.mount(pages.incident, async ({ request, params }) =>
      list(request, { kind: "incident", id: params.id }),
    );
    app.mount(pages.exercises, async ({ request }) =>
      send(request, site.list(language, { kind: "all" }, "exercises", pageNumber(request))),
    );
    app.mount(pages.areas, async ({ request }) =>
      send(request, site.areas(language, queryOf(request, "name").slice(0, NAME_MAX))),
    );
    app.mount(pages.bulletin, async ({ request, params }) => {
      const read = readShortCode(params.code);
      // Typed in small letters or with hyphens, it is still that bulletin.
      if (read.kind === "code" && read.code !== params.code && site.bulletin(language, read.code))
        return redirect(inLanguage(language, `/b/${read.code}`));
      return send(request, site.bulletin(language, params.code));
    });
    app.mount(pages.part, async ({ request, params }) =>
      send(request, site.part(language, params.code, params.part)),
    );
    app.mount(pages.check, async ({ request }) => {
      const typed = queryOf(request, "code").slice(0, 200);
      const result: CheckResult = typed === "" ? { kind: "asked-nothing" } : site.checkCode(typed);
      return sendCheck(request, site, language, result);
    });
    app.mount(checkText[language], async ({ request, body }) => {
      const form = new URLSearchParams(Buffer.from(body).toString("utf8"));
      return sendCheck(request, site, language, compareText(site, takeOne, form.get("text") ?? ""));
    });
  }
}

function compareText(site: Site, takeOne: () => void, text: string): CheckResult {
  if (text.trim() === "") return { kind: "asked-nothing" };
  try {
    takeOne();
  } catch (fault) {
    if (fault instanceof Problem) return { kind: "busy" };
    throw fault;
  }
  return site.checkText(text);
}

function sendCheck(
  request: Request,
  site: Site,
  language: Language,
  result: CheckResult,
): Response {
  const cacheControl = result.kind === "asked-nothing" ? CACHE_CHANGING : CACHE_NOTHING;
  const page = makeAsset(site.checkPage(language, result), HTML_TYPE, cacheControl);
  const busy = result.kind === "busy";
  const headers = { ...PAGE_HEADERS, ...(busy && { "retry-after": "60" }) };
  return sendAsset(request, page, headers, busy ? 503 : 200);
}

const queryOf = (request: Request, name: string): string =>
  new URL(request.url).searchParams.get(name) ?? "";

/** From 1; what is no number is the first page. */
function pageNumber(request: Request): number {
  const text = queryOf(request, "page");
  return /^[1-9]\d{0,3}$/u.test(text) ? Number(text) : 1;
}

const redirect = (path: string): Response =>
  new Response(null, { status: 308, headers: { location: path, "cache-control": CACHE_CHANGING } });

const NO_PAGE: Bilingual = {
  vi: "Không tìm thấy trang này",
  en: "This page was not found",
};
const NO_PAGE_ADVICE: Bilingual = {
  vi: "Có thể địa chỉ bị gõ nhầm hoặc chép thiếu. Hãy xem các bản tin đang có hiệu lực, hoặc kiểm tra bằng mã bản tin.",
  en: "The address may have been mistyped or cut. See what is in force, or check by the bulletin's code.",
};
const REFUSED_ADVICE: Bilingual = {
  vi: "Yêu cầu không được thực hiện. Hãy quay lại trang trước, hoặc xem các bản tin đang có hiệu lực.",
  en: "Nothing was done. Go back, or see what is in force.",
};
const FAILED_ADVICE: Bilingual = {
  vi: "Hãy thử lại sau ít phút. Các bản tin đã phát vẫn giữ nguyên hiệu lực ghi trên bản tin. Cần cứu nạn, gọi 112.",
  en: "Try again in a few minutes. What was issued holds as it says. For rescue call 112.",
};

/** What somebody sees who opened an address that is none, in the language of that address. */
export function renderProblemPage(problem: Problem, path: string): Response {
  const language: Language = /^\/en(?:\/|$)/u.test(path) ? "en" : "vi";
  const { status, ...words } = PROBLEMS[problem.code];
  const isMissing = status === 404 || status === 400;
  const title = (isMissing ? NO_PAGE : words)[language];
  const page = renderPage(
    { language, title, paths: { vi: "/", en: "/en" }, isInvented: false },
    markup`<h1>${title}</h1>
      <p>
        ${(isMissing ? NO_PAGE_ADVICE : status >= 500 ? FAILED_ADVICE : REFUSED_ADVICE)[language]}
      </p>
      <p>
        <a href="${inLanguage(language, "/")}">${say(language, "Bản tin đang có hiệu lực", "What is in force")}</a>
        ·
        <a href="${inLanguage(language, "/check")}">${say(language, "Kiểm tra thông báo", "Check a notice")}</a>
      </p>`,
  );
  return new Response(page, {
    status,
    headers: {
      ...PAGE_HEADERS,
      "content-type": HTML_TYPE,
      "cache-control": CACHE_NOTHING,
      ...(status === 503 && { "retry-after": "60" }),
    },
  });
}
