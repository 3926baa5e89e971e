// Chromium with Playwright, and what holds for every view: no error in the console, no request to
// another host, nothing that axe finds.

import { existsSync, mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

export const setting = JSON.parse(process.env.CONSOLE_SETTING);

const packages = createRequire(join(setting.packages, "package.json"));
const { chromium } = packages("playwright-core");
const axe = packages.resolve("axe-core/axe.min.js");

const programs = ["/usr/bin/chromium", "/usr/bin/chromium-headless-shell"];
const options = [
  "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
  "--disable-dev-shm-usage", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
];

export const wide = { width: 1400, height: 900 };
export const small = { width: 390, height: 800 };

export function check(condition, message) {
  if (!condition) throw new Error(message);
}

export function checkEqual(found, wanted, message) {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)];
  check(left === right, `${message}: found ${left}, wanted ${right}`);
}

/// Waits until `condition` gives something.
export async function until(what, condition, timeoutMs = 15_000) {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await condition();
    if (found) return found;
    check(Date.now() < end, `not in time: ${what}`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/// A server's console in a browser of its own.
export class Console {
  static async open(base, { view = wide, dark = false, language = "en-GB" } = {}) {
    const program = programs.find((path) => existsSync(path));
    const browser = await chromium.launch({ executablePath: program, args: options });
    const context = await browser.newContext({
      viewport: view, colorScheme: dark ? "dark" : "light", locale: language,
      reducedMotion: "reduce", bypassCSP: false,
    });
    const page = await context.newPage();
    page.setDefaultTimeout(15_000);
    return new Console(base, browser, page);
  }

  constructor(base, browser, page) {
    this.base = base;
    this.browser = browser;
    this.page = page;
    this.complaints = [];
    /// Answers that are meant to be refused, which the browser's console shows as errors.
    this.refusals = /$^/;
    this.watch(page);
    Console.all.add(this);
  }

  /// Those that are open: when a test fails, what their pages show.
  static all = new Set();

  static async tell(name) {
    let number = 0;
    for (const each of Console.all) {
      number += 1;
      await each.picture(`failed-${name}-${number}`).catch(() => undefined);
      const text = await each.page.locator("body").innerText({ timeout: 1000 }).catch(String);
      console.error(`${each.page.url()} shows:\n${text}\nand complains:`, each.complaints);
    }
  }

  /// What this page complains about counts, too.
  watch(page) {
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) this.complaints.push(message.text());
    });
    page.on("pageerror", (error) => this.complaints.push(String(error)));
    page.on("request", (request) => {
      if (!request.url().startsWith(new URL(this.base).origin)) {
        this.complaints.push(`request to ${request.url()}`);
      }
    });
  }

  async close() {
    await this.browser.close();
    Console.all.delete(this);
    checkEqual(this.complaints.filter((text) => !this.refusals.test(text)), [],
               "what the browser complains about");
  }

  go(path) {
    return this.page.goto(this.base + path, { waitUntil: "load" });
  }

  /// The text of the view.
  text() {
    return this.page.locator("main").innerText();
  }

  see(text) {
    return this.page.locator("main").getByText(text).first().waitFor();
  }

  button(name) {
    return this.page.getByRole("button", { name, exact: true });
  }

  /// In the dialog that is open: gives a reason and does it.
  async confirm(title, reason) {
    const dialog = this.page.getByRole("dialog");
    await dialog.getByLabel("Reason, for the audit log").fill(reason);
    await dialog.getByRole("button", { name: title, exact: true }).click();
  }

  async picture(name) {
    if (!setting.pictures) return;
    mkdirSync(setting.pictures, { recursive: true });
    await this.page.screenshot({ path: join(setting.pictures, `${name}.png`) });
  }

  /// What axe finds. It runs by the debugger, which the page's policy does not hold for.
  async checkAccess(what) {
    const { readFileSync } = await import("node:fs");
    const session = await this.page.context().newCDPSession(this.page);
    const run = (expression) => session.send("Runtime.evaluate",
      { expression, awaitPromise: true, returnByValue: true });
    await run(readFileSync(axe, "utf8"));
    const { result, exceptionDetails } = await run(
      "axe.run(document, {resultTypes: ['violations']}).then((found) => found.violations.map(" +
      "(each) => `${each.id}: ${each.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`))");
    check(!exceptionDetails, `axe: ${JSON.stringify(exceptionDetails)}`);
    checkEqual(result.value, [], `axe in ${what}`);
    await session.detach();
  }
}
