#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/engine/branch_caller.hpp>
#include <concerto/engine/store.hpp>
#include <concerto/engine/wording.hpp>

namespace concerto {

/// Named lists of subscriber URLs, which steps of a msg address as `topic://<name>` (protocol page
/// 02, section 8). The lists are in the key-value part of the store and are read there each time,
/// so that a change counts at once. Usable on any shard.
class Topics {
 public:
  /// `store`, `clock` and `branches` outlive this object. `branches` says which URLs can be called.
  Topics(Store& store, const Clock& clock, const BranchCaller& branches, const Wording& wording)
      : store_(store), clock_(clock), branches_(branches), wording_(wording) {}

  /// Error invalid_entry: the topic or URL is empty, the URL is subscribed already or can never be
  /// called, or a limit is exceeded.
  Async<> subscribe(std::string topic, std::string url, std::string remark);
  /// Error invalid_entry: the topic or URL is empty, the topic does not exist, or the URL is not
  /// subscribed.
  Async<> unsubscribe(std::string topic, std::string url);
  /// Error key_not_found.
  Async<> remove(std::string topic);
  /// The URLs of the topic; none if the topic does not exist.
  Async<std::vector<std::string>> subscribers(std::string topic);

 private:
  Async<std::optional<KvRecord>> find(std::string topic);

  Store& store_;
  const Clock& clock_;
  const BranchCaller& branches_;
  const Wording wording_;
};

/// The topic that a step's action names, nullopt for a URL.
std::optional<std::string_view> topic_of(std::string_view action) noexcept;

}  // namespace concerto
