#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include <concerto/base/edit_distance.hpp>

namespace concerto {
namespace {

char lower_letter(char c) noexcept {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool is_same(char a, char b) noexcept {
  return lower_letter(a) == lower_letter(b);
}

}  // namespace

// Of the table of distances between the beginnings of both texts, three rows are kept.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), next(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    next[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = last[j] + (is_same(a[i], b[j]) ? 0 : 1);
      next[j + 1] = std::min({replaced, last[j + 1] + 1, next[j] + 1});
      const bool is_swapped = i > 0 && j > 0 && is_same(a[i], b[j - 1]) && is_same(a[i - 1], b[j]);
      if (is_swapped) next[j + 1] = std::min(next[j + 1], before[j - 1] + 1);
    }
    std::swap(before, last);
    std::swap(last, next);
  }
  return last.back();
}

}  // namespace concerto
