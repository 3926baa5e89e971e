// What operators do to many transactions, to branches and to targets, each with its preview.

import { Console, check, checkEqual, setting, until } from "./browser.mjs";

/// The actions that the browser asks the server for.
class Asked {
  constructor(page) {
    this.all = [];
    page.on("request", (request) => {
      if (request.method() !== "POST") return;
      this.all.push({ name: request.url().split("/").pop(), ...request.postDataJSON() });
    });
  }

  last() {
    return this.all[this.all.length - 1];
  }
}

async function statusOf(gid) {
  const answer = await fetch(`${setting.open}/api/dtmsvr/query?gid=${gid}`);
  return (await answer.json()).transaction.status;
}

const becomes = (gid, status) =>
  until(`${gid} is ${status}`, async () => (await statusOf(gid)) === status);

async function allThatFit(console_, asked) {
  const { page } = console_;
  await console_.go("/admin/unfinished?target=%2Fdown");
  await console_.see("stuck-1");
  const select = { status: "prepared,submitted,aborting", target: "/down" };
  await console_.button("Try all …").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByText(`${setting.stuck} transactions are concerned.`).waitFor();
  checkEqual([asked.last().dryRun, asked.last().select], [true, select],
             "the preview is of what the list selects");
  await dialog.getByLabel("At most").fill("2");
  await dialog.getByText("2 transactions are concerned.").waitFor();
  checkEqual(await dialog.getByText("wait on").count(), 0, "nothing is paused");
  await console_.checkAccess("a preview");
  await console_.picture("bulk-preview");
  const title = "Try now: all that fit";
  const count = asked.all.length;
  await console_.confirm(title, "");
  await page.getByText("A reason is needed.").waitFor();
  checkEqual(asked.all.length, count, "nothing is asked without a reason");
  await console_.confirm(title, "the disk is back");
  await page.getByText(/Bulk action .* has begun/).waitFor();
  checkEqual(asked.last(), { name: "retry", select, limit: 2, reason: "the disk is back" },
             "the request of the action");
}

async function selected(console_, asked) {
  const { page } = console_;
  await console_.go("/admin/unfinished");
  await console_.see("stuck-1");
  await page.getByRole("checkbox", { name: "stuck-1" }).check();
  await page.getByRole("checkbox", { name: "stuck-3" }).check();
  await console_.button("Stop all …").click();
  await page.getByRole("dialog").getByText("2 transactions are concerned.").waitFor();
  await console_.confirm("Force stop: 2 selected", "test data");
  await page.getByText("2 done, 0 failed").waitFor();
  checkEqual([...asked.last().gids].sort(), ["stuck-1", "stuck-3"], "those that were selected");
  await becomes("stuck-1", "failed");
  await becomes("stuck-3", "failed");

  await console_.go("/admin/unfinished?words=stuck-4");
  await console_.see(/^1 of \d+ loaded transactions/);
  await console_.button("Try all …").click();
  await console_.confirm("Try now: 1 selected", "this one");
  await page.getByText("1 done, 0 failed").waitFor();
  checkEqual(asked.last().gids, ["stuck-4"], "what the words leave, and not all that fit");
  await console_.go("/admin/unfinished?words=nothing-like-it");
  await console_.see("There are none.");
  checkEqual(await console_.button("Try all …").count(), 0, "actions on nothing");
}

/// What was selected one by one is done at once and has no job.
async function jobs(console_) {
  await console_.go("/admin/jobs");
  const retried = console_.page.getByRole("article").filter({ hasText: "the disk is back" });
  await retried.getByText("2 done, 0 failed").waitFor();
  await retried.getByText("done", { exact: true }).waitFor();
  await console_.checkAccess("bulk actions");
  await console_.picture("jobs");
}

/// A coordinator that was started paused has jobs that wait until it begins: there is time to end
/// one.
async function endOfAJob() {
  const console_ = await Console.open(setting.paused);
  console_.refusals = /status of 503/;  // is not ready
  const { page } = console_;
  const asked = new Asked(page);
  await console_.go("/admin/unfinished?target=%2Fdown");
  await console_.see("late-1");
  await console_.button("Try all …").click();
  await page.getByRole("dialog").getByText("3 transactions are concerned.").waitFor();
  await page.getByRole("dialog").getByText("until it begins, it calls nobody").waitFor();
  await console_.picture("bulk-preview-paused-start");
  await console_.confirm("Try now: all that fit", "too many");
  await page.getByText(/Bulk action .* has begun/).waitFor();
  await console_.go("/admin/jobs");
  const job = page.getByRole("article").filter({ hasText: "too many" });
  await job.getByText("running", { exact: true }).waitFor();
  await job.getByText("0 done, 0 failed").waitFor();
  await job.getByText(/^For .*target \/down/).waitFor();
  await job.getByRole("status").waitFor();  // why it waits
  await console_.checkAccess("a job that can be ended");
  await job.getByRole("button", { name: /^Cancel it / }).click();
  await console_.confirm("Cancel it", "wrong ones");
  await job.getByText("cancelled", { exact: true }).waitFor();
  checkEqual(await job.getByRole("button").count(), 0, "what has ended cannot be ended");
  const { id, ...others } = asked.last();
  checkEqual(others, { name: "cancelJob", reason: "wrong ones" }, "the cancel");
  const [told] = (await (await fetch(`${setting.paused}/api/concerto/jobs?id=${id}`)).json()).jobs;
  checkEqual([told.state, told.done, told.reason], ["cancelled", 0, "too many"], "the job");
  await console_.go("/admin/audit");
  await console_.see("wrong ones");
  await console_.close();
}

