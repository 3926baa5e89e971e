"use strict";
const api = "/api/dtmsvr/";
const by = (id) => document.getElementById(id);
const unfinished = "prepared,submitted,aborting";
const stuckAfter = 60;  // Seconds; younger ones are at work.
const pageRows = 50;
let lists = [];  // What is still to be shown: each is the query of a list, and where it goes on.
let open = [];  // Gids of the unfinished ones that are shown.

function credentials() {
  const token = by("token").value;
  return token ? {Authorization: "Bearer " + token} : {};
}

// Characters that are obeyed and not seen, such as those that turn the text around them, become
// their numbers.
const hidden = new RegExp("[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\u009f\\u061c" +
                          "\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff]", "g");
const seen = (text) => String(text ?? "").replace(
  hidden, (c) => "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0"));

async function call(method, path, body) {
  by("error").hidden = true;
  const answer = await fetch(path, {method, headers: credentials(),
                                    body: body && JSON.stringify(body)});
  if (answer.status === 401) by("token").hidden = false;
  const value = await answer.json();
  if (!answer.ok) throw new Error(value.message || value.error || answer.status);
  return value;
}

function complain(error) {
  by("error").textContent = seen(error.message);
  by("error").hidden = false;
}

// What a button does. Actions run one after the other, as they change the same lists and rows; a
// failure is shown, whatever it was.
let last = Promise.resolve();
const acting = (action) => () => {
  last = last.then(action).catch(complain);
};

// Cells are text, never markup: URLs and answers come from outside.
function row(cells, classes = []) {
  const tr = document.createElement("tr");
  cells.forEach((cell, i) => {
    const td = document.createElement("td");
    td.textContent = seen(cell);
    if (classes[i]) td.className = classes[i];
    tr.append(td);
  });
  return tr;
}

function heads(...names) {
  const tr = document.createElement("tr");
  for (const name of names) {
    tr.append(Object.assign(document.createElement("th"), {textContent: name}));
  }
  by("head").replaceChildren(tr);
  by("rows").replaceChildren();
}

const when = (time) => time ? new Date(time).toLocaleString() : "";

// The lists to show one after the other: what is stuck comes before what has failed.
function wantedLists() {
  const shared = {gid: by("gid").value.trim(), transType: by("type").value, position: "",
                  target: by("target").value.trim(), lastError: by("failure").value.trim(),
                  minAge: by("age").value.trim() || 0, explain: true};
  const stuck = {...shared, status: unfinished, minAge: shared.minAge || stuckAfter};
  const status = by("status").value;
  if (shared.gid) return [{...shared, status: ""}];
  if (status === "stuck") return [stuck];
  if (status === "trouble") return [stuck, {...shared, status: "failed"}];
  return [{...shared, status}];
}

async function list(fresh) {
  if (fresh) {
    lists = wantedLists();
    open = [];
    by("detail").hidden = true;
    heads("gid", "type", "status", "created", "at", "why", "next try");
  }
  for (let left = pageRows; lists.length && left > 0;) {
    const page = await call("GET", api + "all?" + new URLSearchParams({...lists[0], limit: left}));
    for (const t of page.transactions || []) add(t);
    left -= page.transactions?.length || 0;
    lists[0].position = page.next_position;
    if (!page.next_position || lists[0].gid) lists.shift();
  }
  by("more").hidden = !lists.length;
  by("retry").hidden = !open.length;
}

function add(t) {
  const tr = row([t.gid, t.trans_type, t.status, when(t.create_time), t.why?.urls.join(" "),
                  t.why?.explanation, when(t.why?.next_attempt_time)], [, , t.status]);
  tr.classList.add("pick");
  tr.onclick = acting(() => show(t.gid));
  by("rows").append(tr);
  if (!["succeed", "failed"].includes(t.status)) open.push(t.gid);
}

async function retryAll() {
  if (!confirm(`Try ${open.length} transactions now?`)) return;
  let failed = null;
  for (const gid of open) {  // One that cannot be tried holds up none of the others.
    await call("POST", api + "resetNextCronTime", {gid}).catch((error) => { failed ??= error; });
  }
  await list(true);
  if (failed) throw failed;
}

async function show(gid) {
  const query = new URLSearchParams({gid});
  const {transaction: t, branches, why} = await call("GET", api + "query?" + query);
  if (!t) throw new Error("no transaction " + gid);
  by("detail").hidden = false;
  by("title").textContent = seen(`${t.trans_type} ${t.gid}: ${t.status}`);
  const next = why.next_attempt_time;
  by("why").textContent = seen(why.explanation) + (next ? ". Next: " + when(next) : "");
  by("branches").replaceChildren(...branches.map((b) =>
    row([b.branch_id, b.op, b.status, b.url, when(b.finish_time)], [, , b.status])));
  by("attempts").replaceChildren(...why.attempts.map((a) =>
    row([when(a.time), `${a.branch_id} ${a.op}`, a.latency_ms.toFixed(1) + " ms", a.result,
         a.answer, when(a.next_try_time)])));
  by("record").textContent = seen(JSON.stringify(t, null, 2));
  by("now").disabled = by("stop").disabled = why.state === "finished";
  by("now").onclick = acting(async () => {
    await call("POST", api + "resetNextCronTime", {gid});
    await show(gid);
  });
  by("stop").onclick = acting(async () => {
    if (!confirm(`End ${seen(gid)} as failed? Its branches stay as they are.`)) return;
    await call("POST", api + "forceStop", {gid});
    await show(gid);
  });
  by("detail").scrollIntoView({behavior: "smooth"});
}

async function topics() {
  heads("topic", "subscribers", "version", "updated");
  by("more").hidden = by("retry").hidden = by("detail").hidden = true;
  const query = new URLSearchParams({cat: "topics", limit: 500, position: ""});
  const page = await call("GET", api + "scanKV?" + query);
  for (const t of page.kv || []) {
    by("rows").append(row([t.k, t.v, t.version, when(t.update_time)]));
  }
}

async function head() {
  by("version").textContent = (await call("GET", api + "version")).version;
  const ready = await fetch("/readyz", {headers: credentials()}).then((answer) => answer.json());
  by("ready").textContent = ready.status === "ok" ? "ready" : ready.reasons.join("; ");
}

async function begin() {
  await head();
  await list(true);
}

by("token").onkeydown = (event) => { if (event.key === "Enter") acting(begin)(); };
by("find").onclick = acting(() => list(true));
by("more").onclick = acting(() => list(false));
by("retry").onclick = acting(retryAll);
by("topics").onclick = acting(topics);
for (const id of ["gid", "target", "failure", "age"]) {
  by(id).onkeydown = (event) => { if (event.key === "Enter") by("find").click(); };
}
acting(begin)();
