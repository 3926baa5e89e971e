// One case in a browser: run.mjs <case>. CONSOLE_SETTING says where the servers are.

import { Console } from "./browser.mjs";

const cases = {
  views: "./views.mjs", actions: "./actions.mjs", roles: "./roles.mjs", speed: "./speed.mjs",
  bulk: "./bulk.mjs", backups: "./backups.mjs", cluster: "./cluster.mjs",
  units: "./units.mjs", pictures: "./pictures.mjs", faults: "./faults.mjs", links: "./links.mjs",
};

const [name] = process.argv.slice(2);
const { run } = await import(cases[name]);
try {
  await run();
  process.exit(0);
} catch (error) {
  console.error(error.stack ?? error);
  await Console.tell(name);
  process.exit(1);
}
