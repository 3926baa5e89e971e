// What the browser shows when something goes wrong, and that it recovers by itself: each fault has
// a banner, and what was typed in a dialog stays.

import { Console, check, checkEqual, setting, small, until } from "./browser.mjs";

/// What the browser itself says of requests that fail. The page's own code says nothing.
const failedRequests = /^Failed to load resource: (net::ERR_|the server responded with a status)/;

async function open(base, options) {
  const console_ = await Console.open(base, options);
  console_.refusals = failedRequests;
  return console_;
}

/// A view, with something that it shows.
async function openAt(base, view, text, options) {
  const console_ = await open(base, options);
  await console_.go(`/admin/${view}`);
  await console_.see(text);
  return console_;
}

async function happen(name) {
  const answer = await fetch(`${setting.controls}/${name}`, { method: "POST" });
  check(answer.ok, `${name}: ${await answer.text()}`);
}

const banner = (console_) => console_.page.locator("main > .trouble");
const dialogOf = (console_) => console_.page.getByRole("dialog");
const reasonIn = (console_) => dialogOf(console_).getByLabel("Reason, for the audit log");

/// The dialog of an action on one transaction, with a reason that was typed.
async function typed(console_, gid, button, reason) {
  await console_.go(`/admin/transaction/${gid}`);
  await console_.see("waiting");
  await console_.button(button).first().click();
  await reasonIn(console_).fill(reason);
}

const press = (console_, name) =>
  dialogOf(console_).getByRole("button", { name, exact: true }).click();

/// The banner is there, and in front of what a dialog covers.
async function bannerSays(console_, text) {
  await dialogOf(console_).locator(".trouble").getByText(text).waitFor();
  check((await banner(console_).innerText()).includes(text), "the frame says it, too");
}

async function recovered(console_, reason) {
  await banner(console_).waitFor({ state: "detached" });
  await dialogOf(console_).locator(".trouble").waitFor({ state: "detached" });
  checkEqual(await reasonIn(console_).inputValue(), reason, "what was typed");
}

/// The coordinator is killed and started again.
async function killed() {
  const console_ = await open(setting.open);
  const overview = await openAt(setting.open, "overview", "Transactions per second",
                                { dark: true, view: small });
  await overview.page.getByRole("status").getByText("ready", { exact: true }).waitFor();
  await typed(console_, "stuck-1", "Force stop", "typed before it was killed");
  await happen("kill");
  await bannerSays(console_, "The coordinator does not answer");
  await press(console_, "Force stop");
  await dialogOf(console_).getByText("it is not known whether this was done").waitFor();
  await console_.checkAccess("a coordinator that is away");
  await console_.picture("fault-away");
  await banner(overview).getByText("The coordinator does not answer").waitFor();
  // Another request has told of it; the one that asks whether it is ready ends a little later.
  await until("nobody says that it is ready", async () =>
    await overview.page.getByText("ready", { exact: true }).count() === 0);
  await overview.checkAccess("an overview of a coordinator that is away");
  await overview.picture("fault-away-small");
  await happen("start");
  await recovered(console_, "typed before it was killed");
  await press(console_, "Force stop");
  await console_.page.getByText("stuck-1 has ended as failed.").waitFor();
  await banner(overview).waitFor({ state: "detached" });
  await overview.page.getByRole("status").getByText("ready", { exact: true }).waitFor();
  await console_.close();
  await overview.close();
}

/// Each list, opened when the store is away already: what it would show is not known.
async function listsNotKnown() {
  const lists = ["unfinished", "failed", "search", "damaged", "topics", "cluster", "pauses",
                 "jobs", "transaction/shared-1"];
  const empty = /There are none|Nothing is unfinished|No topic yet|None known|no transaction/;
  for (const [name, options] of [["wide", {}], ["small", { dark: true, view: small }]]) {
    const console_ = await open(setting.shared, options);
    for (const view of lists) {
      await console_.go(`/admin/${view}`);
      await console_.page.locator("main section p.empty").getByText("not known").waitFor();
      const text = await console_.text();
      check(!empty.test(text), `${view} without a store, ${name}: ${text}`);
      checkEqual(await console_.page.locator("main section").getByRole("row").count(), 0,
                 `rows of ${view} without a store`);
    }
    await console_.checkAccess(`a list without a store, ${name}`);
    await console_.picture(`fault-store-list-${name}`);
    await console_.close();
  }
}

/// Lists that were empty when the store was there do not say so any more when it is away.
async function emptyBefore() {
  const opened = [];
  for (const [view, text] of [
    ["failed", "There are none."], ["topics", "No topic yet."], ["pauses", "There are none."],
    ["jobs", "There are none."], ["damaged", "None known."],
  ]) opened.push([view, await openAt(setting.shared, view, text)]);
  return async () => {
    for (const [view, console_] of opened) {
      await console_.page.locator("main section p.empty").getByText("not known").waitFor();
      check(!/There are none|No topic|None known/.test(await console_.text()), view);
      await console_.close();
    }
  };
}

