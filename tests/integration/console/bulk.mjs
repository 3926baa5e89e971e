// Bulk actions, skip, edit and pauses. A server may not have their routes: here the browser's
// requests to them are answered by the test, as the API says, and everything else by the server.

import { Console, check, checkEqual, setting } from "./browser.mjs";

const names = ["count", "retry", "stop", "skip", "edit", "jobs", "cancelJob", "pauses", "pause",
               "resume"];

/// Has the routes, and keeps what it is asked.
class Operated {
  constructor() {
    this.asked = [];
    this.jobs = [];
    this.pauses = [];
  }

  async install(page) {
    await page.route("**/api/openapi.json", async (route) => {
      const answer = await route.fetch();
      const document = await answer.json();
      for (const name of names) document.paths[`/api/concerto/${name}`] = {};
      const by = { name: "by", schema: { enum: ["status", "owner"] } };
      document.paths["/api/concerto/count"] = { get: { parameters: [by] } };
      await route.fulfill({ response: answer, json: document });
    });
    for (const name of names) {
      await page.route(new RegExp(`/api/concerto/${name}(\\?|$)`), (route) => {
        const request = route.request();
        const body = request.method() === "POST" ? request.postDataJSON() : {};
        if (request.method() === "POST") this.asked.push({ name, ...body });
        const [status, json] = this.answer(name, body);
        return route.fulfill({ status, json });
      });
    }
  }

  answer(name, body) {
    if (name === "jobs") return [200, { jobs: this.jobs }];
    if (name === "pauses") return [200, { pauses: this.pauses }];
    if (name === "count") return [200, { total: 5, complete: true,
                                         groups: [{ value: "node-7", count: 5 }] }];
    if (name === "pause") {
      this.pauses = [{ kind: body.kind, value: body.value, reason: body.reason, caller: "olga",
                       since: "2026-11-30T03:00:00Z", waiting: 12 }];
      return [200, this.pauses[0]];
    }
    if (name === "resume") {
      this.pauses = [];
      return [200, {}];
    }
    if (name === "cancelJob") {
      this.jobs = this.jobs.map((job) => ({ ...job, state: "cancelled" }));
      return [200, this.jobs[0]];
    }
    if (body.gid) return [200, { done: 1, failed: 0 }];
    if (body.dryRun) {
      const matched = body.gids ? body.gids.length : Math.min(5, body.limit ?? 5);
      return [200, { dryRun: true, matched, complete: true, sample: [
        { gid: "stuck-1", status: "submitted", transType: "saga",
          createTime: "2026-11-30T03:00:00Z", urls: ["http://b/down"] }] }];
    }
    this.jobs = [{ id: "job-1", action: name, state: "running", reason: body.reason,
                   caller: "olga", created: "2026-11-30T03:00:00Z",
                   updated: "2026-11-30T03:00:01Z", done: 3, failed: 1,
                   errors: [{ gid: "stuck-2", error: "it has ended" }] }];
    return [202, this.jobs[0]];
  }

  last() {
    return this.asked[this.asked.length - 1];
  }
}

async function many(console_, server) {
  const { page } = console_;
  await console_.go("/admin/unfinished?target=%2Fdown");
  await console_.see("stuck-1");
  const status = "prepared,submitted,aborting";
  await console_.button("Try all …").click();
  await page.getByRole("dialog").getByText("5 transactions are concerned.").waitFor();
  const preview = server.last();
  checkEqual([preview.dryRun, preview.select], [true, { status, target: "/down" }],
             "the preview is of what the list selects");
  await page.getByRole("dialog").getByLabel("At most").fill("2");
  await page.getByRole("dialog").getByText("2 transactions are concerned.").waitFor();
  await console_.checkAccess("a preview");
  await console_.picture("bulk-preview");
  const title = "Try now: all that fit";
  const count = server.asked.length;
  await console_.confirm(title, "");
  await page.getByText("A reason is needed.").waitFor();
  checkEqual(server.asked.length, count, "nothing is asked without a reason");
  await console_.confirm(title, "the disk is back");
  await page.getByText("Bulk action job-1 has begun.").waitFor();
  checkEqual(server.last(), { name: "retry", select: { status, target: "/down" }, limit: 2,
                              reason: "the disk is back" }, "the request of the action");

  await console_.go("/admin/unfinished");
  await console_.see("stuck-1");
  await page.getByRole("checkbox", { name: "stuck-1" }).check();
  await page.getByRole("checkbox", { name: "stuck-3" }).check();
  await console_.button("Stop all …").click();
  await page.getByRole("dialog").getByText("2 transactions are concerned.").waitFor();
  await console_.confirm("Force stop: 2 selected", "test data");
  await page.getByText("Bulk action job-1 has begun.").waitFor();
  checkEqual([...server.last().gids].sort(), ["stuck-1", "stuck-3"], "those that were selected");

  await console_.go("/admin/unfinished?words=stuck-4");
  await console_.see(/^1 of \d+ loaded transactions/);
  await console_.button("Try all …").click();
  await console_.confirm("Try now: 1 selected", "this one");
  await page.getByText("Bulk action job-1 has begun.").waitFor();
  checkEqual(server.last().gids, ["stuck-4"], "what the words leave, and not all that fit");
  await console_.go("/admin/unfinished?words=nothing-like-it");
  await console_.see("Nothing is unfinished.");
  checkEqual(await console_.button("Try all …").count(), 0, "actions on nothing");
  checkEqual(server.last().dryRun, undefined, "what was selected needs no preview of the server");
}

