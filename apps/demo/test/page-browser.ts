import { existsSync } from "node:fs";
import type { TestContext } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";

/** Debian's, unless told otherwise. Nothing is ever downloaded. */
const executablePath = process.env["CHROMIUM"] ?? "/usr/bin/chromium";

/** A browser that talks to nobody but the page. */
const flags = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Why browser tests cannot run here; `false` when they can. It is the `skip` of a test, so that its report says so. */
export const noBrowser: string | false = existsSync(executablePath)
  ? false
  : `NO BROWSER: there is no ${executablePath}; install Debian's chromium, or set CHROMIUM`;
if (noBrowser !== false) console.error(`Browser tests are skipped. ${noBrowser}`);

/** An open page and what its console had to complain of. */
export interface OpenPage {
  readonly page: Page;
  readonly complaints: readonly string[];
}

/** Opens the page in a browser that ends with the test. */
export async function openPage(
  t: TestContext,
  url: string,
  options: { readonly width?: number; readonly scheme?: "light" | "dark" } = {},
): Promise<OpenPage> {
  const { width = 1280, scheme = "light" } = options;
  const browser: Browser = await chromium.launch({ executablePath, args: flags });
  t.after(() => browser.close());
  const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme: scheme });
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  await page.goto(url);
  await page.waitForSelector("body[data-ready]");
  return { page, complaints };
}
