#pragma once

#include <chrono>
#include <optional>
#include <string>

#include <concerto/persist/store_factory.hpp>

namespace concerto::tools {

/// What the command line says about a reset.
struct ResetOrder {
  bool yes = false;          ///< drop unfinished transactions, too
  bool even_in_use = false;  ///< and those that others work on
};

/// Who has started the program: an operator at a terminal, or a script.
class ResetCaller {
 public:
  virtual ~ResetCaller() = default;

  virtual bool is_at_terminal() const = 0;
  /// The answer to a question, or nullopt if nobody would see the question.
  virtual std::optional<std::string> ask(const std::string& question) = 0;
  virtual void wait(std::chrono::milliseconds time) = 0;
};

/// A ResetCaller at stdin and stderr.
class StandardStreamsCaller final : public ResetCaller {
 public:
  bool is_at_terminal() const override;
  std::optional<std::string> ask(const std::string& question) override;
  void wait(std::chrono::milliseconds time) override;
};

/// Drops what a store has, for `concertod -r`. `kind` has a `drop`. Everything is looked at before
/// anything is dropped:
/// - While others work on transactions there, the store is dropped only if somebody agrees to that:
///   at the terminal, or by `even_in_use`. A script waits first, because a coordinator that was
///   killed has leases for some seconds.
/// - Unfinished transactions: somebody at a terminal has to agree, there or by `yes`; agreeing to
/// the
///   question about others is enough. A script is not asked, as with the reference.
/// An error says why nothing was dropped, or what could not be dropped.
[[nodiscard]] Result<> reset_store(const persist::StoreKind& kind,
                                   const persist::StoreSettings& settings, ResetOrder order,
                                   ResetCaller& caller, const Clock& clock, Observer& observer);

}  // namespace concerto::tools
