import { useState } from "preact/hooks";

import { act, get, paths } from "../api";
import { seen, when } from "../format";
import { useLive } from "../live";
import { Awaited, Empty, Field, Heading, Problem } from "../parts/bits";
import { ActionDialog } from "../parts/dialog";
import { tell } from "../parts/toast";
import { server } from "../server";
import type { KeyValue, KeyValuePage, Subscriber } from "../types";
import { say } from "../words";

const interval = 5000;
const topicsMax = 5000;

type Doing = { kind: "subscribe"; topic: string } | { kind: "remove"; topic: string } |
             { kind: "unsubscribe"; topic: string; url: string };

async function readTopics(signal: AbortSignal): Promise<KeyValue[]> {
  const topics: KeyValue[] = [];
  let position = "";
  do {
    const page = await get<KeyValuePage>(
      paths.scan, { cat: "topics", limit: 1000, position }, signal);
    topics.push(...(page.kv ?? []));
    position = page.next_position;
  } while (position && topics.length < topicsMax);
  return topics.sort((a, b) => a.k.localeCompare(b.k));
}

function subscribersOf(topic: KeyValue): Subscriber[] {
  try {
    return JSON.parse(topic.v) as Subscriber[];
  } catch {
    return [];
  }
}

export function Topics() {
  const { value, error, refresh } = useLive("topics", interval, readTopics);
  const [doing, setDoing] = useState<Doing>();
  const mayAct = server.use().operator;
  return (
    <section>
      <Heading title={say("topics")}>
        {mayAct && (
          <div class="buttons">
            <button type="button" class="main"
                    onClick={() => setDoing({ kind: "subscribe", topic: "" })}>
              {say("subscribe")}</button>
          </div>)}
      </Heading>
      <Problem error={error} />
      {!value ? <Awaited error={error} /> : value.length === 0
        ? <Empty error={error}>{say("noTopics")}</Empty>
        : value.map((topic) => (
          <article key={topic.k} class="card">
            <div class="heading">
              <h2>{seen(topic.k)}</h2>
              <span class="quiet">
                {say("version")} {topic.version} · {when(topic.update_time)}</span>
              {mayAct && (
                <div class="buttons">
                  <button type="button" aria-label={`${say("subscribe")} ${seen(topic.k)}`}
                          onClick={() => setDoing({ kind: "subscribe", topic: topic.k })}>
                    {say("subscribe")}</button>
                  <button type="button" class="danger"
                          aria-label={`${say("removeTopic")} ${seen(topic.k)}`}
                          onClick={() => setDoing({ kind: "remove", topic: topic.k })}>
                    {say("removeTopic")}</button>
                </div>)}
            </div>
            <ul class="plain">
              {subscribersOf(topic).map((each) => (
                <li key={each.url}>
                  <span class="url">{seen(each.url)}</span>{" "}
                  <span class="quiet">{seen(each.remark)}</span>
                  {mayAct && (
                    <button type="button" aria-label={`${say("unsubscribe")} ${seen(each.url)}`}
                            onClick={() => setDoing(
                              { kind: "unsubscribe", topic: topic.k, url: each.url })}>
                      {say("unsubscribe")}</button>)}
                </li>))}
            </ul>
          </article>))}
      {doing && <TopicDialog doing={doing} onClose={() => setDoing(undefined)} done={refresh} />}
    </section>
  );
}

function TopicDialog({ doing, onClose, done }: { doing: Doing; onClose: () => void;
                                                 done: () => void }) {
  const [topic, setTopic] = useState(doing.topic);
  const [url, setUrl] = useState("");
  const [remark, setRemark] = useState("");
  const finish = () => {
    tell(say("done"));
    done();
  };
  if (doing.kind === "remove") {
    return <ActionDialog title={say("removeTopic")} danger onClose={onClose}
                         hint={say("removeTopicHint", { topic: seen(doing.topic) })}
                         run={async (reason) => {
                           await act("DELETE", paths.topic + encodeURIComponent(doing.topic),
                                     { reason });
                           finish();
                         }} />;
  }
  if (doing.kind === "unsubscribe") {
    return <ActionDialog title={say("unsubscribe")} danger onClose={onClose}
                         hint={say("unsubscribeHint",
                                   { url: seen(doing.url), topic: seen(doing.topic) })}
                         run={async (reason) => {
                           await act("POST", paths.unsubscribe,
                                     { query: { topic: doing.topic, url: doing.url }, reason });
                           finish();
                         }} />;
  }
  return (
    <ActionDialog title={say("subscribe")} hint="" onClose={onClose}
                  run={async (reason) => {
                    await act("POST", paths.subscribe,
                              { query: { topic: topic.trim(), url: url.trim(), remark }, reason });
                    finish();
                  }}>
      <Field label={say("topic")} value={topic} onInput={setTopic} class="wide" />
      <Field label={say("url")} value={url} onInput={setUrl} class="wide" />
      <Field label={say("remark")} value={remark} onInput={setRemark} class="wide" />
    </ActionDialog>
  );
}
