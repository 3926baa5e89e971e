// Two coordinators on one store, and who works on what.

import { Console, check, checkEqual, setting, small, until } from "./browser.mjs";

async function nodeOf(base) {
  return (await (await fetch(`${base}/admin/console.json`)).json()).node;
}

async function shared(first, second, options, name) {
  const console_ = await Console.open(setting.first, options);
  await console_.go("/admin/cluster");
  await console_.see(`this coordinator is ${first}`);
  const row = (node) => console_.page.getByRole("row").filter({ hasText: node });
  await until("both are listed, with what they work on", async () =>
    /\b2\b/.test(await row(first).innerText()) && /\b3\b/.test(await row(second).innerText()));
  check((await row(first).innerText()).includes("this one"), "which one serves the page");
  check(!(await row(second).innerText()).includes("this one"), "the other one does not");
  await console_.checkAccess(`the cluster, ${name}`);
  await console_.picture(`cluster-${name}`);
  await row(second).getByRole("link").click();
  await console_.see("second-1");
  check(console_.page.url().includes(`owner=${second}`), "the address has the owner");
  check(!(await console_.text()).includes("first-1"), "what the other one works on is left out");
  await console_.page.reload();
  await console_.see("second-3");
  await console_.close();
}

async function happen(name) {
  const made = await fetch(`${setting.controls}/${name}`, { method: "POST" });
  check(made.ok, await made.text());
}

const ask = (gid) => fetch(`${setting.first}/api/dtmsvr/query?gid=${gid}`);

/// A transaction that cannot be read is in the list of those that are damaged, by its own address
/// and from the overview, until it is read again.
async function damagedRecords() {
  const console_ = await Console.open(setting.first);
  const { page } = console_;
  await console_.go("/admin/damaged");
  await console_.see("None known.");
  await happen("breakTransaction");
  checkEqual((await ask("broken-1")).status, 500, "the damaged one is met");
  const row = page.getByRole("row").filter({ hasText: "broken-1" });
  await row.getByText("transaction", { exact: true }).waitFor();
  await console_.see("1 damaged record");
  check(/_g_broken-1 is missing|without a record/.test(await row.innerText()),
        `the reason: ${await row.innerText()}`);
  await console_.checkAccess("damaged records");
  await console_.picture("damaged");
  const others = await Console.open(setting.first, { dark: true, view: small, language: "zh-CN" });
  await others.go("/admin/overview");
  await others.see("broken-1");
  await others.checkAccess("an overview with damaged records");
  await others.page.getByRole("link", { name: "显示损坏的记录" }).click();
  await others.see("1 条损坏的记录");
  check(others.page.url().endsWith("/admin/damaged"), `the address: ${others.page.url()}`);
  await others.page.reload();
  await others.see("broken-1");
  await others.checkAccess("damaged records, small and dark");
  await others.picture("damaged-small-dark-chinese");
  others.refusals = /status of 500/;
  await others.page.getByRole("link", { name: "broken-1" }).click();
  await others.page.getByRole("alert").getByText("is damaged").waitFor();
  await others.close();
  await happen("mendTransaction");
  await ask("broken-1");
  await console_.see("None known.");
  await console_.close();
}

/// A job whose record cannot be read is shown as that, beside the others.
async function unreadableJob() {
  const answer = await fetch(`${setting.first}/api/concerto/retry`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ select: { target: "/nowhere" }, reason: "a sound one" }) });
  checkEqual(answer.status, 202, "a job");
  await happen("breakJob");
  const console_ = await Console.open(setting.first);
  await console_.go("/admin/jobs");
  const cards = console_.page.getByRole("article");
  const broken = cards.filter({ hasText: "1764558000000-broken" });
  await broken.getByText("record cannot be read: nothing is done for it").waitFor();
  await broken.getByText("failed", { exact: true }).waitFor();
  const text = await broken.innerText();
  check(!text.includes("0 done") && !text.includes("For "), `what nobody knows: ${text}`);
  await cards.filter({ hasText: "a sound one" }).getByText("0 done, 0 failed").waitFor();
  await console_.checkAccess("a job that cannot be read");
  await console_.picture("job-unreadable");
  await console_.close();
}

export async function run() {
  const [first, second] = [await nodeOf(setting.first), await nodeOf(setting.second)];
  check(first && second && first !== second, `the nodes: ${first}, ${second}`);
  await shared(first, second, {}, "wide");
  await shared(first, second, { dark: true, view: small }, "small-dark");
  await damagedRecords();
  await unreadableJob();
  const alone = await Console.open(setting.open);
  await alone.go("/admin/cluster");
  await alone.see("The store is not shared");
  checkEqual(await nodeOf(setting.open), undefined, "a coordinator alone has no name");
  await alone.close();
}
