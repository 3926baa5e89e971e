#pragma once

#include <cstddef>
#include <ostream>
#include <string>
#include <vector>

#include "terminal.hpp"

namespace concerto::tools {

/// A table of text for people. On a terminal the table is made as narrow as the terminal is, by
/// cutting columns that may be cut; elsewhere nothing is cut, so that other programs get all.
class Table {
 public:
  struct Column {
    std::string title;
    bool is_number = false;  ///< stands at the right
    bool may_be_cut = false;
  };
  struct Cell {
    Cell(std::string shown, Colour in = Colour::none) : text(std::move(shown)), colour(in) {}
    Cell(const char* shown) : text(shown) {}

    std::string text;
    Colour colour = Colour::none;
  };

  explicit Table(std::vector<Column> columns);

  /// Adds a row, with a cell for each column. Characters that are not seen become their numbers.
  void add(std::vector<Cell> row);

  std::size_t size() const noexcept { return rows_.size(); }

  /// Writes the titles and the rows. A cell without text is shown as `-`.
  void print(std::ostream& out, const Terminal& terminal) const;

 private:
  std::vector<std::size_t> widths_for(std::size_t terminal_columns) const;
  void print_row(std::ostream& out, const std::vector<Cell>& row,
                 const std::vector<std::size_t>& widths, bool has_colour) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
  std::vector<std::size_t> widest_;
};

}  // namespace concerto::tools
