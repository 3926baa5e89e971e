// The pictures of docs/operations.md: a bank whose ledger service is down.

import { Console, setting } from "./browser.mjs";

const view = { width: 1200, height: 720 };

async function overview() {
  const console_ = await Console.open(setting.open, { view });
  await console_.go("/admin/overview");
  await console_.see("Transactions per second");
  await new Promise((done) => setTimeout(done, setting.watchMs));
  await console_.picture("console-overview");
  await console_.close();
}

async function lists() {
  const console_ = await Console.open(setting.open, { view });
  await console_.go("/admin/unfinished");
  await console_.see("transfer-0007");
  await console_.button("Try all …").click();
  const dialog = console_.page.getByRole("dialog");
  await dialog.getByText("transactions are concerned.").waitFor();
  await dialog.getByLabel("Reason, for the audit log")
    .fill("OPS-4711: the ledger takes entries again");
  await console_.picture("console-preview");
  await console_.close();
}

async function transaction(options, name) {
  const console_ = await Console.open(setting.open, options);
  await console_.go("/admin/transaction/transfer-0007");
  await console_.see("ledger is read-only");
  await console_.picture(name);
  await console_.close();
}

async function backups() {
  const console_ = await Console.open(setting.open, { view });
  await console_.go("/admin/backups");
  for (const [name, reason] of [["20261129T020000Z", "nightly"], ["20261130T020000Z", "nightly"]]) {
    await console_.button("Make a backup").click();
    await console_.page.getByRole("dialog").getByLabel("Name").fill(name);
    await console_.confirm("Make a backup", reason);
    await console_.see(`${name} was the last backup; it is complete.`);
  }
  await console_.picture("console-backups");
  await console_.close();
}

async function cluster() {
  const console_ = await Console.open(setting.first, { view });
  await console_.go("/admin/cluster");
  await console_.see("this coordinator is");
  await console_.page.getByText("this one").waitFor();
  await console_.picture("console-cluster");
  await console_.close();
}

async function pausedStart() {
  const console_ = await Console.open(setting.paused, { view });
  console_.refusals = /status of 503/;
  await console_.go("/admin/overview");
  await console_.see("started with --paused");
  await console_.see("Transactions per second");
  await new Promise((done) => setTimeout(done, Math.min(setting.watchMs, 15_000)));
  await console_.picture("console-paused");
  await console_.close();
}

export async function run() {
  await overview();
  await lists();
  await backups();
  await cluster();
  await pausedStart();
  await transaction({ view }, "console-transaction");
  await transaction({ view: { width: 390, height: 720 }, dark: true }, "console-small-dark");
}
