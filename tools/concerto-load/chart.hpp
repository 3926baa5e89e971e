#pragma once

#include <optional>
#include <string>
#include <vector>

namespace concerto::load {

/// Escapes a text for HTML or SVG.
std::string escape_html(const std::string& text);

/// A line chart as an SVG element. Every axis begins at 0; colours come from the page's style:
/// classes `axis`, `grid`, `line`, `point`, `gap` and `label`.
struct Chart {
  /// Where `y` is nothing, the line is interrupted.
  struct Point {
    double x;
    std::optional<double> y;
  };
  /// A part of the x axis that is marked.
  struct Gap {
    double begin;
    double end;
    std::string label;
  };
  /// A mark on an axis.
  struct Tick {
    double at;
    std::string label;
  };

  std::string title;
  std::string y_label;
  std::string x_label;
  std::vector<Point> points;  ///< in the order of x
  std::vector<Tick> x_ticks;  ///< empty: at round numbers
  std::vector<Gap> gaps;

  std::string to_svg() const;
};

/// Round numbers from 0 to the first one that is not below `highest`. Their distance is 1, 2 or 5
/// times a power of ten, and there are at most eleven.
std::vector<double> round_steps(double highest);

}  // namespace concerto::load
