#pragma once

#include <array>
#include <string>
#include <vector>

#include <concerto/engine/store.hpp>

namespace concerto::tools {

/// Transactions that are read and written at one time.
inline constexpr std::size_t page_transactions = 256;

/// One page of all transactions, newest first, whole ones. Empty `next_position`: the last page.
struct WholePage {
  std::vector<Transaction> transactions;
  std::string next_position;
};
Async<WholePage> read_whole_page(Store& store, std::string position);

/// Where the pages of a store begin, and what is in them.
struct StoreSurvey {
  struct Page {
    std::string position;
    Gid oldest;
    std::size_t size = 0;
  };
  std::vector<Page> pages;  ///< newest first, as `list` shows them
  std::size_t count = 0;
  std::array<std::size_t, 6> by_status{};  ///< index: TransStatus

  void add(std::string position, const std::vector<Transaction>& listed);
};

}  // namespace concerto::tools
