// A coordinator that was started paused, how it begins, and backups of its store.

import { Console, check, checkEqual, setting, small, until } from "./browser.mjs";

async function open(role, options) {
  const console_ = await Console.open(setting.paused, options);
  console_.refusals = /status of (401|503)/;  // asks for a token; is not ready
  await console_.go("/admin/overview");
  await console_.page.locator("main").getByLabel("Token").fill(setting.tokens[role]);
  await console_.page.locator("main").getByRole("button", { name: "Enter" }).click();
  await console_.see("it calls no service");
  return console_;
}

const banner = (console_) => console_.page.locator(".banner");

/// Each view says it, and a viewer is not asked to act.
async function asViewer(options, name) {
  const console_ = await open("viewer", options);
  for (const view of ["overview", "unfinished", "backups", "coordinator"]) {
    await console_.go(`/admin/${view}`);
    await banner(console_).getByText("started with --paused").waitFor();
    checkEqual(await banner(console_).getByRole("button").count(), 0, `${view}: a viewer's button`);
  }
  await console_.go("/admin/backups");
  await console_.see("There are none.");
  checkEqual(await console_.button("Make a backup").count(), 0, "a viewer makes no backup");
  await console_.checkAccess(`the banner, ${name}`);
  const wider = await console_.page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  check(wider <= 0, `${name}: the page is ${wider} pixels wider than the window`);
  await console_.picture(`paused-${name}`);
  await console_.close();
}

async function make(console_, name, holds, reason, verifies = false) {
  await console_.button("Make a backup").click();
  const dialog = console_.page.getByRole("dialog");
  await dialog.getByLabel("Name").fill(name);
  await dialog.getByLabel("What it holds").selectOption({ label: holds });
  if (verifies) await dialog.getByLabel("Read all that it builds on before").check();
  if (name === "monday") {
    await console_.checkAccess("the dialog of a backup");
    await console_.picture("backup-dialog");
    await console_.confirm("Make a backup", "");
    await console_.page.getByText("A reason is needed.").waitFor();
  }
  await console_.confirm("Make a backup", reason);
}

/// What is written in the row of a backup.
const row = (console_, name) => console_.page.getByRole("row")
  .filter({ has: console_.page.getByRole("cell", { name, exact: true }) });

async function backups(console_) {
  await console_.go("/admin/backups");
  await console_.see("There are none.");
  await make(console_, "monday", "everything", "before the update");
  await console_.see("monday was the last backup; it is complete.");
  await row(console_, "monday").getByText("everything").waitFor();
  await make(console_, "tuesday", "what came after monday", "each day");
  await row(console_, "tuesday").getByText("what came after monday").waitFor();
  // What the new one would build on is read before, and is damaged.
  const damaged = await fetch(`${setting.controls}/damage`, { method: "POST" });
  check(damaged.ok, await damaged.text());
  await make(console_, "wednesday", "what came after the newest backup", "each day", true);
  await row(console_, "wednesday").getByText("everything").waitFor();
  await console_.see(/^Note: all was copied: .*damaged/);
  await console_.picture("backup-note");
  await make(console_, "thursday", "what came after tuesday", "each day", true);
  await console_.see("The backup thursday failed:");
  await make(console_, "monday", "everything", "once more");
  await console_.see("The backup monday failed:");
  await make(console_, "../away", "everything", "elsewhere");
  await console_.page.getByRole("dialog").getByRole("alert").waitFor();
  await console_.page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  const names = await console_.page.locator("tbody tr td:first-child").allInnerTexts();
  checkEqual(names, ["wednesday", "tuesday", "monday"], "the newest is the first");
  await console_.checkAccess("backups");
  await console_.picture("backups");
}

/// The backup of a store with much in it: the page tells of it as it goes, and when it has ended.
async function ofALargeStore() {
  const console_ = await Console.open(setting.large);
  await console_.go("/admin/backups");
  await console_.see("There are none.");
  await make(console_, "friday", "everything", "each week");
  await console_.page.getByRole("progressbar", { name: "friday" }).waitFor();
  await console_.see(/^friday(: \d+ of \d+ groups are copied| has begun)\.$/);
  checkEqual(await console_.button("Make a backup").count(), 0, "one at a time");
  // A busy disk takes its time.
  await console_.page.locator("main").getByText("friday was the last backup; it is complete.")
    .waitFor({ timeout: 60_000 });
  await console_.button("Make a backup").waitFor();
  await row(console_, "friday").getByText("everything").waitFor();
  await console_.close();
}

/// How far it is, with numbers that are known here.
async function progress() {
  const console_ = await Console.open(setting.open);
  const { page } = console_;
  const state = { state: "running", name: "friday", groupsDone: 0, groupsTotal: 0, backups: [] };
  await page.route("**/api/concerto/backup", (route) => route.fulfill({ json: state }));
  await console_.go("/admin/backups");
  await console_.see("friday has begun.");
  checkEqual(await console_.button("Make a backup").count(), 0, "one at a time");
  Object.assign(state, { groupsDone: 1200, groupsTotal: 4800 });
  await console_.see("friday: 1,200 of 4,800 groups are copied.");
  checkEqual(await page.getByRole("progressbar", { name: "friday" }).getAttribute("value"), "1200",
             "the bar");
  await console_.checkAccess("a backup that runs");
  await console_.close();
}

async function begin(console_) {
  await console_.go("/admin/unfinished");
  await banner(console_).getByRole("button", { name: "Begin" }).click();
  await console_.checkAccess("the dialog of a beginning");
  await console_.confirm("Begin", "");
  await console_.page.getByText("A reason is needed.").waitFor();
  await console_.confirm("Begin", "compared with the old one");
  await console_.page.getByText("The coordinator works now.").waitFor();
  await banner(console_).waitFor({ state: "detached" });
  await console_.go("/admin/audit");
  for (const reason of ["compared with the old one", "before the update", "each day"]) {
    await until(`the audit log has: ${reason}`,
                async () => (await console_.text()).includes(reason));
  }
}

export async function run() {
  await asViewer({}, "wide");
  await asViewer({ dark: true, view: small }, "small-dark");
  const console_ = await open("operator");
  console_.refusals = /status of (400|401|503)/;
  await backups(console_);
  await begin(console_);
  await console_.close();
  await ofALargeStore();
  await progress();
  const other = await Console.open(setting.open);
  await other.go("/admin/backups");
  await other.see("Backup.Directory");
  checkEqual(await other.button("Make a backup").count(), 0, "a server that makes none");
  checkEqual(await other.page.locator(".banner").count(), 0, "a server that was not paused");
  await other.close();
}
