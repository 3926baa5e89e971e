// The frame of all views: navigation, the token, language and colours.

import { useEffect, useRef, useState } from "preact/hooks";

import { enterToken, needsToken, paths, token } from "./api";
import { forget, recoveries, reportAnswer, reportFault } from "./faults";
import { seen } from "./format";
import { Choice, Note } from "./parts/bits";
import { Guard } from "./parts/guard";
import { Health, useHealth } from "./parts/health";
import { PausedStart } from "./parts/paused";
import { Toast } from "./parts/toast";
import { TokenForm } from "./parts/token";
import { type ListedView, pathOf, route, views } from "./route";
import { asks, askServer, has, server, type Server } from "./server";
import { language, setLanguage, setTheme, theme, type Language, type Theme } from "./settings";
import { Audit } from "./views/audit";
import { Backups } from "./views/backups";
import { Cluster } from "./views/cluster";
import { Coordinator } from "./views/coordinator";
import { Damaged } from "./views/damaged";
import { Jobs } from "./views/jobs";
import { Overview } from "./views/overview";
import { Pauses } from "./views/pauses";
import { Topics } from "./views/topics";
import { Transaction } from "./views/transaction";
import { Transactions } from "./views/transactions";
import { say } from "./words";

/// Views of routes that the server may not have.
const needed: Partial<Record<ListedView, string>> = {
  damaged: paths.damaged, jobs: paths.jobs, pauses: paths.pauses, backups: paths.backup,
  audit: paths.audit,
};

function isThere(view: ListedView, known: Server): boolean {
  const path = needed[view];
  return path === undefined || has(known, path);
}

const askMs = 5000;

/// Asks what the server has and what the caller may do: at first, with another token, and when the
/// server has answered again, because it may have been started anew.
function useServer(): Server {
  const credentials = token.use();
  const recovered = recoveries.use();
  const asked = asks.use();
  useEffect(() => {
    const owner = {};
    let timer = 0;
    let ends = false;
    const ask = async () => {
      clearTimeout(timer);
      try {
        await askServer();
        if (!ends) reportAnswer(owner);
      } catch (failure) {
        if (ends || !(failure instanceof Error)) return;
        reportFault(owner, failure, () => void ask());
        timer = window.setTimeout(ask, askMs);
      }
    };
    void ask();
    return () => {
      ends = true;
      clearTimeout(timer);
      forget(owner);
    };
  }, [credentials, recovered, asked]);
  return server.use();
}

export function App() {
  const known = useServer();
  const at = route.use();
  const isAsked = needsToken.use();
  const { refresh } = useHealth();
  language.use();

  useEffect(() => {
    const name = at.view === "transaction" ? at.gid : say(at.view);
    document.title = `${seen(name)} – Concerto`;
  });

  // Whoever has opened a row by its key goes on in the view, and not at the top of the page.
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current && document.activeElement === document.body) {
      document.getElementById("main")?.focus({ preventScroll: true });
    }
    isFirst.current = false;
  }, [at.view, at.gid]);

  // On a small screen the names of the views are wider than it is.
  useEffect(() => {
    document.querySelector("nav a[aria-current]")
      ?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [at.view, known]);

  return (
    <>
      <a class="skip" href="#main">{say("skipToContent")}</a>
      <header>
        <a class="brand" href={pathOf("overview")}>Concerto</a>
        <nav aria-label={say("navigation")}>
          {views.filter((view) => isThere(view, known)).map((view) => (
            <a key={view} href={pathOf(view)}
               {...(at.view === view ? { "aria-current": "page" as const } : {})}>
              {say(view)}</a>))}
        </nav>
        <Settings known={known} />
      </header>
      <main id="main" tabIndex={-1}>
        <Health />
        {isAsked && <TokenForm />}
        {!isAsked && known.version !== "" && !known.viewer && <Note kind="warn">{say("noViewer")}
        </Note>}
        <PausedStart refresh={refresh} />
        <Guard key={at.view}><Content /></Guard>
      </main>
      <Toast />
    </>
  );
}

function Content() {
  const at = route.use();
  switch (at.view) {
    case "transaction": return <Transaction key={at.gid} gid={at.gid} />;
    case "unfinished": case "failed": case "search":
      return <Transactions key={at.view} view={at.view} route={at} />;
    case "damaged": return <Damaged />;
    case "topics": return <Topics />;
    case "coordinator": return <Coordinator />;
    case "cluster": return <Cluster />;
    case "pauses": return <Pauses />;
    case "jobs": return <Jobs />;
    case "backups": return <Backups />;
    case "audit": return <Audit route={at} />;
    case "overview": return <Overview />;
  }
}

function Settings({ known }: { known: Server }) {
  const [isOpen, setOpen] = useState(false);
  const chosenTheme = theme.use();
  const chosenLanguage = language.use();
  const hasToken = token.use() !== "";
  return (
    <div class="settings">
      {known.viewer && !known.operator && (
        <span class="mark" title={say("readOnlyHint")}>{say("readOnly")}</span>)}
      <span class="quiet">{seen(known.version)}</span>
      <Choice label={say("language")} value={chosenLanguage}
              onChange={(value) => setLanguage(value as Language)}
              options={[["en", "English"], ["zh", "中文"]]} />
      <Choice label={say("colours")} value={chosenTheme}
              onChange={(value) => setTheme(value as Theme)}
              options={[["system", say("system")], ["light", say("light")],
                        ["dark", say("dark")]]} />
      {hasToken
        ? <button type="button" onClick={() => enterToken("")}>{say("forget")}</button>
        : <button type="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
            {say("signIn")}</button>}
      {isOpen && !hasToken && <TokenForm />}
    </div>
  );
}
