#pragma once

#include <atomic>
#include <chrono>
#include <concepts>
#include <cstddef>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/execution_context.hpp>

#include <concerto/base/async.hpp>
#include <concerto/base/export.hpp>
#include <concerto/base/temporary.hpp>
#include <concerto/engine/coordinator.hpp>
#include <concerto/engine/local_branches.hpp>
#include <concerto/engine/posted_handler.hpp>
#include <concerto/engine/trans_events.hpp>

namespace concerto {

/// What an EmbeddedCoordinator is made of besides executor, store and branches. What is not set has
/// a default, and what is set outlives the coordinator. With several threads, observer and random
/// source are thread-safe.
struct EmbeddedOptions {
  CoordinatorOptions coordinator;
  /// Threads that the coordinator has for itself. With 0 it runs on the executor if that is an
  /// io_context's, which one thread runs; and has one thread if the executor is of another kind.
  std::size_t threads = 0;
  const ModeTable* modes = nullptr;  ///< the modes of the protocol
  const Clock* clock = nullptr;      ///< the machine's
  RandomSource* random = nullptr;    ///< the machine's
  Observer* observer = nullptr;      ///< a StderrLog
};

/// A coordinator in a program of yours, with all that it needs. docs/embedding.md is the guide.
///
/// Begins with the transactions that an earlier run left unfinished as soon as the executor runs.
/// Requests may be made meanwhile, on any thread. Each takes a completion token of Asio for
/// `void(Result<T>)`: use_awaitable, use_future, a function, deferred (the default) and others.
/// Completions without an executor of their own run on the executor of the coordinator, and so do
/// the branches. A cancellation ends the waiting (asio::error::operation_aborted); the request
/// itself goes on.
///
/// The executor and the store outlive the coordinator, and so does what the branches refer to.
class CONCERTO_EXPORT EmbeddedCoordinator {
 public:
  /// Throws std::system_error if the system starts no thread. The executor is not empty.
  EmbeddedCoordinator(asio::any_io_executor executor, Store& store, LocalBranches branches,
                      EmbeddedOptions options = EmbeddedOptions());
  /// All calls go to `branches`, on the threads of the coordinator.
  EmbeddedCoordinator(asio::any_io_executor executor, Store& store, BranchCaller& branches,
                      EmbeddedOptions options = EmbeddedOptions());
  /// With an io_context or a thread_pool in place of its executor.
  template <std::derived_from<asio::execution_context> Context, class Branches>
  EmbeddedCoordinator(Context& context, Store& store, Branches&& branches,
                      EmbeddedOptions options = EmbeddedOptions())
      : EmbeddedCoordinator(asio::any_io_executor(context.get_executor()), store,
                            std::forward<Branches>(branches), std::move(options)) {}
  /// Cancels the calls that run, ends the requests that wait with Errc::shutting_down, and waits
  /// for both: see ~Coordinator. What is not finished goes on in the next run of the program.
  ~EmbeddedCoordinator();
  EmbeddedCoordinator(const EmbeddedCoordinator&) = delete;
  EmbeddedCoordinator& operator=(const EmbeddedCoordinator&) = delete;

  /// A gid that no other transaction has. On any thread.
  Gid new_gid();

  /// The requests of Coordinator that applications make; Coordinator says what they do.
  template <class Token = asio::deferred_t>
  auto submit(TransRequest request, Token&& token = Token{}) {
    return begin(Request<&Coordinator::submit, TransRequest>{std::move(request)},
                 std::forward<Token>(token));
  }
  template <class Token = asio::deferred_t>
  auto prepare(TransRequest request, Token&& token = Token{}) {
    return begin(Request<&Coordinator::prepare, TransRequest>{std::move(request)},
                 std::forward<Token>(token));
  }
  template <class Token = asio::deferred_t>
  auto abort(TransRequest request, Token&& token = Token{}) {
    return begin(Request<&Coordinator::abort, TransRequest>{std::move(request)},
                 std::forward<Token>(token));
  }
  template <class Token = asio::deferred_t>
  auto register_branch(BranchRequest request, Token&& token = Token{}) {
    return begin(Request<&Coordinator::register_branch, BranchRequest>{std::move(request)},
                 std::forward<Token>(token));
  }
  template <class Token = asio::deferred_t>
  auto force_stop(Gid gid, Token&& token = Token{}) {
    return begin(
        [gid = std::move(gid)](Coordinator& coordinator) { return coordinator.force_stop(gid); },
        std::forward<Token>(token));
  }
  /// Wakes a waiting transaction.
  template <class Token = asio::deferred_t>
  auto retry_now(Gid gid, Token&& token = Token{}) {
    return begin(Request<&Coordinator::reset_next_cron_time, Gid>{std::move(gid)},
                 std::forward<Token>(token));
  }
  template <class Token = asio::deferred_t>
  auto query(Gid gid, Token&& token = Token{}) {
    return begin(
        [gid = std::move(gid)](Coordinator& coordinator) { return coordinator.query(gid); },
        std::forward<Token>(token));
  }