/// The server of a shared store is away.
async function storeAway() {
  const console_ = await openAt(setting.shared, "unfinished", "shared-1");
  const { page } = console_;
  const notEmptyAnyMore = await emptyBefore();
  await console_.button("Try all …").click();
  await dialogOf(console_).getByText("2 transactions are concerned.").waitFor();
  await reasonIn(console_).fill("typed while the store was there");
  await happen("stopStore");
  await bannerSays(console_, "The coordinator refuses requests for now");
  await press(console_, "Try now: all that fit");
  await dialogOf(console_).getByText("Look at it before you try again.").waitFor();
  await console_.picture("fault-store");
  await notEmptyAnyMore();
  await listsNotKnown();
  const fresh = await open(setting.shared);
  await fresh.go("/admin/unfinished");
  await banner(fresh).getByText("refuses requests for now").waitFor();
  check(!(await fresh.text()).includes("Nothing is unfinished"), "nobody knows that");
  await fresh.go("/admin/overview");
  const card = fresh.page.locator(".card").filter({ hasText: "Oldest unfinished" });
  await until("what is unfinished is not known", async () =>
    (await card.innerText()).includes("not known"), 45_000);
  const text = await fresh.text();
  check(/\nUnfinished\nnot known\n/.test(text), "how many are unfinished is not known");
  check(!text.includes("No transaction has been unfinished"), "what is stuck is not known");
  await fresh.page.getByText("not ready").waitFor();
  await fresh.checkAccess("an overview without a store");
  await fresh.picture("fault-store-overview");
  await happen("startStore");
  await recovered(console_, "typed while the store was there");
  await dialogOf(console_).getByText("2 transactions are concerned.").waitFor();
  await press(console_, "Try now: all that fit");
  await page.getByText(/Bulk action .* has begun/).waitFor();
  await until("the numbers are back", async () => !(await card.innerText()).includes("not known"));
  await console_.close();
  await fresh.close();
}

async function enter(place, token) {
  await place.getByLabel("Token").fill(token);
  await place.getByRole("button", { name: "Enter" }).click();
}

/// A token is revoked while the page is open; another one has fewer rights; the first one is back.
async function tokens() {
  const console_ = await open(setting.guarded);
  const { page } = console_;
  await console_.go("/admin/unfinished");
  await enter(page.locator("main"), setting.tokens.operator);
  await console_.see("guarded-1");
  await typed(console_, "guarded-1", "Force stop", "typed as Olga");
  await happen("revoke");
  const dialog = dialogOf(console_);
  await dialog.getByText("does not take this token any more").waitFor();
  await console_.checkAccess("a token that was revoked");
  await console_.picture("fault-token");
  await enter(dialog, setting.tokens.viewer);
  await dialog.getByLabel("Token").waitFor({ state: "detached" });
  await page.getByText("read only").waitFor();
  await press(console_, "Force stop");
  await dialog.getByText("This caller may not do that").waitFor();
  checkEqual(await reasonIn(console_).inputValue(), "typed as Olga", "what was typed");
  await press(console_, "Cancel");
  checkEqual(await console_.button("Force stop").count(), 0, "a viewer's buttons");
  await console_.button("Forget the token").click();
  await enter(page.locator("main"), setting.tokens.operator);
  await page.locator("main").getByText("does not take this token any more").waitFor();
  await happen("allow");
  await until("the token is known again", async () => {
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    return (await page.locator("main").getByLabel("Token").count()) === 0;
  });
  await console_.button("Force stop").waitFor();
  await console_.close();
}

/// An operator becomes a viewer while the page is open.
async function fewerRights() {
  const console_ = await open(setting.demoted);
  await console_.go("/admin/unfinished");
  await enter(console_.page.locator("main"), setting.tokens.operator);
  await console_.see("demoted-1");
  await typed(console_, "demoted-1", "Force stop", "typed as an operator");
  await happen("demote");
  const headers = { Authorization: `Bearer ${setting.tokens.operator}` };
  await until("the rights are fewer", async () => {
    const facts = await fetch(`${setting.demoted}/admin/console.json`, { headers });
    return !(await facts.json()).operator;
  });
  await press(console_, "Force stop");
  await dialogOf(console_).getByText("This caller may not do that").waitFor();
  checkEqual(await reasonIn(console_).inputValue(), "typed as an operator", "what was typed");
  await console_.page.getByText("read only").waitFor();
  await console_.close();
}

const page502 = { status: 502, contentType: "text/html",
                  body: "<html><head><title>502 Bad Gateway</title></head><p>nginx</html>" };
