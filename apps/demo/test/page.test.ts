import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { type SampleFeed, sampleFeed } from "../src/gateway/sample-feed.ts";
import { servePage } from "../src/gateway/serve-page.ts";
import { noBrowser, openPage } from "./page-browser.ts";

/* The page in a real browser, against the sample: what it shows, and that its buttons do what they say. */

const views = ["overview", "charts", "cluster", "tickets"] as const;

/** The sample's time is turned by hand, so that a test sees what it waits for and nothing else. */
async function serveSample(t: TestContext): Promise<{ feed: SampleFeed; url: string }> {
  const feed = sampleFeed({ seed: 7, history: 70, running: false });
  const server = await servePage({ feed });
  t.after(() => server.close());
  return { feed, url: server.url };
}

async function show(page: Page, view: (typeof views)[number]): Promise<void> {
  await page.click(`nav a[href="#${view}"]`);
  await page.waitForSelector(`#view-${view}:not([hidden])`);
}

/** Turns the sample's time until the page shows it. */
async function until(feed: SampleFeed, page: Page, selector: string): Promise<void> {
  const seen = page.waitForSelector(selector);
  const timer = setInterval(() => feed.tick(), 50);
  try {
    await seen;
  } finally {
    clearInterval(timer);
  }
}

test("the page's modules have the types that their comments say", () => {
  const tsc = fileURLToPath(new URL("../../../node_modules/typescript/bin/tsc", import.meta.url));
  const project = fileURLToPath(new URL("../page/tsconfig.json", import.meta.url));
  execFileSync(process.execPath, [tsc, "-p", project], { encoding: "utf8" });
});

test("every view opens with no complaint in the console, in light and dark", { skip: noBrowser }, async (t) => {
  const { url } = await serveSample(t);
  for (const scheme of ["light", "dark"] as const) {
    const { page, complaints } = await openPage(t, url, { scheme });
    for (const view of views) await show(page, view);
    assert.deepEqual(complaints, []);
  }
});

test("charts move: a new point changes the drawing and the value beside it", { skip: noBrowser }, async (t) => {
  const { feed, url } = await serveSample(t);
  const { page } = await openPage(t, url);
  await show(page, "charts");
  const drawing = (): Promise<string> =>
    page.$eval("#big-chart canvas", (canvas) => (canvas as unknown as { toDataURL(): string }).toDataURL());
  await page.waitForSelector('.readout:has-text("point 70 ·")');
  const before = await drawing();
  feed.tick();
  await page.waitForSelector('.readout:has-text("point 71 ·")');
  assert.notEqual(await drawing(), before);
  assert.match(
    (await page.getAttribute("#big-chart .plot", "aria-label")) ?? "",
    /^X̄ chart: \d+\.\d+ mm, (no rule|\d rules) broken$/,
  );
});

test("the histogram stands between the specification limits, with the indices below", {
  skip: noBrowser,
}, async (t) => {
  const { url } = await serveSample(t);
  const { page } = await openPage(t, `${url}#charts`);
  assert.ok((await page.locator("#capability rect.bar").count()) > 10);
  assert.deepEqual(await page.locator("#capability text.spec").allTextContents(), ["LSL", "USL"]);
  for (const index of ["cp", "cpk"])
    assert.match((await page.textContent(`[data-index=${index}] dd`)) ?? "", /^\d\.\d\d$/);
});

test("each button does to an instance what it says, and gossip's view follows", { skip: noBrowser }, async (t) => {
  const { feed, url } = await serveSample(t);
  const { page, complaints } = await openPage(t, `${url}#cluster`);
  const row = (id: string): string => `tr[data-instance="${id}"]`;
  async function press(id: string, label: string, look: string): Promise<void> {
    await page.click(`${row(id)} button >> text="${label}"`);
    await until(feed, page, `${row(id)}[data-look="${look}"]`);
  }
  await press("inspection-1", "Crash", "gone");
  await until(feed, page, `.member[data-look="gone"]:has-text("inspection-1"):has-text("dead")`);
  assert.match((await page.textContent(`${row("inspection-1")} [data-head="Share"]`)) ?? "", /^0 %$/);
  await press("inspection-1", "Revive", "well");
  await press("inspection-2", "Freeze", "frozen");
  await press("inspection-2", "Recover", "well");
  await press("charts-1", "Slow", "slow");
  await press("charts-1", "Recover", "well");
  await press("charts-2", "Fail", "failing");
  await press("charts-2", "Recover", "well");
  await press("non-conformance-1", "Drain", "gone");

  assert.equal(await page.getAttribute(`${row("non-conformance-1")} [data-fault="crash"]`, "aria-disabled"), "true");
  await show(page, "overview");
  await page.click('button[aria-label="Add an instance of charts"]');
  await until(feed, page, '.node[data-instance="charts-4"]');
  assert.equal(await page.textContent("#kpi-failed strong"), "0");
  assert.deepEqual(complaints, []);
});

