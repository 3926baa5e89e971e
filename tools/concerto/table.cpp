#include "table.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include <concerto/base/assert.hpp>
#include <concerto/base/utf8.hpp>

#include "display_width.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t gap = 2;
/// A column that may be cut keeps so many columns of the terminal.
constexpr std::size_t least_width = 12;

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {
  for (const Column& column : columns_) widest_.push_back(display_width(column.title));
}

void Table::add(std::vector<Cell> row) {
  CONCERTO_ASSERT(row.size() == columns_.size() && "a row has a cell for each column");
  for (std::size_t i = 0; i < row.size(); ++i) {
    row[i].text = row[i].text.empty() ? "-" : visible_line(row[i].text);
    widest_[i] = std::max(widest_[i], display_width(row[i].text));
  }
  rows_.push_back(std::move(row));
}

std::vector<std::size_t> Table::widths_for(std::size_t terminal_columns) const {
  std::vector<std::size_t> widths = widest_;
  if (terminal_columns == 0) return widths;
  std::size_t sum = std::accumulate(widths.begin(), widths.end(), gap * (widths.size() - 1));
  // The last columns say the most in the most words.
  for (std::size_t i = widths.size(); i-- > 0 && sum > terminal_columns;) {
    if (!columns_[i].may_be_cut) continue;
    const std::size_t least = std::min(widths[i], least_width);
    const std::size_t taken = std::min(sum - terminal_columns, widths[i] - least);
    widths[i] -= taken;
    sum -= taken;
  }
  return widths;
}

void Table::print_row(std::ostream& out, const std::vector<Cell>& row,
                      const std::vector<std::size_t>& widths, bool has_colour) const {
  std::string line;
  for (std::size_t i = 0; i < row.size(); ++i) {
    const std::string text = cut_to_width(row[i].text, widths[i]);
    const std::string blanks(widths[i] - std::min(widths[i], display_width(text)), ' ');
    if (i > 0) line.append(gap, ' ');
    if (columns_[i].is_number) line += blanks;
    line += coloured(text, row[i].colour, has_colour);
    if (!columns_[i].is_number && i + 1 < row.size()) line += blanks;
  }
  out << line << '\n';
}

void Table::print(std::ostream& out, const Terminal& terminal) const {
  const std::vector<std::size_t> widths = widths_for(terminal.columns);
  std::vector<Cell> titles;
  for (const Column& column : columns_) titles.emplace_back(column.title, Colour::bold);
  print_row(out, titles, widths, terminal.has_colour);
  for (const auto& row : rows_) print_row(out, row, widths, terminal.has_colour);
  out << std::flush;
}

}  // namespace concerto::tools
