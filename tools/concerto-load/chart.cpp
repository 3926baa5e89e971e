#include "chart.hpp"

#include <algorithm>
#include <cmath>
#include <span>

#include "number_text.hpp"

namespace concerto::load {
namespace {

constexpr double width = 760;
constexpr double height = 300;
constexpr double left = 70;
constexpr double right = 20;
constexpr double top = 34;
constexpr double bottom = 46;
constexpr double steps_wanted = 5;

std::string tick_text(double value) {
  if (value >= 1000) return with_commas(static_cast<std::uint64_t>(std::llround(value)));
  std::string text = fixed(value, 3);
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

/// Draws once the ends of both axes are known.
class Drawing {
 public:
  Drawing(double x_end, double y_end) : x_end_(x_end), y_end_(y_end) {}

  void text(double x, double y, const char* anchor, const std::string& content) {
    out_ += "<text class=\"label\" x=\"" + fixed(x, 1) + "\" y=\"" + fixed(y, 1) +
            "\" text-anchor=\"" + anchor + "\">" + escape_html(content) + "</text>\n";
  }

  void x_tick(const Chart::Tick& tick) {
    line("grid", x(tick.at), top, x(tick.at), height - bottom);
    text(x(tick.at), height - bottom + 16, "middle", tick.label);
  }

  void y_tick(double at) {
    line("grid", left, y(at), width - right, y(at));
    text(left - 6, y(at) + 4, "end", tick_text(at));
  }

  void axes() {
    line("axis", left, top, left, height - bottom);
    line("axis", left, height - bottom, width - right, height - bottom);
  }

  /// A line through each run of points.
  void points(const std::vector<Chart::Point>& points) {
    for (auto at = points.begin(); at != points.end();) {
      const auto begin = std::find_if(at, points.end(), [](const auto& p) { return p.y; });
      at = std::find_if(begin, points.end(), [](const auto& p) { return !p.y; });
      if (begin != at) run({begin, at});
    }
  }

  void gap(const Chart::Gap& gap) {
    out_ += "<rect class=\"gap\" x=\"" + fixed(x(gap.begin), 1) + "\" y=\"" + fixed(top, 1) +
            "\" width=\"" + fixed(x(gap.end) - x(gap.begin), 1) + "\" height=\"" +
            fixed(height - top - bottom, 1) + "\"><title>" + escape_html(gap.label) +
            "</title></rect>\n";
  }

  std::string take() { return std::move(out_); }

 private:
  void run(std::span<const Chart::Point> points) {
    if (points.size() == 1) {
      out_ += "<circle class=\"point\" r=\"3\" cx=\"" + fixed(x(points[0].x), 1) + "\" cy=\"" +
              fixed(y(*points[0].y), 1) + "\"/>\n";
      return;
    }
    out_ += "<polyline class=\"line\" points=\"";
    for (const Chart::Point& point : points) {
      out_ += fixed(x(point.x), 1) + "," + fixed(y(*point.y), 1) + " ";
    }
    out_ += "\"/>\n";
  }

  double x(double value) const { return left + value / x_end_ * (width - left - right); }
  double y(double value) const {
    return height - bottom - value / y_end_ * (height - top - bottom);
  }

  void line(const char* style, double x1, double y1, double x2, double y2) {
    out_ += "<line class=\"" + std::string(style) + "\" x1=\"" + fixed(x1, 1) + "\" y1=\"" +
            fixed(y1, 1) + "\" x2=\"" + fixed(x2, 1) + "\" y2=\"" + fixed(y2, 1) + "\"/>\n";
  }

  double x_end_;
  double y_end_;
  std::string out_;
};

}  // namespace

std::string escape_html(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        // A page must not contain other control characters.
        out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
    }
  }
  return out;
}

std::vector<double> round_steps(double highest) {
  if (!(highest > 0)) return {0, 1};
  const double rough = highest / steps_wanted;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double digits = rough / power;
  const double step = (digits <= 1 ? 1 : digits <= 2 ? 2 : digits <= 5 ? 5 : 10) * power;
  std::vector<double> steps;
  for (int i = 0; steps.empty() || steps.back() < highest; ++i) steps.push_back(step * i);
  return steps;
}

std::string Chart::to_svg() const {
  double x_max = 0;
  double y_max = 0;
  for (const Point& point : points) {
    x_max = std::max(x_max, point.x);
    y_max = std::max(y_max, point.y.value_or(0));
  }
  std::vector<Tick> ticks = x_ticks;
  if (ticks.empty()) {
    for (const double at : round_steps(x_max)) ticks.push_back({at, tick_text(at)});
  }
  const std::vector<double> y_steps = round_steps(y_max);
  Drawing drawing(std::max(x_max, ticks.back().at), y_steps.back());
  for (const Gap& gap : gaps) drawing.gap(gap);
  for (const Tick& tick : ticks) drawing.x_tick(tick);
  for (const double at : y_steps) drawing.y_tick(at);
  drawing.axes();
  drawing.points(points);
  drawing.text(left, 18, "start", title + ": " + y_label);
  drawing.text(width - right, height - 10, "end", x_label);
  return "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + fixed(width, 0) + " " +
         fixed(height, 0) + "\" role=\"img\" aria-label=\"" + escape_html(title) + "\">\n" +
         drawing.take() + "</svg>\n";
}

}  // namespace concerto::load