test("the guided tour plays to its end and tells what it measured", { skip: noBrowser }, async (t) => {
  const { feed, url } = await serveSample(t);
  const { page } = await openPage(t, url);
  await page.click("#play-tour");
  await until(feed, page, '.verdict[data-state="done"]');
  assert.deepEqual(await page.locator(".steps li[data-state=done] b").allTextContents(), [
    "Crash",
    "Detect",
    "Re-balance",
    "Revive",
  ]);
  for (const time of await page.locator(".steps output").allTextContents()) assert.match(time, /^[\d.]+ m?s$/);
  assert.equal(await page.textContent(".verdict"), "0 user calls failed");
});

test("a ticket is assigned and closed by keyboard alone", { skip: noBrowser }, async (t) => {
  const { url } = await serveSample(t);
  const { page } = await openPage(t, `${url}#tickets`);
  await page.fill("#assignee", "Grace");
  await page.focus('tr[data-ticket="1"] button >> text="Assign to me"');
  await page.keyboard.press("Enter");
  await page.waitForSelector('tr[data-ticket="1"]:has-text("assigned · Grace")');
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.waitForSelector("#close-dialog[open]");
  await page.keyboard.press("Enter"); // not without a word of what was done
  assert.equal(await page.locator("#close-dialog[open]").count(), 1);
  await page.keyboard.press("Escape");
  await page.waitForSelector("#close-dialog", { state: "hidden" });
  await page.keyboard.press("Enter");
  await page.keyboard.type("Tool changed");
  await page.keyboard.press("Enter");
  assert.equal(await page.evaluate("document.activeElement.localName"), "button", "the keyboard has a place to go on");
  await page.click('[data-filter="closed"]');
  await page.waitForSelector('tr[data-ticket="1"]:has-text("closed · Grace · Tool changed")');
});

test("an instance is found, picked and crashed by keyboard, and the focus stays where it was", {
  skip: noBrowser,
}, async (t) => {
  const { feed, url } = await serveSample(t);
  const { page } = await openPage(t, url);
  const focused = (): Promise<string> => page.evaluate("document.activeElement.textContent");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "Skip to the content");
  async function tabTo(selector: string): Promise<void> {
    for (let i = 0; i < 60; i++) {
      if (await page.evaluate(`document.activeElement.matches(${JSON.stringify(selector)})`)) return;
      await page.keyboard.press("Tab");
    }
    assert.fail(`${selector} is not reached by Tab`);
  }
  await tabTo('.node[data-instance="inspection-2"]');
  await page.keyboard.press("Space");
  await page.waitForSelector('.node[data-instance="inspection-2"][aria-pressed="true"]');
  await tabTo('#action-bar [data-fault="crash"]');
  await page.keyboard.press("Enter");
  await until(feed, page, '.node[data-instance="inspection-2"][data-look="gone"]');
  assert.equal(await focused(), "Crash");
});

test("at phone width nothing is wider than the screen", { skip: noBrowser }, async (t) => {
  const { url } = await serveSample(t);
  for (const width of [320, 390]) {
    const { page } = await openPage(t, url, { width });
    for (const view of views) {
      await show(page, view);
      const [content, screen] = await page.evaluate<[number, number]>(
        "[document.documentElement.scrollWidth, document.documentElement.clientWidth]",
      );
      assert.ok(content <= screen, `${view} is ${content} wide on a screen of ${screen}`);
    }
  }
});

test("the theme button goes through system, light and dark, and is remembered", { skip: noBrowser }, async (t) => {
  const { url } = await serveSample(t);
  const { page } = await openPage(t, url, { scheme: "light" });
  const ground = (): Promise<string> => page.evaluate("getComputedStyle(document.body).backgroundColor");
  const light = await ground();
  await page.click("#theme");
  await page.click("#theme");
  assert.equal(await page.textContent("#theme"), "Dark");
  assert.notEqual(await ground(), light);
  await page.reload();
  assert.equal(await page.textContent("#theme"), "Dark");
});

test("a page whose gateway is gone says so", { skip: noBrowser }, async (t) => {
  const server = await servePage({ feed: sampleFeed({ running: false }) });
  const { page } = await openPage(t, server.url);
  await page.waitForSelector('#link[data-state="live"]');
  await server.close();
  await page.waitForSelector('#link[data-state="lost"]');
});
