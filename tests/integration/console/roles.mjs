// A server that asks for tokens: nobody, a client, a viewer and an operator.

import { Console, check, checkEqual, setting, until } from "./browser.mjs";

async function enter(console_, token) {
  const { page } = console_;
  await page.locator("main").getByLabel("Token").fill(token);
  await page.locator("main").getByRole("button", { name: "Enter" }).click();
}

const acting = (console_) => console_.page.locator("button.danger, button.main").count();

export async function run() {
  const console_ = await Console.open(setting.guarded);
  const { page } = console_;
  console_.refusals = /status of 40[13]/;
  await console_.go("/dtm/admin/unfinished");
  await console_.see("The server asks for a token.");
  await console_.checkAccess("the question for a token");

  await enter(console_, setting.tokens.client);
  await console_.see("This caller may not see lists.");
  await console_.button("Forget the token").click();

  await console_.go("/dtm/admin/unfinished");
  await console_.see("The server asks for a token.");
  await enter(console_, setting.tokens.viewer);
  await console_.see("guarded-1");
  await page.getByText("read only").waitFor();
  for (const [view, text] of [
    ["transaction/guarded-1", "guarded-1"], ["topics", "news"], ["unfinished", "guarded-1"],
    ["damaged", "None known."],
    ["cluster", "The store is not shared"], ["backups", "There are none."],
    ["pauses", "There are none."], ["jobs", "There are none."],
  ]) {
    await console_.go(`/dtm/admin/${view}`);
    await console_.see(text);
    await page.getByText("read only").waitFor();
    checkEqual(await acting(console_), 0, `${view}: actions that a viewer sees`);
  }
  checkEqual(await page.evaluate(() => [localStorage.length === 0 ||
    !JSON.stringify(localStorage).includes("concerto.token"), document.cookie]), [true, ""],
    "the token is kept for the tab alone");
  const other = await page.context().newPage();
  await other.goto(`${setting.guarded}/dtm/admin/unfinished`);
  await other.getByText("The server asks for a token.").waitFor();
  await other.close();

  await console_.button("Forget the token").click();
  await console_.go("/dtm/admin/transaction/guarded-1");
  await enter(console_, setting.tokens.operator);
  await console_.button("Try now").click();
  await console_.confirm("Try now", "as Olga");
  await page.getByText("guarded-1 is tried now.").waitFor();
  await console_.go("/dtm/admin/audit");
  await until("the audit log says who", async () => {
    const text = await console_.text();
    return text.includes("olga") && text.includes("as Olga");
  });
  check(!(await console_.text()).includes(setting.tokens.operator), "no token is shown");
  await console_.close();
}
