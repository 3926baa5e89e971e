// Thousands of unfinished transactions: what an operator does has its effect within 100 ms, as the
// page itself measures it, from the event to the frame that shows the effect. Other tests may use
// the processors at the same time: of these times the best one counts. The time of the page's own
// thread, which others do not lengthen, is looked at each time.

import { Console, check, setting, until } from "./browser.mjs";

const limitMs = 100;
const repeats = 15;

/// Does something in the page, and gives the time until the second frame after it: by then the
/// effect has been painted.
const measured = (page, script) => page.evaluate(async (text) => {
  const begin = performance.now();
  new Function(text)();
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return performance.now() - begin;
}, script);

/// The processor's time that the page's thread has used, in ms.
async function usedMs(session) {
  const { metrics } = await session.send("Performance.getMetrics");
  return 1000 * metrics.find((metric) => metric.name === "TaskDuration").value;
}

const median = (times) => [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)];

const type = (words) => `
  const field = document.querySelector("input[type=search]");
  field.value = ${JSON.stringify(words)};
  field.dispatchEvent(new Event("input", {bubbles: true}));`;

export async function run() {
  const console_ = await Console.open(setting.open);
  const { page } = console_;
  await console_.go("/admin/unfinished");
  await page.getByRole("grid").waitFor();
  const all = () => page.getByRole("grid").getAttribute("aria-rowcount").then(Number);
  await until("all are loaded", async () => {
    await page.evaluate(() => {
      const grid = document.querySelector("[role=grid]");
      grid.scrollTop = grid.scrollHeight;
    });
    return (await all()) > setting.many;
  }, 60_000);
  const inDocument = await page.getByRole("row").count();
  check(inDocument < 100, `${inDocument} rows are in the document`);

  const steps = {
    scroll: (i) => `document.querySelector("[role=grid]").scrollTop = ${i} * 5000 + 17`,
    type: (i) => type(`many-${i}`),
    clear: () => type(""),
    key: () => `document.querySelector("[role=grid]").dispatchEvent(
      new KeyboardEvent("keydown", {key: "PageDown", bubbles: true}))`,
  };
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable", { timeDomain: "threadTicks" });
  for (const [name, step] of Object.entries(steps)) {
    const [times, used] = [[], []];
    for (let i = 0; i < repeats; i += 1) {
      const before = await usedMs(session);
      times.push(await measured(page, step(i)));
      used.push(await usedMs(session) - before);
    }
    console.log(`${name}: from ${Math.min(...times).toFixed(1)} ms, in the middle ` +
                `${median(times).toFixed(1)} ms; the page's thread ${median(used).toFixed(1)} ms`);
    check(Math.min(...times) < limitMs, `${name} takes ${Math.min(...times)} ms`);
    check(median(used) < limitMs, `${name} takes ${median(used)} ms of the page's thread`);
  }
  await page.evaluate(type("many-00007"));
  await until("the words select", async () => (await all()) === 2);
  await console_.picture("many");
  await console_.close();
}
