// What an operator does to one transaction and to topics, with a reason that the audit log gets.

import { Console, check, checkEqual, setting, until } from "./browser.mjs";

const audit = async (query) => {
  const answer = await fetch(`${setting.open}/api/concerto/audit?${new URLSearchParams(query)}`);
  return (await answer.json()).records;
};

const reasonOf = async (query) => (await audit(query))[0]?.reason;

async function payloads(console_) {
  const { page } = console_;
  await console_.go("/admin/transaction/stuck-1");
  await console_.see("no disk");
  checkEqual(await page.evaluate(() => [document.images.length, typeof window.owned].join()),
             "0,undefined", "markup of a branch is text");
  check((await console_.text()).includes("<img src=x onerror="), "the markup can be read");
  const show = (name) => page.getByRole("button", { name: `Show the payload of ${name}` }).click();
  await show("01 action");
  await console_.see('"amount": 30');
  await console_.button("Hex").click();
  await console_.see("00000000  7b 22 61 6d 6f 75 6e 74");
  await console_.button("Text").click();
  await console_.see('{"amount":30,"big":12345678901234567890}');
  await console_.checkAccess("a payload");
  await console_.picture("payload");
}

async function retry(console_) {
  await console_.go("/admin/transaction/retried");
  await console_.see("waiting");
  const before = (await audit({ action: "resetNextCronTime" })).length;
  await console_.button("Try now").first().click();
  await console_.page.getByRole("dialog").waitFor();
  await console_.checkAccess("the dialog");
  await console_.picture("dialog");
  await console_.page.keyboard.press("Escape");
  await console_.page.getByRole("dialog").waitFor({ state: "detached" });
  checkEqual((await audit({ action: "resetNextCronTime" })).length, before, "Escape does nothing");
  await console_.button("Try now").first().click();
  await console_.confirm("Try now", "工单 4711");
  await console_.see("succeed");
  checkEqual(await reasonOf({ gid: "retried", action: "resetNextCronTime" }),
             "工单 4711", "the reason of the retry");
}

async function stop(console_) {
  await console_.go("/admin/transaction/stopped");
  await console_.see("waiting");
  await console_.button("Force stop").first().click();
  await console_.confirm("Force stop", "");
  await console_.page.getByText("A reason is needed.").waitFor();
  await console_.confirm("Force stop", "customer left");
  await console_.page.getByText("stopped has ended as failed.").waitFor();
  await console_.page.locator(".why").getByText(/^Ended: .*:/).waitFor();
  await until("the view follows", async () => !(await console_.button("Force stop").count()));
  checkEqual(await reasonOf({ gid: "stopped", action: "forceStop" }),
             "customer left", "the reason of the stop");
}

/// What the server refuses is shown, and the dialog stays.
async function refused(console_) {
  await console_.go("/admin/transaction/ended");
  await console_.see("waiting");
  await console_.page.getByRole("button", { name: "Force stop" }).click();
  await fetch(`${setting.open}/api/dtmsvr/forceStop`, {
    method: "POST", headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ gid: "ended" }) });
  console_.refusals = /status of 409/;
  await console_.confirm("Force stop", "too late");
  await console_.page.getByRole("dialog").getByRole("alert").waitFor();
  await console_.page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
}

async function topics(console_) {
  const { page } = console_;
  await console_.go("/admin/topics");
  await console_.see("news");
  await console_.button("Subscribe").click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Topic").fill("weather");
  await dialog.getByLabel("URL").fill(setting.up);
  await dialog.getByLabel("Remark").fill("for Otto");
  await console_.confirm("Subscribe", "he asked for it");
  await console_.see("for Otto");
  const card = page.getByRole("article").filter({ hasText: "weather" });
  await card.getByRole("button", { name: "Unsubscribe" }).click();
  await console_.confirm("Unsubscribe", "no more");
  await until("it is gone", async () => !(await console_.text()).includes("for Otto"));
  await card.getByRole("button", { name: "Delete the topic" }).click();
  await console_.confirm("Delete the topic", "empty");
  await until("the topic is gone", async () => !(await console_.text()).includes("weather"));
  await console_.see("news");
  await console_.go("/admin/audit?action=subscribe");
  await console_.see("he asked for it");
}

export async function run() {
  const console_ = await Console.open(setting.open);
  await payloads(console_);
  await retry(console_);
  await stop(console_);
  await refused(console_);
  await topics(console_);
  await console_.close();
}