  /// Ends when the unfinished transactions of earlier runs are read; see Coordinator::recover.
  template <class Token = asio::deferred_t>
  auto recovered(Token&& token = Token{}) {
    return begin([this](Coordinator&) { return wait_until_recovered(); },
                 std::forward<Token>(token));
  }

  /// Ends the coordinator in order: calls may run for `grace`, and are cancelled then. Ends the
  /// streams of events, too.
  template <class Token = asio::deferred_t>
  auto stop(std::chrono::milliseconds grace, Token&& token = Token{}) {
    return begin([this, grace](Coordinator&) { return stop_within(grace); },
                 std::forward<Token>(token));
  }

  /// Any other request: `request(Coordinator&)` returns an `Async<T>`. It is called on a thread of
  /// the coordinator, and is not a coroutine itself if it has captures.
  template <class F, class Token = asio::deferred_t>
  auto ask(F&& request, Token&& token = Token{}) {
    return begin(std::decay_t<F>(std::forward<F>(request)), std::forward<Token>(token));
  }
  /// Give `request` a name first (see OwningTemporary).
  template <class F, class Token = asio::deferred_t>
    requires OwningTemporary<F>
  auto ask(F&& request, Token&& token = Token{}) = delete;

  /// The changes of statuses from now on. At most `unread_max` of them are kept for a reader.
  TransEvents events(std::size_t unread_max = 1024);

  /// For front ends, such as net::HttpApi. Used on the threads of the coordinator.
  Coordinator& coordinator() noexcept;

 private:
  struct Parts;

  template <class F, class Token>
  auto begin(F request, Token&& token) {
    using Answer = typename std::invoke_result_t<F&, Coordinator&>::value_type;
    return asio::async_initiate<Token, void(Answer)>(Ask<Answer>{this}, token, std::move(request));
  }

  /// A request with one argument, and the default RequestContext.
  template <auto function, class Argument>
  struct Request {
    auto operator()(Coordinator& coordinator) {
      return (coordinator.*function)(std::move(argument), RequestContext());
    }
    Argument argument;
  };

  template <class Answer>
  struct Ask {
    template <class Handler, class F>
    void operator()(Handler handler, F request) const {
      const auto slot = asio::get_associated_cancellation_slot(handler);
      auto answered = detail::posted<Answer>(std::move(handler), embedded->user());
      if (slot.is_connected()) answered = detail::cancellable(std::move(answered), slot);
      embedded->spawn(serve(embedded, std::move(request), std::move(answered)));
    }
    EmbeddedCoordinator* embedded;
  };

  /// Makes a request on a thread of the coordinator, and passes its answer on.
  template <class F, class Answer>
  static Task<void> serve(EmbeddedCoordinator* embedded, F request, Completion<Answer> answered) {
    co_await asio::this_coro::throw_if_cancelled(false);
    Answer answer = has_ended();
    if (!embedded->is_ending()) {
      try {
        Task<Answer> running = request(embedded->coordinator());
        answer = co_await std::move(running);
      } catch (const std::exception& thrown) {
        answer = make_error(Errc::invalid_request, thrown.what());
      } catch (...) {
        answer = make_error(Errc::invalid_request, "the request threw no std::exception");
      }
    }
    answered(std::move(answer));
  }

  const asio::any_io_executor& user() const noexcept;
  bool is_ending() const noexcept;
  static Error has_ended();
  void spawn(Task<void> task);
  Task<void> recover();
  Task<void> begin_end();
  Async<> wait_until_recovered();
  Async<> stop_within(std::chrono::milliseconds grace);

  std::unique_ptr<Parts> parts_;
};

}  // namespace concerto
