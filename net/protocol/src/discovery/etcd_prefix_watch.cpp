#include "etcd_prefix_watch.hpp"

#include <algorithm>
#include <etcd_rpc.pb.h>
#include <utility>

namespace concerto::net {
namespace {

constexpr std::chrono::milliseconds pause_min{100};
constexpr std::chrono::milliseconds pause_max{3'000};

Error watch_refused(const etcdserverpb::WatchResponse& response) {
  return Error{make_error_code(GrpcCode::cancelled),
               "etcd ended the watch: " + response.cancel_reason()};
}

}  // namespace

EtcdPrefixWatch::EtcdPrefixWatch(const DiscoveryShard& shard, EtcdClient& client,
                                 std::string prefix, Listener listener)
    : shard_(shard),
      client_(client),
      prefix_(std::move(prefix)),
      listener_(std::move(listener)),
      pause_(pause_min),
      publish_due_(shard.timers, [this] { publish(); }),
      grace_end_(shard.timers,
                 [this] {
                   values_.forget_former();
                   publish();
                 }),
      tasks_(shard.executor) {}

void EtcdPrefixWatch::start() {
  tasks_.spawn(run());
}

Task<void> EtcdPrefixWatch::close() {
  publish_due_.cancel();
  grace_end_.cancel();
  return tasks_.close();
}

Task<void> EtcdPrefixWatch::run() {
  for (bool at_once = false;;) {
    compacted_ = false;
    const Result<> ended = co_await follow();
    // Compaction is etcd's ordinary housekeeping, so the keys are read again at once.
    at_once = compacted_ && !at_once;
    if (at_once) continue;
    if (!ended) note_failure(ended.error());
    const auto jitter = shard_.random.next() % static_cast<std::uint64_t>(pause_.count());
    co_await sleep_until(shard_.timers,
                         shard_.timers.now() + pause_ / 2 + std::chrono::milliseconds(jitter / 2));
    pause_ = std::min(pause_ * 2, pause_max);
  }
}

/// Reads and watches. Returns without an error if the keys have to be read again, because there is
/// room for keys that were not used so far.
Async<> EtcdPrefixWatch::follow() {
  CONCERTO_CO_CHECK(co_await read_all());
  co_return co_await watch_from(values_.revision() + 1);
}

Async<> EtcdPrefixWatch::read_all() {
  etcdserverpb::RangeRequest request;
  request.set_key(prefix_);
  request.set_range_end(etcd_prefix_end(prefix_));
  request.set_limit(keys_max);
  CONCERTO_CO_TRY(const auto reply, co_await client_.call<etcdserverpb::RangeResponse>(
                                        "/etcdserverpb.KV/Range", std::move(request)));
  if (values_.read(reply)) grace_end_.set(shard_.timers.now() + lost_data_grace);
  note_more();
  publish();
  co_return ok();
}

Async<> EtcdPrefixWatch::watch_from(std::int64_t revision) {
  CONCERTO_CO_TRY(auto stream, co_await client_.open_stream("/etcdserverpb.Watch/Watch"));
  etcdserverpb::WatchRequest request;
  auto& create = *request.mutable_create_request();
  create.set_key(prefix_);
  create.set_range_end(etcd_prefix_end(prefix_));
  create.set_start_revision(revision);
  co_await stream->write(request.SerializeAsString());

  // The deadline of the answer to this request.
  SteadyTime deadline = shard_.timers.now() + etcd_patience;
  for (;;) {
    const auto bytes = co_await stream->read(deadline);
    if (!bytes) break;
    deadline = SteadyTime::max();
    CONCERTO_CO_TRY(const auto response,
                    parse_etcd<etcdserverpb::WatchResponse>(*bytes, "/etcdserverpb.Watch/Watch"));
    if (response.compact_revision() > 0) {
      compacted_ = true;
      co_return watch_refused(response);
    }
    if (response.canceled()) {
      client_.forget_token();  // An expired token is reported like a missing permission.
      co_return watch_refused(response);
    }
    note_success();
    values_.apply(response);
    if (response.events().empty()) continue;
    note_more();
    publish_soon();
    if (values_.wants_more()) co_return ok();
  }
  co_return co_await stream->end();
}

void EtcdPrefixWatch::note_more() {
  if (!values_.has_more() || told_of_more_) return;
  told_of_more_ = true;
  shard_.observer.log(LogLevel::warn, {},
                      "etcd: there are more than " + std::to_string(keys_max) + " keys below '" +
                          prefix_ + "', only so many are used");
}

void EtcdPrefixWatch::publish_soon() {
  const bool many = values_.size() > told_at_once_keys_max;
  const SteadyTime now = shard_.timers.now();
  if (!many || published_at_ + tell_interval <= now) return publish();
  publish_due_.set(published_at_ + tell_interval);
}

void EtcdPrefixWatch::publish() {
  publish_due_.cancel();
  published_at_ = shard_.timers.now();
  if (!values_.has_former()) return listener_.on_values(values_.current());
  listener_.on_values(values_.all());
}

void EtcdPrefixWatch::note_failure(const Error& error) {
  if (told_.is_new(error.detail)) {
    shard_.observer.log(LogLevel::warn, {},
                        "etcd: keys below '" + prefix_ + "' cannot be followed: " + error.detail +
                            "; going on with the " + std::to_string(values_.current().size()) +
                            " known");
  }
  listener_.on_failure(error);
}

void EtcdPrefixWatch::note_success() {
  pause_ = pause_min;
  if (told_.empty()) return;
  told_.clear();
  shard_.observer.log(LogLevel::info, {},
                      "etcd: keys below '" + prefix_ + "' are followed again, " +
                          std::to_string(values_.current().size()) + " known");
}

}  // namespace concerto::net
