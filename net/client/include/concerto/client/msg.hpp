#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <utility>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/temporary.hpp>
#include <concerto/engine/request.hpp>

namespace concerto::client {

namespace detail {
class Core;
}  // namespace detail

/// A two-phase message: actions that are delivered once the local work is done. Made by
/// Client::msg.
class CONCERTO_EXPORT Msg {
 public:
  /// The local work. An error that is BranchCondition::failure, such as one made by `failure`, says
  /// that it did not and will not happen; after any other error the outcome is open.
  using Work = std::function<Async<>()>;

  Msg(detail::Core& core, std::string gid);

  const std::string& gid() const noexcept { return request_.gid.str(); }

  /// `wait_result`, timeouts, headers and the like.
  TransOptions options;

  /// Adds a step. `payload`: JSON over HTTP, the bytes of a message over gRPC.
  Msg& add(std::string action, std::string payload);
  /// Adds a step for each subscriber that the topic has at the coordinator.
  Msg& add_topic(const std::string& topic, std::string payload);
  /// The time from the submit until the first action is called.
  Msg& delay(std::chrono::seconds delay);

  /// Stores the msg without delivering it. If no submit follows, the coordinator calls
  /// `query_prepared` after `timeout_to_fail` and delivers or drops the msg.
  Async<> prepare(std::string query_prepared) const;
  /// Delivers the msg, prepared or not.
  Async<> submit() const;

  /// Prepares the msg, does the work, and submits or drops the msg. After an error of the work with
  /// an open outcome, `query_prepared` decides; if that does not know either, the coordinator asks
  /// again later. Returns the error of the work, or else that of the submit. The msg may be gone
  /// meanwhile; what `work` refers to may not.
  template <class W>
  Async<> do_and_submit(std::string query_prepared, W&& work) const {
    return do_work(std::move(query_prepared), Work(std::forward<W>(work)));
  }
  /// Give `work` a name first (see OwningTemporary).
  template <class W>
    requires OwningTemporary<W>
  Async<> do_and_submit(std::string query_prepared, W&& work) const = delete;

 private:
  Async<> do_work(std::string query_prepared, Work work) const;
  TransRequest prepared_request(std::string query_prepared) const;
  std::string delay_data() const;

  detail::Core& core_;
  TransRequest request_;
  std::chrono::seconds delay_{};
};

}  // namespace concerto::client
