#include "store_contract.hpp"
#include "store_files.hpp"

namespace concerto::test {

using persist::LevelDbOptions;
using persist::LevelDbStore;

class LevelDbUnderTest final : public StoreUnderTest {
 public:
  using Tune = void (*)(LevelDbOptions&);

  explicit LevelDbUnderTest(Tune tune) : options_(small_options(dir_.path() + "/store")) {
    tune(options_);
    open();
  }

  Store& store() override { return *store_; }
  void restart() override {
    store_.reset();
    open();
  }

 private:
  void open() {
    auto opened = LevelDbStore::open(options_, clock_, log_);
    if (!opened) throw std::runtime_error(opened.error().detail);
    store_ = std::move(*opened);
  }

  TempDir dir_;
  StoreClock clock_;
  LogLines log_;
  LevelDbOptions options_;
  std::unique_ptr<LevelDbStore> store_;
};

StoreMaker tuned(const char* name, LevelDbUnderTest::Tune tune) {
  return {name, [tune] { return std::make_unique<LevelDbUnderTest>(tune); }};
}

INSTANTIATE_TEST_SUITE_P(LevelDb, StoreContract,
                         testing::Values(tuned("usual", [](LevelDbOptions&) {}),
                                         // Every group begins a segment, and every read uses the
                                         // disk.
                                         tuned("tiny_segments",
                                               [](LevelDbOptions& options) {
                                                 options.segment_bytes = 1;
                                                 options.recent_bytes_max = 1;
                                               }),
                                         tuned("growing_log", [](LevelDbOptions& options) {
                                           options.zero_step_bytes = 0;
                                           options.checkpoint_bytes = 1;
                                         })));

}  // namespace concerto::test
