// Runs every fuzz target on the files of its corpus, and on inputs made of these files at random:
// the same ones in every run. CONCERTO_FUZZ_SEED=<number> makes others.

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include <gtest/gtest.h>

#include "fuzz_target.hpp"
#include "fuzz_targets.hpp"

// A function of the sanitizer's runtime, if there is one.
extern "C" void __sanitizer_set_death_callback(void (*callback)()) __attribute__((weak));

namespace concerto::fuzz {
namespace {

namespace fs = std::filesystem;

constexpr int mutations_per_file = 150;
constexpr std::size_t corpus_bytes_max = 16 * 1024;
const fs::path fuzz_directory = CONCERTO_FUZZ_DIRECTORY;

struct Input {
  std::string file;
  std::string bytes;
};

std::vector<Input> corpus_of(std::string_view target) {
  std::vector<Input> corpus;
  for (const auto& entry : fs::directory_iterator(fuzz_directory / "corpus" / target)) {
    std::ifstream in(entry.path(), std::ios::binary);
    corpus.push_back(
        {entry.path().filename().string(), std::string{std::istreambuf_iterator<char>{in}, {}}});
  }
  std::ranges::sort(corpus, {}, &Input::file);
  return corpus;
}

std::uint64_t first_seed() {
  const char* const text = std::getenv("CONCERTO_FUZZ_SEED");
  return text == nullptr ? 1 : std::strtoull(text, nullptr, 10);
}

/// `bytes` with up to four changes, such as a fuzzer makes them: a changed bit or byte, or a part
/// that is left out, repeated, or taken from another file.
std::string mutated(std::string bytes, const std::vector<Input>& corpus, Dice& dice) {
  constexpr std::size_t part_bytes_max = 32;
  static constexpr char telling[] = "\0\n\r\t \"%&+,/:;=?@[]{}\xff";
  for (std::size_t changes = 1 + dice.below(4); changes > 0; --changes) {
    const std::size_t at = dice.below(bytes.size() + 1);
    const std::size_t count = 1 + dice.below(part_bytes_max);
    const std::string& other = corpus[dice.below(corpus.size())].bytes;
    const std::size_t from = dice.below(other.size() + 1);
    switch (dice.below(6)) {
      case 0:
        if (at < bytes.size()) bytes[at] ^= static_cast<char>(1 << dice.below(8));
        break;
      case 1:
        if (at < bytes.size()) bytes[at] = static_cast<char>(dice.next());
        break;
      case 2:
        bytes.insert(at, 1, telling[dice.below(sizeof telling - 1)]);
        break;
      case 3:
        bytes.erase(at, count);
        break;
      case 4:
        bytes.insert(at, std::string{bytes.substr(at, count)});
        break;
      default:
        bytes.insert(at, other.substr(from, count));
    }
  }
  return bytes;
}

std::string escaped(std::string_view bytes) {
  std::string text;
  for (const char c : bytes) {
    char code[5];
    std::snprintf(code, sizeof code, "\\x%02x",
                  static_cast<unsigned>(static_cast<unsigned char>(c)));
    const bool is_plain = c >= 0x20 && c < 0x7f && c != '\\' && c != '"';
    is_plain ? text += c : text += code;
  }
  return text;
}

std::string described;  // the input that is being tested, in case the process dies

void tell_input() {
  std::fprintf(stderr, "the input in work: %s\n", described.c_str());
}

/// Whether the target's rules hold for the input.
bool holds(const Target& target, std::string_view input, const std::string& origin) {
  described = origin;
  try {
    target.run(input);
    return true;
  } catch (const BrokenRule& broken) {
    ADD_FAILURE() << broken.what() << "\n  input: " << origin << "\n  bytes: \"" << escaped(input)
                  << '"';
  } catch (const std::exception& unexpected) {
    ADD_FAILURE() << "it throws: " << unexpected.what() << "\n  input: " << origin
                  << "\n  bytes: \"" << escaped(input) << '"';
  }
  return false;
}

class FuzzCorpus : public testing::TestWithParam<Target> {
 protected:
  static void SetUpTestSuite() {
    if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(tell_input);
  }
};

TEST_P(FuzzCorpus, KeepsTheRules) {
  for (const Input& input : corpus_of(GetParam().name)) {
    holds(GetParam(), input.bytes, input.file);
  }
}

TEST_P(FuzzCorpus, KeepsTheRulesWhenItIsChanged) {
  const std::vector<Input> corpus = corpus_of(GetParam().name);
  Dice dice(first_seed());
  for (const Input& input : corpus) {
    for (int round = 0; round < mutations_per_file; ++round) {
      const std::string bytes = mutated(input.bytes, corpus, dice);
      const std::string origin =
          input.file + ", changed, CONCERTO_FUZZ_SEED=" + std::to_string(first_seed());
      if (!holds(GetParam(), bytes, origin)) return;
    }
  }
}

TEST_P(FuzzCorpus, IsSmallAndHasSeveralFiles) {
  std::size_t bytes = 0;
  const std::vector<Input> corpus = corpus_of(GetParam().name);
  for (const Input& input : corpus) bytes += input.bytes.size();
  EXPECT_LE(bytes, corpus_bytes_max);
  EXPECT_GE(corpus.size(), 3U);
}

INSTANTIATE_TEST_SUITE_P(Targets, FuzzCorpus, testing::ValuesIn(all_targets),
                         [](const auto& target) { return std::string{target.param.name}; });

std::set<std::string> target_names() {
  std::set<std::string> names;
  for (const Target& target : all_targets) names.emplace(target.name);
  return names;
}

TEST(FuzzTargets, HaveACorpusEach) {
  std::set<std::string> directories;
  for (const auto& entry : fs::directory_iterator(fuzz_directory / "corpus")) {
    directories.insert(entry.path().filename().string());
  }
  EXPECT_EQ(directories, target_names());
}

TEST(FuzzTargets, AreAllListedInCMake) {
  constexpr std::string_view ending = "_fuzz.cpp";
  std::set<std::string> sources;
  for (const auto& entry : fs::directory_iterator(fuzz_directory)) {
    const std::string file = entry.path().filename().string();
    if (file.ends_with(ending)) sources.insert(file.substr(0, file.size() - ending.size()));
  }
  EXPECT_EQ(sources, target_names());
}

}  // namespace
}  // namespace concerto::fuzz
