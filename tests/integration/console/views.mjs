// Each view: by its link, by its address, wide and small, light and dark, in both languages.

import { Console, check, checkEqual, setting, small, until } from "./browser.mjs";

const listed = [
  ["overview", "Overview", "Transactions per second"], ["unfinished", "Unfinished", "stuck-1"],
  ["failed", "Failed", "failed-1"], ["damaged", "Damaged", "None known."],
  ["search", "Search", "good-1"], ["topics", "Topics", "news"],
  ["coordinator", "Coordinator", "serving"], ["cluster", "Cluster", "The store is not shared"],
  ["pauses", "Pauses", "There are none."], ["jobs", "Bulk actions", "There are none."],
  ["backups", "Backups", "Backup.Directory"], ["audit", "Audit", "subscribe"],
];

async function everyLink() {
  const console_ = await Console.open(setting.open);
  await console_.go("/");
  for (const [view, name, text] of listed) {
    await console_.page.getByRole("navigation").getByRole("link", { name, exact: true }).click();
    await console_.see(text);
    check(console_.page.url().endsWith(`/admin/${view}`), `${view}: ${console_.page.url()}`);
    check((await console_.page.title()).startsWith(name), "the title names the view");
  }
  await console_.page.goBack();
  await console_.see("Backup.Directory");
  await console_.close();
}

/// Cells of lists whose values always have room: marks and times, and on a small screen gids.
const cutCells = (page) => page.evaluate(() =>
  [...document.querySelectorAll(".cell-status, .cell-age, .cell-ts, .cell-event, .cell-next")]
    .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.innerText));

/// On a small screen the view's own name is in sight, and no row is higher than its place.
async function seesCurrent(page, view) {
  const link = page.locator("nav a[aria-current]");
  if (await link.count() > 0) {
    const [box, nav] = [await link.boundingBox(), await page.locator("nav").boundingBox()];
    check(box.x >= nav.x && box.x + box.width <= nav.x + nav.width + 1,
          `${view}: its name is out of sight`);
  }
  const high = await page.evaluate(() => [...document.querySelectorAll(".table-body .table-row")]
    .filter((row) => row.scrollHeight > row.clientHeight + 1).map((row) => row.innerText));
  checkEqual(high, [], `${view}: rows that are higher than their place`);
}

/// Every address opens its view, also after a reload.
async function everyAddress(options, name) {
  const console_ = await Console.open(setting.open, options);
  const addresses = [
    ...listed.map(([view, , text]) => [view, text]),
    ["transaction/stuck-1", "no disk"], ["transaction/good-1", "succeed"],
    ["transaction/a%2Fb%3Fc%25", "a/b?c%"],
  ];
  for (const [view, text] of addresses) {
    await console_.go(`/admin/${view}`);
    await console_.see(text);
    await console_.checkAccess(`${view}, ${name}`);
    const wider = await console_.page.evaluate(
      () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(wider <= 0, `${view}, ${name}: the page is ${wider} pixels wider than the window`);
    const cells = await cutCells(console_.page);
    checkEqual(cells, [], `${view}, ${name}: cells that are cut although they are short`);
    if (options.view) await seesCurrent(console_.page, view);
    await console_.picture(`${name}-${view.replace(/\W+/g, "-")}`);
  }
  await console_.close();
}

/// The paths of the reference's admin page.
async function formerAddresses() {
  const console_ = await Console.open(setting.open);
  for (const [path, heading] of [
    ["/", "Overview"], ["/admin/", "Overview"], ["/admin/what-ever", "Overview"],
    ["/admin/global-transactions/all", "Search"],
    ["/admin/global-transactions/unfinished", "Unfinished"], ["/admin/kv/topics", "Topics"],
  ]) {
    await console_.go(path);
    await console_.page.getByRole("heading", { name: heading, exact: true }).waitFor();
  }
  await console_.go("/admin/transaction/nobody");
  await console_.see("There is no transaction nobody.");
  await console_.close();
}

async function languagesAndColours() {
  const console_ = await Console.open(setting.open, { language: "zh-CN" });
  await console_.go("/admin/unfinished");
  await console_.page.getByRole("heading", { name: "未完成" }).waitFor();
  checkEqual(await console_.page.getAttribute("html", "lang"), "zh-CN", "the page's language");
  await console_.checkAccess("Chinese");
  await console_.picture("chinese");
  await console_.page.getByLabel("语言").selectOption("en");
  await console_.page.getByRole("heading", { name: "Unfinished" }).waitFor();
  const back = () => console_.page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await back();
  await console_.page.getByLabel("Colours").selectOption("dark");
  check(await back() !== light, "dark colours differ");
  await console_.page.reload();
  await console_.page.getByRole("heading", { name: "Unfinished" }).waitFor();
  check(await back() !== light, "the choice outlives a reload");
  await console_.close();
}

/// What may be in a Chinese page in other letters: terms of the protocol, names and settings, and
/// what the test has put there. Sentences that the server writes are in English, as in its log.
const notWords = [
  /https?:\/\/\S+/g, /\/\w+/g, /127\.0\.0\.1(:\d+)?/g, /\b(good|stuck|failed)-\d+/g,
  /a\/b\?c%/g, /\bv?\d+[\w.-]*/g, /\b(saga|msg|tcc|xa|workflow|http)\b/g,
  /\b(prepared|submitted|aborting|succeed|failed|action|compensate)\b/g,
  /\b(Concerto|English|gid|URL|JSON|TLS|Audit\.File|Backup\.Directory|mimalloc|glibc)\b/g,
  /\b(KiB|MiB|GiB|TiB|B)\b/g, /\b(news|subscribe|forceStop)\b/g, /"?branch_count"?|\{.*\}/g,
];
const fromServer = ".why, .cell-why, .cell-result, .answer, .note, pre, .empty";

/// The words of a page that nobody who reads Chinese alone would understand.
async function foreignWords(page) {
  const texts = await page.evaluate((others) => {
    const found = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
      const { parentElement, data } = walker.currentNode;
      if (!parentElement.closest(`${others}, script, style`)) found.push(data);
    }
    for (const element of document.querySelectorAll("[aria-label], [title]")) {
      if (element.closest(others)) continue;
      found.push(element.getAttribute("aria-label") ?? "");
    }
    return found;
  }, fromServer);
  const rest = texts.map((text) => notWords.reduce((left, term) => left.replace(term, " "), text));
  return [...new Set(rest.flatMap((text) => text.match(/[A-Za-z]{2,}/g) ?? []))];
}

