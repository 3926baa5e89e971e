#include "store_walk.hpp"

#include <algorithm>
#include <utility>

namespace concerto::tools {

Async<WholePage> read_whole_page(Store& store, std::string position) {
  WholePage page;
  ListFilter filter;
  // `list` shows transactions without branches, but the filter sees whole ones.
  filter.accepts = [&page](const Transaction& trans) {
    page.transactions.push_back(trans);
    return true;
  };
  CONCERTO_CO_TRY(TransPage listed,
                  co_await store.list(std::move(filter), std::move(position), page_transactions));
  // The filter may also have seen the one with which the next page begins.
  page.transactions.resize(std::min(page.transactions.size(), listed.transactions.size()));
  page.next_position = std::move(listed.next_position);
  co_return page;
}

void StoreSurvey::add(std::string position, const std::vector<Transaction>& listed) {
  if (listed.empty()) return;
  pages.push_back({std::move(position), listed.back().gid, listed.size()});
  count += listed.size();
  for (const Transaction& trans : listed) ++by_status[static_cast<std::size_t>(trans.status)];
}

}  // namespace concerto::tools
