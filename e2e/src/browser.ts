// A real Chromium, which npm brings along, and the axe rules run in it.
import chromium from "@sparticuz/chromium";
import axe from "axe-core";
import { type Browser, chromium as playwright, type Page } from "playwright-core";

/** The browser that npm brings is for this system only. */
export const HAS_BROWSER = process.platform === "linux" && process.arch === "x64";

/** Without the arguments for one-shot functions that the package suggests: a page must be closable. */
export async function openBrowser(): Promise<Browser> {
  return playwright.launch({
    executablePath: await chromium.executablePath(),
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
    headless: true,
  });
}

/** What keeps people from reading a page: the rule, and where it is broken. */
export async function findBarriers(page: Page): Promise<string[]> {
  // Evaluated by the debugger, so the page's own policy against scripts stays in force.
  return page.evaluate(`${axe.source};
    axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) =>
      violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html).join(" | ")))`);
}
