#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>

namespace etcdserverpb {
class RangeResponse;
class WatchResponse;
}  // namespace etcdserverpb

namespace concerto::net {

/// The keys below a prefix of etcd with their values, as etcd's answers tell them. Of many keys the
/// first in etcd's order count.
class EtcdValues {
 public:
  using Map = std::map<std::string, std::string>;  ///< by key

  /// Further keys do not count. They are asked for when fewer than half of these are left.
  static constexpr std::size_t keys_max = 4'000;

  /// Takes all keys as they were read. True when etcd has lost data since the last answer: its
  /// revision went back. What was known before is then kept as former values.
  bool read(const etcdserverpb::RangeResponse& response);
  /// Takes the changes that a watch tells.
  void apply(const etcdserverpb::WatchResponse& response);
  void forget_former() noexcept { former_.clear(); }

  /// Everything that counts, former values included.
  Map all() const;
  const Map& current() const noexcept { return current_; }
  bool has_former() const noexcept { return !former_.empty(); }
  std::size_t size() const noexcept { return current_.size() + former_.size(); }
  std::int64_t revision() const noexcept { return revision_; }
  /// etcd has more keys than count.
  bool has_more() const noexcept { return has_more_; }
  /// There are more keys, and room for them: they should be read.
  bool wants_more() const noexcept { return has_more_ && current_.size() < keys_max / 2; }

 private:
  void put(const std::string& key, const std::string& value);

  Map current_;
  Map former_;  ///< of before etcd lost its data
  std::int64_t revision_ = 0;
  bool has_more_ = false;
};

}  // namespace concerto::net
