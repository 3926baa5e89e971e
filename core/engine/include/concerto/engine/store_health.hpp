#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <concerto/base/export.hpp>

namespace concerto {

/// What a store can do at this moment. Readiness and metrics show it.
struct CONCERTO_EXPORT StoreHealth {
  enum class State : std::uint8_t {
    serving,     ///< does everything
    refusing,    ///< takes no new transactions; stored ones go on
    recovering,  ///< changes wait or end in store_busy; the store may serve again by itself
    failed,      ///< changes end in store_unavailable until the store is opened again
  };
  State state = State::serving;
  std::vector<std::string> reasons;   ///< a sentence for each; empty when and only when serving
  std::vector<std::string> warnings;  ///< what may stop the store from serving, if nobody acts

  /// Lines of the store in the log tell of a trouble in which calls wait or fail, and will tell its
  /// end. So nobody needs a line for each call.
  bool tells = false;

  bool is_told() const noexcept { return tells || state != State::serving; }

  /// Adds a reason. The state becomes the worst of the states that the reasons gave.
  void add(State worst, std::string reason) {
    if (state < worst) state = worst;
    reasons.push_back(std::move(reason));
  }
};

constexpr std::string_view to_string(StoreHealth::State state) noexcept {
  switch (state) {
    case StoreHealth::State::serving:
      return "serving";
    case StoreHealth::State::refusing:
      return "refusing";
    case StoreHealth::State::recovering:
      return "recovering";
    case StoreHealth::State::failed:
      return "failed";
  }
  return "failed";
}

/// A record that does not pass its checks. It is left as it is until an operator acts.
struct DamagedRecord {
  bool is_trans = true;
  std::string name;  ///< the gid of a transaction; otherwise what the record is called
  std::string why;   ///< begins with the key or the column

  friend bool operator==(const DamagedRecord&, const DamagedRecord&) = default;
};

/// The damaged records that a process has met and not read since.
struct DamageReport {
  std::vector<DamagedRecord> records;  ///< by name
  std::size_t total = 0;
  bool is_complete = true;  ///< false: there are more behind the last one
};

/// A number that a store counts.
struct StoreNumber {
  enum class Kind : std::uint8_t {
    gauge,    ///< goes up and down
    counter,  ///< only grows while the store is open
  };
  std::string_view name;  ///< lower case and underscores; metrics put `concerto_store_` before it
  std::string_view help;
  Kind kind = Kind::gauge;
  double value = 0;
};

/// How values are distributed.
struct StoreHistogram {
  std::string_view name;  ///< as in StoreNumber
  std::string_view help;
  std::vector<double> bounds;  ///< ascending
  /// `counts[i]` is the number of values up to `bounds[i]` and above the bound before. The last
  /// count is for the values above all bounds.
  std::vector<std::uint64_t> counts;
  double sum = 0;  ///< the sum of all values
};

/// What a store counts, for metrics. The names and helps live as long as the program.
struct StoreNumbers {
  std::vector<StoreNumber> numbers;
  std::vector<StoreHistogram> histograms;
};

}  // namespace concerto
