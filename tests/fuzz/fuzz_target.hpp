#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <source_location>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

/// What the fuzz targets share. A target is a function `void <name>(std::string_view input)` in
/// this namespace, in the file `<name>_fuzz.cpp`. It gives the input to one parser and checks what
/// must be true of the result of any input.
namespace concerto::fuzz {

/// Thrown by a target when a check fails. libFuzzer reports it as a crash, the ordinary test as a
/// failure.
class BrokenRule : public std::logic_error {
 public:
  using std::logic_error::logic_error;
};

inline void require(bool fact,
                    const std::source_location& place = std::source_location::current()) {
  if (fact) return;
  throw BrokenRule(std::string{place.file_name()} + ":" + std::to_string(place.line()) +
                   ": what must be true is not");
}

/// Numbers that look random and are the same in every run (splitmix64).
class Dice {
 public:
  explicit Dice(std::uint64_t seed) : state_(seed) {}

  std::uint64_t next() noexcept {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  std::size_t below(std::size_t limit) noexcept { return next() % limit; }

 private:
  std::uint64_t state_;
};

/// How an input is cut into the pieces that a parser gets.
enum class Cuts : std::uint8_t { none, every_byte, dice };
inline constexpr Cuts all_cuts[] = {Cuts::none, Cuts::every_byte, Cuts::dice};

inline std::vector<std::string_view> pieces_of(std::string_view input, Cuts cuts) {
  if (cuts == Cuts::none) return {input};
  constexpr std::size_t piece_bytes_max = 16;
  Dice dice(input.size());
  std::vector<std::string_view> pieces;
  while (!input.empty()) {
    const std::size_t wanted = cuts == Cuts::dice ? 1 + dice.below(piece_bytes_max) : 1;
    pieces.push_back(input.substr(0, wanted));
    input.remove_prefix(pieces.back().size());
  }
  return pieces;
}

/// The first line of `input`, without its end; `input` becomes what follows.
inline std::string_view take_line(std::string_view& input) {
  const std::size_t end = std::min(input.find('\n'), input.size());
  const std::string_view line = input.substr(0, end);
  input.remove_prefix(std::min(end + 1, input.size()));
  return line;
}

}  // namespace concerto::fuzz