const signIn = { status: 200, contentType: "text/html", body: "<!doctype html><p>Sign in" };
const otherJson = { status: 200, json: {} };

/// A proxy answers instead of the coordinator.
async function notJson(answer, words, views) {
  const console_ = await open(setting.steady);
  const { page } = console_;
  await typed(console_, "stuck-2", "Try now", "typed before the proxy answered");
  const pattern = /\/(api\/dtmsvr\/|api\/concerto\/|metrics|readyz|admin\/console.json)/;
  await page.route(pattern, (route) => route.fulfill(answer));
  await bannerSays(console_, words);
  await press(console_, "Try now");
  if (answer.status !== 200) await dialogOf(console_).getByText("it is not known").waitFor();
  if (answer === page502) await console_.picture("fault-proxy");
  for (const view of views) {
    await page.evaluate((path) => {
      document.querySelector("dialog")?.close();
      document.querySelector(`nav a[href="${path}"]`).click();
    }, `/admin/${view}`);
    await page.waitForURL(`**/admin/${view}`);
    await banner(console_).getByText(words).waitFor();
  }
  await page.unroute(pattern);
  await banner(console_).waitFor({ state: "detached" });
  await console_.close();
}

/// Each answer takes ten seconds.
async function slow() {
  const console_ = await openAt(setting.steady, "topics", "news");
  const { page } = console_;
  const pattern = /\/api\/dtmsvr\/(all|query)\?/;
  await page.route(pattern, async (route) => {
    await new Promise((done) => setTimeout(done, 10_000));
    await route.continue().catch(() => undefined);
  });
  await page.getByRole("navigation").getByRole("link", { name: "Failed" }).click();
  await console_.see("Loading …");
  await banner(console_).getByText("The coordinator answers slowly").waitFor();
  await console_.checkAccess("a slow coordinator");
  await console_.see("failed-1");
  await banner(console_).getByText("The coordinator answers slowly (10 s)").waitFor();
  await console_.picture("fault-slow");
  await page.unroute(pattern);
  await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
  await banner(console_).waitFor({ state: "detached" });
  await console_.close();
}

/// The clock of the browser's machine is an hour off.
async function wrongClock(hours) {
  const console_ = await open(setting.steady);
  const { page } = console_;
  await page.addInitScript((shift) => {
    const Real = Date;
    window.Date = class extends Real {
      constructor(...given) {
        super(...(given.length > 0 ? given : [Real.now() + shift]));
      }

      static now() {
        return Real.now() + shift;
      }
    };
  }, hours * 3_600_000);
  const gid = `clock${hours}`;
  await fetch(`${setting.steady}/api/dtmsvr/submit`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ gid, trans_type: "saga", payloads: ["{}"],
                           steps: [{ action: setting.down, compensate: setting.up }] }) });
  const answer = await fetch(`${setting.steady}/api/dtmsvr/query?gid=${gid}`);
  const begin = new Date((await answer.json()).transaction.create_time).getTime();
  const isRight = (text) => {
    const [, minutes, seconds] = /^(?:(\d+) m )?([\d.]+) (?:m?s)$/.exec(text) ?? [];
    const shown = 60 * Number(minutes ?? 0) + Number(seconds);
    return Math.abs(shown - (Date.now() - begin) / 1000) < 3;
  };
  await console_.go("/admin/unfinished");
  const row = page.getByRole("row").filter({ hasText: gid });
  await row.waitFor();
  await until("the age in the list is right", async () =>
    isRight((await row.locator(".cell-age").innerText()).trim()));
  checkEqual(await row.getByText("stuck", { exact: true }).count(), 0, "it is young");
  await console_.go(`/admin/transaction/${gid}`);
  const age = page.locator("dt", { hasText: "Age" }).locator("xpath=following-sibling::dd[1]");
  await until("the age in the details is right", async () => isRight(await age.innerText()));
  const next = page.locator(".why .quiet");
  await next.waitFor();
  check(/\(in (\d+ m )?\d+(\.\d)? (s|m)( \d+ s)?\)/.test(await next.innerText()),
        `the next try: ${await next.innerText()}`);
  await console_.close();
}

export async function run() {
  await Promise.all([
    storeAway(),
    slow(),
    (async () => {
      await killed();
      await tokens();
      await fewerRights();
    })(),
    (async () => {
      await notJson(page502, "502 Bad Gateway", ["overview"]);
      await notJson(signIn, "Something else than the coordinator answers", ["topics"]);
      await notJson(otherJson, "Something else than the coordinator answers", [
        "overview", "jobs", "pauses", "topics", "audit", "backups", "cluster"]);
      await wrongClock(1);
      await wrongClock(-1);
    })(),
  ]);
}
