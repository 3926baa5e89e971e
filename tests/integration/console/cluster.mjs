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

/// A job whose record cannot be read is shown as that, beside the others.
async function unreadableJob() {
  const answer = await fetch(`${setting.first}/api/concerto/retry`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ select: { target: "/nowhere" }, reason: "a sound one" }) });
  checkEqual(answer.status, 202, "a job");
  const made = await fetch(`${setting.controls}/breakJob`, { method: "POST" });
  check(made.ok, await made.text());
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
  await unreadableJob();
  const alone = await Console.open(setting.open);
  await alone.go("/admin/cluster");
  await alone.see("The store is not shared");
  checkEqual(await nodeOf(setting.open), undefined, "a coordinator alone has no name");
  await alone.close();
}
