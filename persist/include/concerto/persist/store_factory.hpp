#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <concerto/base/clock.hpp>
#include <concerto/engine/observer.hpp>
#include <concerto/persist/managed_store.hpp>

namespace concerto::persist {

/// What a configuration says of its store (protocol page 06, the section `Store`). A kind of store
/// takes what it needs; errors name the keys of that section.
struct StoreSettings {
  std::string driver = "leveldb";  ///< the name of the kind
  StoreRetention retention;
  std::string path;  ///< directory of a store that has one
  /// With less room on the disk a store that has one warns.
  std::uint64_t free_bytes_min = std::uint64_t{256} << 20;
};

/// A kind of store: how a configuration becomes a store. Only `name` and `open` must be there.
struct StoreKind {
  std::string name;  ///< as Store.Driver says it

  /// Opens what is stored, or begins with nothing. A store on a server that cannot be reached may
  /// open as `recovering` (StoreHealth). Clock and observer outlive the store.
  std::function<Result<std::unique_ptr<ManagedStore>>(const StoreSettings&, const Clock&,
                                                      Observer&)>
      open;

  /// What the settings lack. Opens nothing. Errors: invalid_request.
  std::function<Result<>(const StoreSettings&)> check;

  // What is stored beyond the life of the process: all three of these, or none where nothing is.
  // Nobody has the store open meanwhile.

  /// Where it is, for people: no password is in it.
  std::function<std::string(const StoreSettings&)> place;
  /// How many transactions are unfinished, nullopt where nothing was ever stored. Blocks.
  std::function<Result<std::optional<std::size_t>>(const StoreSettings&, const Clock&, Observer&)>
      count_unfinished;
  /// Removes everything that a store of this kind made there, and nothing else. Blocks.
  std::function<Result<>(const StoreSettings&)> drop;
};

/// The kinds of stores that a configuration may name.
class StoreKinds {
 public:
  /// Those of this build: leveldb, unless it was left out, and memory.
  static StoreKinds standard();

  /// Adds a kind, or replaces the one of the same name.
  void add(StoreKind kind);
  /// Null for an unknown name. Valid until the next `add`.
  const StoreKind* find(std::string_view name) const noexcept;

  /// Whether `open` knows the kind and has the settings for it. Errors: invalid_request.
  [[nodiscard]] Result<> check(const StoreSettings& settings) const;
  /// Checks and opens. Errors: invalid_request, and those of the kind.
  [[nodiscard]] Result<std::unique_ptr<ManagedStore>> open(const StoreSettings& settings,
                                                           const Clock& clock,
                                                           Observer& observer) const;

 private:
  Result<const StoreKind*> checked(const StoreSettings& settings) const;

  std::vector<StoreKind> kinds_;
};

}  // namespace concerto::persist
