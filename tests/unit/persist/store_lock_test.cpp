#include "leveldb/store_lock.hpp"

#include <cerrno>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include <gtest/gtest.h>

#include "store_files.hpp"

namespace concerto::persist {
namespace {

TEST(StoreLock, IsHeldOnce) {
  const test::TempDir dir;
  const std::string path = dir.path() + "/LOCK";
  {
    const auto first = StoreLock::take(path);
    ASSERT_TRUE(first);
    const auto second = StoreLock::take(path);
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, EngineErrc::store_unavailable);
  }
  EXPECT_TRUE(StoreLock::take(path));
}

TEST(StoreLock, OnlyAHeldLockIsTakenForAnotherProcess) {
  const Error held = not_locked("/store/LOCK", EWOULDBLOCK);
  EXPECT_EQ(held.code, EngineErrc::store_unavailable);
  EXPECT_NE(held.detail.find("another process"), std::string::npos) << held.detail;
  // A file system without locks, and a system without room for another lock.
  for (const int reason : {ENOTSUP, ENOLCK}) {
    const Error failed = not_locked("/store/LOCK", reason);
    EXPECT_EQ(failed.code, EngineErrc::store_failed);
    EXPECT_EQ(failed.detail.find("another process"), std::string::npos) << failed.detail;
    EXPECT_NE(failed.detail.find("/store/LOCK"), std::string::npos) << failed.detail;
  }
}

TEST(StoreLock, OfAFileThatIsGoneKeepsNobodyAway) {
  const test::TempDir dir;
  const std::string path = dir.path() + "/LOCK";
  test::set_file_content(path, "");
  const int opened = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  ASSERT_GE(opened, 0);
  std::filesystem::remove(path);
  // The state of a process that opened the file right before another one removed it.
  const auto lock = StoreLock::take("/proc/self/fd/" + std::to_string(opened));
  ASSERT_FALSE(lock);
  EXPECT_EQ(lock.error().code, EngineErrc::store_unavailable) << lock.error().detail;
  ::close(opened);
}

}  // namespace
}  // namespace concerto::persist