async function jobs(console_, server) {
  await console_.go("/admin/jobs");
  await console_.see("3 done, 1 failed");
  await console_.see("stuck-2: it has ended");
  await console_.checkAccess("bulk actions");
  await console_.picture("jobs");
  await console_.page.getByRole("button", { name: "Cancel it job-1" }).click();
  await console_.confirm("Cancel it", "wrong ones");
  await console_.see("cancelled");
  checkEqual(server.last(), { name: "cancelJob", id: "job-1", reason: "wrong ones" }, "the cancel");
}

async function branches(console_, server) {
  await console_.go("/admin/transaction/stuck-1");
  await console_.see("no disk");
  const row = console_.page.getByRole("row").filter({ hasText: "02" })
    .filter({ hasText: "action" }).filter({ hasText: "/down" }).first();
  await row.getByRole("button", { name: "Skip the branch" }).click();
  await console_.confirm("Skip the branch 02 action", "done by hand");
  await console_.page.getByText("The branch of stuck-1 counts as done.").waitFor();
  checkEqual(server.last(), { name: "skip", gid: "stuck-1", branchId: "02", op: "action",
                              reason: "done by hand" }, "the skip");
  await row.getByRole("button", { name: "Change the branch" }).click();
  await console_.page.getByRole("dialog").getByLabel("URL").fill("http://b/other");
  await console_.page.getByRole("dialog").getByLabel("Payload").fill('{"amount":31}');
  await console_.checkAccess("the change of a branch");
  await console_.confirm("Change the branch 02 action", "it has moved");
  await console_.page.getByText("The branch of stuck-1 was changed.").waitFor();
  checkEqual(server.last(), { name: "edit", gid: "stuck-1", branchId: "02", op: "action",
                              url: "http://b/other", payload: '{"amount":31}',
                              reason: "it has moved" }, "the change");
}

async function pauses(console_, server) {
  await console_.go("/admin/pauses");
  await console_.see("There are none.");
  await console_.button("Pause calls").click();
  const dialog = console_.page.getByRole("dialog");
  await dialog.getByRole("combobox", { name: "Kind" }).selectOption("mode");
  await dialog.getByRole("combobox", { name: "Mode", exact: true }).selectOption("tcc");
  await dialog.getByRole("combobox", { name: "Kind" }).selectOption("target");
  await dialog.getByLabel("Value").fill("http://b");
  await console_.confirm("Pause", "maintenance");
  await console_.see("maintenance");
  checkEqual(server.last(), { name: "pause", kind: "target", value: "http://b",
                              reason: "maintenance" }, "the pause");
  await console_.checkAccess("pauses");
  await console_.page.getByRole("button", { name: "Resume http://b" }).click();
  await console_.confirm("Resume", "done");
  await console_.see("There are none.");
  await console_.go("/admin/coordinator");
  await console_.see("node-7");
}

async function routesOfServer() {
  return (await (await fetch(`${setting.open}/api/openapi.json`)).json()).paths;
}

/// Without the routes, nothing of it is shown.
async function without(routes) {
  const console_ = await Console.open(setting.open);
  await console_.go("/admin/unfinished");
  await console_.see("stuck-1");
  const links = await console_.page.getByRole("navigation").innerText();
  checkEqual(links.includes("Pauses"), "/api/concerto/pauses" in routes, "the link to pauses");
  checkEqual(await console_.button("Try all …").count() === 1, "/api/concerto/retry" in routes,
             "the button of the bulk action");
  await console_.close();
}

/// A server that has the routes does it.
async function withServer() {
  const console_ = await Console.open(setting.open);
  const { page } = console_;
  await console_.go("/admin/unfinished?target=%2Fdown");
  await console_.see("stuck-1");
  await console_.button("Try all …").click();
  await page.getByRole("dialog").getByText("transactions are concerned.").waitFor();
  await console_.confirm("Try now: all that fit", "the disk is back");
  await page.getByText(/Bulk action .* has begun/).waitFor();
  await console_.go("/admin/jobs");
  await console_.see("the disk is back");
  await console_.see("done");
  await console_.go("/admin/unfinished");
  await page.getByRole("checkbox", { name: "stuck-2" }).check();
  await console_.button("Stop all …").click();
  await console_.confirm("Force stop: 1 selected", "test data");
  await console_.go("/admin/transaction/stuck-2");
  await console_.see("failed");
  await console_.go("/admin/transaction/stuck-5");
  const row = page.getByRole("row").filter({ hasText: "02" }).filter({ hasText: "action" });
  await row.getByRole("button", { name: "Skip the branch" }).first().click();
  await console_.confirm("Skip the branch 02 action", "done by hand");
  await console_.see("succeed");
  await console_.button("Try now").waitFor({ state: "detached" });
  await console_.go("/admin/audit");
  await console_.see("the disk is back");
  await console_.see("done by hand");
  await console_.close();
}

export async function run() {
  const routes = await routesOfServer();
  await without(routes);
  if ("/api/concerto/retry" in routes) await withServer();
  const console_ = await Console.open(setting.open);
  const server = new Operated();
  await server.install(console_.page);
  await many(console_, server);
  await jobs(console_, server);
  await branches(console_, server);
  await pauses(console_, server);
  check(server.asked.every((each) => each.reason || each.dryRun), "every action has a reason");
  await console_.close();
}
