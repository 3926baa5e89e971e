// The coordinator that serves this page.

import { getText, paths } from "../api";
import { bytes, count, duration, seen } from "../format";
import { useLive } from "../live";
import { type Metrics, parseMetrics, total, valuesOf } from "../metrics";
import { Awaited, Heading, Problem } from "../parts/bits";
import { server } from "../server";
import { named, say, type Word } from "../words";

const interval = 5000;

export function Coordinator() {
  const known = server.use();
  const { value, error } = useLive("metrics", interval,
    async (signal) => parseMetrics(await getText(paths.metrics, signal)));
  return (
    <section>
      <Heading title={say("coordinator")}>
        <span class="quiet">{seen([location.host, known.node].filter(Boolean).join(" · "))}</span>
      </Heading>
      <Problem error={error} />
      {value ? <Facts metrics={value} version={known.version} /> : <Awaited error={error} />}
    </section>
  );
}

function Facts({ metrics, version }: { metrics: Metrics; version: string }) {
  const of = (name: string) => total(metrics, name);
  const state = valuesOf(metrics, "concerto_store_state", "state")
    .find((each) => total(metrics, "concerto_store_state", { state: each }) === 1);
  const registered = of("concerto_registered");
  const numbers: [Word, number, (value: number) => string][] = [
    ["shards", of("concerto_shards"), count],
    ["memory", of("process_resident_memory_bytes"), bytes],
    ["transactionsInMemory", of("concerto_transactions_in_memory"), count],
    ["payloadBytes", of("concerto_payload_bytes_in_memory"), bytes],
    ["alarms", of("concerto_alarms"), count],
    ["recoveryLag", of("concerto_recovery_lag_seconds"), duration],
    ["disk", of("concerto_store_disk_bytes"), bytes],
    ["free", of("concerto_store_free_bytes"), bytes],
    ["leasesLost", of("concerto_leases_lost_total"), count],
    ["wrongTokens", of("concerto_wrong_tokens_total"), count],
    ["handshakes", of("concerto_tls_handshake_failures_total"), count],
  ];
  return (
    <dl class="cards">
      <Card name={say("version")}>{seen(version)}</Card>
      {state && <Card name={say("storeState")}>{named("state", state)}</Card>}
      {valuesOf(metrics, "concerto_info", "allocator").slice(0, 1).map((each) => (
        <Card key="allocator" name={say("allocator")}>{seen(each)}</Card>))}
      {numbers.filter(([, value]) => Number.isFinite(value)).map(([word, value, show]) => (
        <Card key={word} name={say(word)}>{show(value)}</Card>))}
      {Number.isFinite(registered) && (
        <Card name={say("registered")}>{say(registered === 1 ? "yes" : "no")}</Card>)}
    </dl>
  );
}

function Card({ name, children }: { name: string; children: string }) {
  return <div class="card"><dt>{name}</dt><dd>{children}</dd></div>;
}
