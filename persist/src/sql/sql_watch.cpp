#include "sql_watch.hpp"

namespace concerto::persist {

void SqlWatch::write(const SqlHealth::Lines& lines) {
  for (const SqlHealth::Line& line : lines) observer_.log(line.level, {}, line.text);
}

void SqlWatch::reached(std::chrono::nanoseconds took) {
  const MutexLock lock(mutex_);
  write(health_.reached(clock_.steady_now(), took));
}

void SqlWatch::away(const Error& error, bool is_silent, bool is_told) {
  const MutexLock lock(mutex_);
  const SqlHealth::Lines lines = health_.away(clock_.steady_now(), error.detail, is_silent);
  if (!is_told) write(lines);
}

void SqlWatch::connected(const Result<>& tried) {
  const MutexLock lock(mutex_);
  write(health_.connected(clock_.steady_now(), tried));
}

void SqlWatch::checked(const Result<>& check) {
  const MutexLock lock(mutex_);
  write(health_.checked(clock_.steady_now(), check));
}

void SqlWatch::wrote(std::chrono::nanoseconds took) {
  const MutexLock lock(mutex_);
  write(health_.wrote(clock_.steady_now(), took));
}

void SqlWatch::refused(const Error& error, std::size_t changes) {
  const MutexLock lock(mutex_);
  write(health_.refused(clock_.steady_now(), error, changes));
}

void SqlWatch::look() {
  const MutexLock lock(mutex_);
  write(health_.look(clock_.steady_now()));
}

StoreHealth SqlWatch::health() const {
  const MutexLock lock(mutex_);
  return health_.health(clock_.steady_now());
}

}  // namespace concerto::persist
