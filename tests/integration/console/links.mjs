// Addresses: each view with its filters, and each transaction, opened in a new tab, also below a
// base path.

import { Console, check, checkEqual, setting, until } from "./browser.mjs";

const odd = "50% & #1? a/b=中文 +\"'\\";

/// The address of each view, and what its fields have.
const filtered = [
  ["overview", "Overview", {}, {}],
  ["unfinished", "Unfinished", { words: odd, mode: "saga", target: odd, error: odd, age: "17",
                                 topic: odd },
   { "Search in what is shown, or a whole gid": odd, Mode: "saga", "Service or URL": odd,
     Error: odd, "Older than, s": "17", Topic: odd }],
  ["failed", "Failed", { words: odd, mode: "tcc" },
   { "Search in what is shown, or a whole gid": odd, Mode: "tcc" }],
  ["search", "Search", { status: "aborting", words: odd, error: odd },
   { Status: "aborting", "Search in what is shown, or a whole gid": odd, Error: odd }],
  ["topics", "Topics", {}, {}], ["coordinator", "Coordinator", {}, {}],
  ["cluster", "Cluster", {}, {}], ["pauses", "Pauses", {}, {}], ["jobs", "Bulk actions", {}, {}],
  ["backups", "Backups", {}, {}],
  ["audit", "Audit", { gid: odd, caller: odd, action: "retry" },
   { gid: odd, Caller: odd, Action: "retry" }],
];

/// A tab of its own, with the token of the first one, if there is one.
async function tab(console_, address, token) {
  const page = await console_.page.context().newPage();
  console_.watch(page);
  page.setDefaultTimeout(15_000);
  if (token) {
    await page.addInitScript((text) => sessionStorage.setItem("concerto.token", text), token);
  }
  await page.goto(address);
  return page;
}

const fieldOf = (page, name) => ["combobox", "searchbox", "textbox"]
  .map((role) => page.locator("main").getByRole(role, { name, exact: true }))
  .reduce((one, other) => one.or(other));

async function sameView(page, heading, fields, view) {
  const main = page.locator("main");
  await main.getByRole("heading", { name: heading, exact: true, level: 1 }).waitFor();
  for (const [label, value] of Object.entries(fields)) {
    const field = fieldOf(page, label);
    await field.waitFor();
    await until(`${view}: ${label} is ${value}, in ${page.url()}`,
                async () => (await field.inputValue()) === value);
  }
  check((await page.title()).startsWith(heading), `${view}: the title ${await page.title()}`);
  const current = page.getByRole("navigation").locator("[aria-current=page]");
  checkEqual(await current.innerText(), heading, `${view}: the link of the view`);
}

/// The fields are filled in one tab; its address gives the same in another one.
async function views(base, path, token, which) {
  const console_ = await Console.open(base);
  console_.refusals = /status of 40[013]/;  // asks for a token; has no such topic
  await console_.go(`${path}/admin/overview`);
  for (const [view, heading, query, fields] of which) {
    const address = `${base}${path}/admin/${view}?${new URLSearchParams(query)}`;
    const first = await tab(console_, address, token);
    await sameView(first, heading, fields, view);
    for (const [label, value] of Object.entries(fields)) {
      const field = fieldOf(first, label);
      const isChoice = await field.evaluate((element) => element.tagName === "SELECT");
      if (isChoice) continue;
      await field.fill("");
      await field.fill(value);
    }
    if (Object.keys(fields).length > 0) {
      const kept = await first.evaluate(() => location.href);
      await first.goto(kept);
      await sameView(first, heading, fields, `${view}, as ${kept}`);
    }
    await first.close();
  }
  await console_.close();
}

/// Every transaction has a link in the list, and the link's address gives that transaction.
async function transactions(base, path, token, gids) {
  const console_ = await Console.open(base);
  console_.refusals = /status of 40[13]/;
  for (const gid of gids) {
    const list = await tab(
      console_, `${base}${path}/admin/search?${new URLSearchParams({ words: gid })}`, token);
    const links = list.locator(".cell-gid a");
    const at = await until(`a link to ${gid}`, async () =>
      1 + (await links.allInnerTexts()).indexOf(gid));
    const link = links.nth(at - 1);
    const address = await link.evaluate((element) => element.href);
    const other = await tab(console_, address, token);
    await until(`the heading ${gid}`, async () =>
      (await other.locator("h1").innerText()) === gid);
    await other.getByText("waiting", { exact: true }).waitFor();
    await link.click();
    await until(`the heading ${gid}`, async () => (await list.locator("h1").innerText()) === gid);
    checkEqual(await list.evaluate(() => location.href), address, `the address of ${gid}`);
    await list.close();
    await other.close();
  }
  await console_.close();
}

/// Who opens an address without a token gets the same view after entering one.
async function afterTheToken() {
  const console_ = await Console.open(setting.guarded);
  console_.refusals = /status of 40[13]/;
  const { page } = console_;
  const path = `/dtm/admin/unfinished?${new URLSearchParams({ words: "up", error: odd })}`;
  await console_.go(path);
  const main = page.locator("main");
  await main.getByLabel("Token").fill(setting.tokens.viewer);
  await main.getByRole("button", { name: "Enter" }).click();
  await main.getByLabel("Token").waitFor({ state: "detached" });
  await sameView(page, "Unfinished", { Error: odd }, "after the token");
  checkEqual(page.url(), new URL(path, setting.guarded).href, "the address");
  await console_.close();
}

export async function run() {
  await Promise.all([
    views(setting.open, "", "", filtered),
    (async () => {
      const based = filtered.filter(([view]) => ["unfinished", "audit", "pauses"].includes(view));
      await views(setting.guarded, "/dtm", setting.tokens.viewer, based);
      await afterTheToken();
    })(),
    transactions(setting.open, "", "", setting.odd),
    transactions(setting.guarded, "/dtm", setting.tokens.viewer, setting.odd.slice(0, 4)),
  ]);
}
