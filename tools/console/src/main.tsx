import { render } from "preact";

import { App } from "./app";
import { startRouting } from "./route";
import { applySettings } from "./settings";
import "./style/page.css";
import "./style/table.css";
import "./style/parts.css";

applySettings();
startRouting();
const place = document.getElementById("console");
if (place) render(<App />, place);