/// None of these has a branch 09. The page has no such action, so the server is asked for it.
async function failuresOfAJob() {
  const body = { select: { target: "/down" }, branchId: "09", op: "action", reason: "no such one" };
  const answer = await fetch(`${setting.open}/api/concerto/skip`, {
    method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  checkEqual(answer.status, 202, "a job");
  const console_ = await Console.open(setting.open);
  await console_.go("/admin/jobs");
  const job = console_.page.getByRole("article").filter({ hasText: "no such one" });
  await job.getByText(`0 done, ${setting.stuck} failed`).waitFor();
  const failures = job.getByRole("list", { name: "Failures" }).getByRole("listitem");
  checkEqual(await failures.count(), setting.stuck, "each failure");
  await failures.filter({ hasText: /^stuck-2: .*09/ }).waitFor();
  await console_.checkAccess("a job with failures");
  await console_.close();
}

/// A skip of many names its row, so that a repetition skips no other one.
async function skipOfMany(console_, asked) {
  const { page } = console_;
  await console_.go("/admin/unfinished?target=%2Fdown&words=stuck-2");
  await console_.see(/^1 of \d+ loaded transactions/);
  const count = asked.all.length;
  await console_.button("Skip branches …").click();
  const dialog = page.getByRole("dialog");
  for (const [branch, op] of [["", ""], ["02", ""], ["", "action"]]) {
    await dialog.getByLabel("Branch", { exact: true }).fill(branch);
    await dialog.getByLabel("Operation").fill(op);
    await console_.confirm("Skip the branch: 1 selected", "done by hand");
    await dialog.getByText("The branch and the operation are needed").waitFor();
  }
  checkEqual(asked.all.length, count, "nothing is asked without the name of the row");
  await console_.checkAccess("a skip of many");
  await console_.picture("bulk-skip");
  await dialog.getByLabel("Branch", { exact: true }).fill("02");
  await dialog.getByText("1 transaction is concerned.").waitFor();
  checkEqual([asked.last().dryRun, asked.last().branchId, asked.last().op],
             [true, "02", "action"], "the preview is of this row");
  await console_.confirm("Skip the branch: 1 selected", "done by hand");
  await page.getByText("1 done, 0 failed").waitFor();
  checkEqual(asked.last(), { name: "skip", gids: ["stuck-2"], branchId: "02", op: "action",
                             reason: "done by hand" }, "the skip of many");
  await becomes("stuck-2", "succeed");
}

async function branches(console_, asked) {
  const { page } = console_;
  const row = () => page.getByRole("row").filter({ hasText: "02" })
    .filter({ hasText: "action" }).filter({ hasText: "/down" }).first();
  await console_.go("/admin/transaction/stuck-5");
  await console_.see("waiting");
  await row().getByRole("button", { name: "Skip the branch" }).click();
  await console_.confirm("Skip the branch 02 action", "done by hand");
  await page.getByText("The branch of stuck-5 counts as done.").waitFor();
  checkEqual(asked.last(), { name: "skip", gid: "stuck-5", branchId: "02", op: "action",
                             reason: "done by hand" }, "the skip");
  await becomes("stuck-5", "succeed");

  await console_.go("/admin/transaction/stuck-4");
  await console_.see("waiting");
  await row().getByRole("button", { name: "Change the branch" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("URL").fill(setting.up);
  await dialog.getByLabel("Payload").fill('{"amount":31}');
  await console_.checkAccess("the change of a branch");
  await console_.confirm("Change the branch 02 action", "it has moved");
  await page.getByText("The branch of stuck-4 was changed.").waitFor();
  checkEqual(asked.last(), { name: "edit", gid: "stuck-4", branchId: "02", op: "action",
                             url: setting.up, payload: '{"amount":31}',
                             reason: "it has moved" }, "the change");
  if ((await statusOf("stuck-4")) !== "succeed") {
    await console_.button("Try now").first().click();
    await console_.confirm("Try now", "it has moved");
  }
  await becomes("stuck-4", "succeed");
  await console_.go("/admin/audit");
  for (const reason of ["done by hand", "it has moved", "the disk is back", "test data"]) {
    await console_.see(reason);
  }
}

async function pauses(console_, asked) {
  const { page } = console_;
  const target = new URL(setting.up).origin;
  await console_.go("/admin/pauses");
  await console_.see("There are none.");
  await console_.button("Pause calls").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("combobox", { name: "Kind" }).selectOption("mode");
  await dialog.getByRole("combobox", { name: "Mode", exact: true }).selectOption("tcc");
  await dialog.getByRole("combobox", { name: "Kind" }).selectOption("target");
  await dialog.getByLabel("Value").fill(target);
  await console_.confirm("Pause", "maintenance");
  await console_.see("maintenance");
  checkEqual(asked.last(), { name: "pause", kind: "target", value: target,
                             reason: "maintenance" }, "the pause");
  await console_.checkAccess("pauses");
  await console_.picture("pauses");
  await page.getByRole("button", { name: `Resume ${target}` }).click();
  await console_.confirm("Resume", "done");
  await console_.see("There are none.");
}

/// While the calls of transactions are paused, the previews say that a retry brings them nowhere.
async function pausedPreviews(console_) {
  const { page } = console_;
  const pause = (name) => fetch(`${setting.open}/api/concerto/${name}`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ kind: "target", value: "/down", reason: "repairs" }) });
  checkEqual((await pause("pause")).status, 200, "the pause");
  const dialog = page.getByRole("dialog");
  await console_.go("/admin/unfinished?target=%2Fdown");
  await console_.see("stuck-2");
  await console_.button("Try all …").click();
  await dialog.getByText(`${setting.stuck} of them wait on: what they call next is paused`)
    .waitFor();
  await console_.checkAccess("a preview of what is paused");
  await console_.picture("bulk-preview-paused");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("checkbox", { name: "stuck-2" }).check();
  await console_.button("Try all …").click();
  await dialog.getByText("1 of them waits on").waitFor();
  await console_.confirm("Try now: 1 selected", "in spite of the pause");
  await page.getByText("1 done, 0 failed · 1 of them waits on because of a pause.").waitFor();
  await console_.go("/admin/transaction/stuck-2");
  await console_.button("Try now").first().click();
  await dialog.getByText("The transaction waits on: what it calls next is paused").waitFor();
  await console_.picture("preview-paused-one");
  await dialog.getByRole("button", { name: "Cancel" }).click();
  checkEqual((await pause("resume")).status, 200, "the end of the pause");
}

/// What would be refused is said before it is done.
async function refusedPreviews(console_) {
  const { page } = console_;
  const dialog = page.getByRole("dialog");
  await console_.go("/admin/unfinished?target=%2Fdown");
  await console_.see("stuck-2");
  await console_.button("Skip branches …").click();
  await dialog.getByLabel("Branch").fill("09");
  await dialog.getByLabel("Operation").fill("action");
  await dialog.getByText("0 transactions are concerned.").waitFor();
  await dialog.getByText(`${setting.stuck} would be refused:`).waitFor();
  await dialog.getByText(/^stuck-2: .*09/).waitFor();
  await console_.checkAccess("a preview of what is refused");
  await dialog.getByRole("button", { name: "Cancel" }).click();
}

/// What a server has no routes for is not shown.
async function withoutRoutes() {
  const console_ = await Console.open(setting.open);
  const { page } = console_;
  await page.route("**/api/openapi.json", async (route) => {
    const answer = await route.fetch();
    const document = await answer.json();
    for (const path of Object.keys(document.paths)) {
      if (path.startsWith("/api/concerto/")) delete document.paths[path];
    }
    await route.fulfill({ response: answer, json: document });
  });
  await console_.go("/admin/unfinished");
  await console_.see("stuck-2");
  const links = await page.getByRole("navigation").innerText();
  for (const name of ["Pauses", "Bulk actions", "Backups", "Audit"]) {
    check(!links.includes(name), `the link to ${name}`);
  }
  checkEqual(await console_.button("Try all …").count(), 0, "the button of the bulk action");
  await console_.close();
}

export async function run() {
  await withoutRoutes();
  await endOfAJob();
  await failuresOfAJob();
  const console_ = await Console.open(setting.open);
  const asked = new Asked(console_.page);
  await pausedPreviews(console_);
  await refusedPreviews(console_);
  await allThatFit(console_, asked);
  await selected(console_, asked);
  await jobs(console_);
  await branches(console_, asked);
  await pauses(console_, asked);
  await skipOfMany(console_, asked);
  check(asked.all.every((each) => each.reason || each.dryRun), "every action has a reason");
  await console_.close();
}
