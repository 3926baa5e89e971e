#include "failures.hpp"

#include <algorithm>

namespace concerto::load {
namespace {

const std::string others = "others";
/// Stands for the gid in a text.
constexpr std::string_view shown_gid = "<gid>";

std::string kind_of(std::string_view gid, std::string_view text) {
  std::string line(text.substr(0, text.find('\n')));
  for (std::size_t at = line.find(gid); !gid.empty() && at != std::string::npos;
       at = line.find(gid, at + shown_gid.size())) {
    line.replace(at, gid.size(), shown_gid);
  }
  if (line.size() > Failures::text_chars_max) line.resize(Failures::text_chars_max);
  return line;
}

}  // namespace

void Failures::note(std::string_view gid, std::string_view text) {
  ++count_;
  std::string line = kind_of(gid, text);
  const auto find = [this](const std::string& wanted) {
    return std::ranges::find(kinds_, wanted, &Kind::text);
  };
  auto kind = find(line);
  if (kind == kinds_.end() && kinds_.size() >= kinds_max) {
    line = others;
    kind = find(line);
  }
  if (kind == kinds_.end()) {
    kinds_.push_back({std::move(line), 0, std::string(gid)});
    kind = kinds_.end() - 1;
  }
  ++kind->count;
}

}  // namespace concerto::load
