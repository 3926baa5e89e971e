// The frame of all views: navigation, the token, language and colours.

import { useEffect, useState } from "preact/hooks";

import { enterToken, needsToken, paths, token } from "./api";
import { seen } from "./format";
import { Choice, Field, Note } from "./parts/bits";
import { PausedStart } from "./parts/paused";
import { Toast } from "./parts/toast";
import { type ListedView, pathOf, route, views } from "./route";
import { askServer, has, server, type Server } from "./server";
import { language, setLanguage, setTheme, theme, type Language, type Theme } from "./settings";
import { Audit } from "./views/audit";
import { Backups } from "./views/backups";
import { Cluster } from "./views/cluster";
import { Coordinator } from "./views/coordinator";
import { Jobs } from "./views/jobs";
import { Overview } from "./views/overview";
import { Pauses } from "./views/pauses";
import { Topics } from "./views/topics";
import { Transaction } from "./views/transaction";
import { Transactions } from "./views/transactions";
import { say } from "./words";

/// Views of routes that the server may not have.
const needed: Partial<Record<ListedView, string>> = {
  jobs: paths.jobs, pauses: paths.pauses, backups: paths.backup, audit: paths.audit,
};

function isThere(view: ListedView, known: Server): boolean {
  const path = needed[view];
  return path === undefined || has(known, path);
}

export function App() {
  const known = server.use();
  const at = route.use();
  const credentials = token.use();
  const asks = needsToken.use();
  language.use();
  const [failure, setFailure] = useState("");

  useEffect(() => {
    let timer = 0;
    const ask = () => askServer().then(() => setFailure(""), (error: Error) => {
      setFailure(error.message);
      timer = window.setTimeout(ask, 5000);
    });
    void ask();
    return () => clearTimeout(timer);
  }, [credentials]);
  useEffect(() => {
    const name = at.view === "transaction" ? at.gid : say(at.view);
    document.title = `${seen(name)} – Concerto`;
  });

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
        {failure && <Note kind="bad">{say("offline", { error: seen(failure) })}</Note>}
        {asks && <TokenForm />}
        {!asks && known.version !== "" && !known.viewer && <Note kind="warn">{say("noViewer")}
        </Note>}
        <PausedStart />
        <Content />
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

function TokenForm() {
  const [value, setValue] = useState("");
  return (
    <form class="token" onSubmit={(event) => {
      event.preventDefault();
      enterToken(value.trim());
    }}>
      <p>{say("tokenHint")}</p>
      <Field label={say("token")} type="password" value={value} onInput={setValue} />
      <button type="submit" class="main">{say("enter")}</button>
    </form>
  );
}
