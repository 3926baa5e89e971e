#include "grpc/channel_core.hpp"

#include <algorithm>
#include <utility>

#include <concerto/base/assert.hpp>

namespace concerto::net::detail {

ChannelCore::ChannelCore(Executor executor, Timers& timers, RandomSource& random,
                         AddressSource& addresses, GrpcChannelOptions options)
    : timers_(timers),
      random_(random),
      addresses_(addresses),
      options_(std::move(options)),
      round_(std::make_shared<http2::SendRound>(std::move(executor))) {
  listener_.emplace(addresses_, [this] { update_addresses(); });
  update_addresses();
}

ChannelCore::~ChannelCore() = default;

void ChannelCore::set_tls(std::shared_ptr<asio::ssl::context> tls) {
  CONCERTO_ASSERT((tls == nullptr) == (options_.tls == nullptr));
  options_.tls = std::move(tls);
}

void ChannelCore::begin(ClientCall&) {
  ++call_count_;
  std::erase_if(retired_, [](const auto& subchannel) { return subchannel->is_unused(); });
}

void ChannelCore::end(ClientCall& call) {
  --call_count_;
  if (call.is_waiting()) stop_waiting(call);
}

void ChannelCore::dispatch(ClientCall& call) {
  if (waiting_.size() >= options_.waiting_calls_max) {
    return call.finish({GrpcCode::resource_exhausted, "too many calls wait for a connection"});
  }
  intrusive_ptr_add_ref(static_cast<http2::Stream*>(&call));
  waiting_.push_back(call);
  serve_waiting();
}

void ChannelCore::stop_waiting(ClientCall& call) {
  waiting_.erase(waiting_.iterator_to(call));
  intrusive_ptr_release(static_cast<http2::Stream*>(&call));
}

void ChannelCore::serve_waiting() {
  if (std::exchange(serving_, true)) return;
  while (!waiting_.empty()) {
    const ClientCallPtr call(&waiting_.front());
    Pick picked = pick();
    if (picked.failure) {
      call->finish(std::move(*picked.failure));
    } else if (picked.connection == nullptr) {
      break;
    } else if (call->open_on(*picked.connection)) {
      if (call->is_waiting()) stop_waiting(*call);
    } else {
      picked.connection->drain();  // Its stream ids are exhausted.
    }
  }
  serving_ = false;
}

ChannelCore::Pick ChannelCore::pick() {
  if (closed_) return {nullptr, GrpcStatus{GrpcCode::unavailable, "channel closed"}};
  if (subchannels_.empty()) return pick_without_addresses();
  bool hope = false;
  const Subchannel* failed = nullptr;
  for (std::size_t i = 0; i < subchannels_.size(); ++i) {
    const std::size_t index = (next_ + i) % subchannels_.size();
    Subchannel& subchannel = *subchannels_[index];
    if (ChannelConnection* connection = subchannel.usable()) {
      next_ = (index + 1) % subchannels_.size();
      return {connection, std::nullopt};
    }
    if (subchannel.may_serve()) {
      hope = true;
    } else {
      failed = &subchannel;
    }
  }
  if (hope) return {};
  const std::string& why = failed->last_error().detail;
  return {nullptr,
          GrpcStatus{GrpcCode::unavailable, why.empty() ? "every connection is ending" : why}};
}

ChannelCore::Pick ChannelCore::pick_without_addresses() {
  addresses_.refresh();
  if (addresses_.resolving()) return {};
  return {nullptr, GrpcStatus{GrpcCode::unavailable, addresses_.error().detail}};
}

void ChannelCore::update_addresses() {
  const auto& wanted = addresses_.addresses();
  std::vector<std::unique_ptr<Subchannel>> before = std::exchange(subchannels_, {});
  for (const Address& address : wanted) {
    const auto known = std::find_if(before.begin(), before.end(), [&](const auto& subchannel) {
      return subchannel && subchannel->address() == address;
    });
    if (known != before.end()) {
      subchannels_.push_back(std::move(*known));
    } else {
      subchannels_.push_back(std::make_unique<Subchannel>(*this, address));
    }
  }
  for (auto& gone : before) {
    if (!gone) continue;
    gone->retire();
    retired_.push_back(std::move(gone));
  }
  serve_waiting();
}

void ChannelCore::close() {
  if (std::exchange(closed_, true)) return;
  listener_.reset();
  serve_waiting();
  subchannels_.clear();
  retired_.clear();
}

std::size_t ChannelCore::connection_count() const noexcept {
  std::size_t count = 0;
  for (const auto* list : {&subchannels_, &retired_}) {
    for (const auto& subchannel : *list) count += subchannel->connection_count();
  }
  return count;
}

}  // namespace concerto::net::detail
