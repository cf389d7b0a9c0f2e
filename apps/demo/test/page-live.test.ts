import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { startGateway } from "../src/supervisor/gateway-process.ts";
import { startSystem } from "../src/supervisor/start-system.ts";
import { noBrowser, openPage } from "./page-browser.ts";

/*
 * The page on real processes, in a real browser: what is crashed here is crashed with SIGKILL. One system serves all the tests below, in
 * order, since starting it is what takes time; each leaves it healthy.
 */

const planPath = fileURLToPath(new URL("../data/line.json", import.meta.url));

/** Far beyond what anything takes on a quiet machine: only a page that never shows it shall fail. */
const patienceMs = 90_000;

const counts = { stations: 1, inspection: 2, charts: 2, "non-conformance": 2, operators: 1 } as const;

test("the page on real processes", { skip: noBrowser }, async (t) => {
  const system = await startSystem({ planPath, counts, seed: 3, measurementsPerSecond: 20 });
  const gateway = await startGateway({ seeds: system.seeds, adopt: (child) => system.supervisor.adopt(child) });
  t.after(async () => {
    await gateway.close();
    await system.close();
  });
  const { page, complaints } = await openPage(t, gateway.url);
  page.setDefaultTimeout(patienceMs);

  await t.test("shows every process, as its starter and as gossip know it", async () => {
    await open(page, "cluster");
    for (const [kind, count] of Object.entries(counts)) {
      for (let i = 1; i <= count; i++) {
        await page.waitForSelector(`tr[data-instance="${kind}-${i}"][data-look="well"]`);
        await page.waitForSelector(`.member[data-look="well"]:has-text("${kind}-${i}")`);
      }
    }
    await page.waitForSelector('.member:has-text("gateway")');
  });

  await t.test("draws points as they are measured, and marks those that break a rule", async () => {
    await open(page, "charts");
    await pointAfter(page, await pointAfter(page, 0));
    await page.waitForSelector("#capability rect.bar");
    await page.waitForSelector("#alarms li");
  });

  await t.test("tickets survive the crash of an instance that keeps them", async () => {
    await open(page, "tickets");
    await page.fill("#assignee", "Ursula");
    const mine = await ticketRow(page);
    await page.click(`${mine} button >> text="Assign to me"`);
    await page.waitForSelector(`${mine}:has-text("Ursula")`);
    await crash(page, "non-conformance-1");

    await open(page, "tickets");
    const closed = await ticketRow(page);
    await page.click(`${closed} button >> text="Close…"`);
    await page.fill("#resolution", "Gauge calibrated");
    await page.keyboard.press("Enter");
    await page.click('[data-filter="closed"]');
    await page.waitForSelector(`${closed}:has-text("Gauge calibrated")`);
    await revive(page, "non-conformance-1");

    await open(page, "tickets");
    await page.waitForSelector(`${closed}:has-text("Gauge calibrated")`);
    // The simulated operators may have closed it meanwhile, but nobody has forgotten whose it was.
    await findTicket(page, `${mine}:has-text("Ursula")`);
  });

  await t.test("the charts go on when the instance that keeps one is crashed", async () => {
    await open(page, "charts");
    const owner = /kept by (\S+),/.exec((await page.textContent("#big-chart .hint")) ?? "")?.[1] ?? "";
    await crash(page, owner);
    await open(page, "charts");
    await page.waitForSelector(`#big-chart .hint:not(:has-text("kept by ${owner},"))`);
    await pointAfter(page, await pointAfter(page, 0));
    await revive(page, owner);
  });

  await t.test("freeze, slow and drain do what they say, and are undone", async () => {
    await open(page, "cluster");
    for (const [label, look, undo] of [
      ["Freeze", "frozen", "Recover"],
      ["Slow", "slow", "Recover"],
      ["Fail", "failing", "Recover"],
      ["Drain", "gone", "Revive"],
    ] as const) {
      await press(page, "inspection-2", label);
      await page.waitForSelector(`tr[data-instance="inspection-2"][data-look="${look}"]`);
      await press(page, "inspection-2", undo);
      await page.waitForSelector('tr[data-instance="inspection-2"][data-look="well"]');
    }
  });

  await t.test("a further instance is found and takes calls", async () => {
    await open(page, "overview");
    await page.click('button[aria-label="Add an instance of inspection"]');
    await page.waitForSelector('.node[data-instance="inspection-3"][data-look="well"]');
  });

  await t.test("the tour kills, is noticed, moves the calls, revives, and no user's call fails", async () => {
    await open(page, "overview");
    await page.click("#play-tour");
    await page.waitForSelector('.verdict[data-state="done"], .verdict[data-state="failed"]');
    assert.deepEqual(
      await page.locator(".steps li").evaluateAll((steps) => steps.map((step) => step.dataset["state"])),
      ["done", "done", "done", "done"],
    );
    assert.equal(await page.textContent(".verdict"), "0 user calls failed");
  });

  await t.test("and through all of it no user's call failed, and the console has nothing to say", async () => {
    const journal = (await page.locator("#journal li").allTextContents()).join("\n");
    assert.equal(await page.textContent("#kpi-failed strong"), "0", journal);
    assert.deepEqual(complaints, []);
  });

  await t.test("when the gateway is killed, the page comes back by itself, and knows what it knew", async () => {
    await open(page, "charts");
    const before = await pointAfter(page, 0);
    process.kill(gateway.pid as number, "SIGKILL");
    await page.waitForSelector('#link[data-state="lost"]');
    await page.waitForSelector('#link[data-state="live"]');
    await pointAfter(page, before);
  });
});

async function open(page: Page, view: string): Promise<void> {
  await page.click(`nav a[href="#${view}"]`);
  await page.waitForSelector(`#view-${view}:not([hidden])`);
}

/** Waits until the open chart's latest point is a later one, and says which. */
async function pointAfter(page: Page, point: number): Promise<number> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await page.waitForTimeout(100)) {
    const shown = Number(/point (\d+)/.exec((await page.textContent(".readout")) ?? "")?.[1] ?? 0);
    if (shown > point) return shown;
  }
  return assert.fail(`No point after ${point} came`);
}

/** The newest open ticket: the simulated operators begin with the oldest. */
async function ticketRow(page: Page): Promise<string> {
  await page.click('[data-filter="open"]');
  return `tr[data-ticket="${await page.getAttribute("tr[data-ticket]", "data-ticket")}"]`;
}

/** Looks for a ticket among all that are not closed and all that are: it may go from the ones to the others at any moment. */
async function findTicket(page: Page, row: string): Promise<void> {
  for (const end = Date.now() + patienceMs; Date.now() < end; await page.waitForTimeout(100)) {
    for (const filter of ["pending", "closed"]) {
      await page.click(`[data-filter="${filter}"]`);
      if ((await page.locator(row).count()) > 0) return;
    }
  }
  assert.fail(`There is no ${row}`);
}

async function press(page: Page, instance: string, label: string): Promise<void> {
  await page.click(`tr[data-instance="${instance}"] button[aria-disabled="false"] >> text="${label}"`);
}

async function crash(page: Page, instance: string): Promise<void> {
  await open(page, "cluster");
  await press(page, instance, "Crash");
  await page.waitForSelector(`tr[data-instance="${instance}"] [data-head="Gossip"] >> text=/gone|stale/`);
}

async function revive(page: Page, instance: string): Promise<void> {
  await open(page, "cluster");
  await press(page, instance, "Revive");
  await page.waitForSelector(`tr[data-instance="${instance}"][data-look="well"]`);
}
