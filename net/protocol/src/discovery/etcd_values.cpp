#include "etcd_values.hpp"

#include <algorithm>
#include <etcd_rpc.pb.h>
#include <utility>

namespace concerto::net {

bool EtcdValues::read(const etcdserverpb::RangeResponse& response) {
  const bool has_lost_data = response.header().revision() < revision_;
  Map before = std::exchange(current_, {});
  has_more_ = response.more();
  for (const auto& kv : response.kvs()) put(kv.key(), kv.value());
  if (has_lost_data) former_ = std::move(before);
  revision_ = response.header().revision();
  return has_lost_data;
}

void EtcdValues::apply(const etcdserverpb::WatchResponse& response) {
  revision_ = std::max(revision_, response.header().revision());
  for (const auto& event : response.events()) {
    if (event.type() == mvccpb::Event::DELETE) {
      current_.erase(event.kv().key());
    } else {
      put(event.kv().key(), event.kv().value());
    }
  }
}

void EtcdValues::put(const std::string& key, const std::string& value) {
  if (current_.size() < keys_max || current_.contains(key)) {
    current_[key] = value;
  } else {
    has_more_ = true;
  }
}

EtcdValues::Map EtcdValues::all() const {
  Map all = current_;
  all.insert(former_.begin(), former_.end());
  return all;
}

}  // namespace concerto::net