async function chineseViews() {
  const console_ = await Console.open(setting.open, { language: "zh-CN" });
  const { page } = console_;
  for (const [view] of [...listed, ["transaction/stuck-1"]]) {
    await console_.go(`/admin/${view}`);
    await page.waitForLoadState("networkidle", { timeout: 700 }).catch(() => undefined);
    await until(`${view} is loaded`, async () => !(await console_.text()).includes("加载中"));
    checkEqual(await foreignWords(page), [], `English words in ${view}`);
  }
  await page.getByRole("button", { name: "强制停止" }).click();
  await page.getByRole("dialog").waitFor();
  checkEqual(await foreignWords(page), [], "English words in a dialog");
  await console_.picture("chinese-dialog");
  await console_.close();
}

/// A list follows what happens, and is searched while somebody types.
async function liveAndSearched() {
  const console_ = await Console.open(setting.open);
  const { page } = console_;
  await console_.go("/admin/search");
  await console_.see("good-1");
  const rows = () => page.getByRole("row").count();
  await page.getByLabel("Search in what is shown").fill("no money");
  await until("the failed ones are left", async () => (await rows()) === 1 + setting.failed);
  check(page.url().includes("words=no+money"), `the address has the words: ${page.url()}`);
  await page.reload();
  await until("the address alone is enough", async () => (await rows()) === 1 + setting.failed);
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByLabel("Service or URL").fill("/down");
  await until("those at a target", async () => !(await console_.text()).includes("good-1"));
  await console_.see("stuck-1");
  await page.getByRole("button", { name: "Clear" }).click();
  await page.getByLabel("Status").selectOption("succeed");
  await until("one status", async () => !(await console_.text()).includes("stuck-1"));
  await page.getByLabel("Mode").selectOption("tcc");
  await console_.see("There are none.");
  await page.getByRole("button", { name: "Clear" }).click();
  await fetch(`${setting.open}/api/dtmsvr/submit`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ gid: "newcomer", trans_type: "msg", payloads: ["{}"],
                           steps: [{ action: setting.up }] }) });
  await console_.see("newcomer");
  await console_.close();
}

/// Lists and transactions tell when something has ended.
async function ends() {
  const console_ = await Console.open(setting.open);
  const { page } = console_;
  const answer = await fetch(`${setting.open}/api/concerto/why?gid=failed-1`);
  const end = new Date((await answer.json()).end_time);
  check(end.getTime() > 0, "the server tells the end");
  const shown = await page.evaluate((time) => new Date(time).toLocaleTimeString(
    "en-GB", { hour12: false }), end.toISOString());
  for (const [view, head] of [["failed", "Finished"], ["search", "Next try or end"]]) {
    await console_.go(`/admin/${view}`);
    await page.getByRole("columnheader", { name: head, exact: true }).waitFor();
    const cell = page.getByRole("row").filter({ hasText: "failed-1" }).locator(".cell-next");
    check((await cell.innerText()).includes(shown), `${view}: ${await cell.innerText()}`);
  }
  await page.getByRole("link", { name: "failed-1" }).click();
  await page.locator(".why").getByText(/^Ended: .*:/).waitFor();
  check((await page.locator(".why").innerText()).includes(shown), "the end of the transaction");
  await console_.go("/admin/transaction/stuck-1");
  await console_.see("Next try:");
  check(!(await console_.text()).includes("Ended:"), "what has not ended has no end");
  await console_.close();
}

async function byKeyboard() {
  const console_ = await Console.open(setting.open);
  const { page } = console_;
  await console_.go("/admin/failed");
  await console_.see("failed-1");
  await page.keyboard.press("Tab");
  checkEqual(await page.evaluate(() => document.activeElement.textContent), "Skip to the content",
             "the first stop of the keyboard");
  await page.getByRole("grid").focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("End");
  const active = await page.locator(".table-row.active").getAttribute("id");
  checkEqual(await page.getByRole("grid").getAttribute("aria-activedescendant"), active,
             "the row that a screen reader speaks");
  await page.keyboard.press("Enter");
  await console_.see("no money");
  check(page.url().includes("/admin/transaction/failed-"), "Enter opens the transaction");
  checkEqual(await page.evaluate(() => document.activeElement.id), "main",
             "where the keyboard goes on");
  await console_.close();
}

export async function run() {
  await everyLink();
  await everyAddress({}, "wide");
  await everyAddress({ dark: true, view: small }, "small-dark");
  await formerAddresses();
  await languagesAndColours();
  await chineseViews();
  await liveAndSearched();
  await ends();
  await byKeyboard();
}
