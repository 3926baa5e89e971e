#include "bank.hpp"

#include <cstdlib>
#include <stdexcept>
#include <unistd.h>

namespace concerto::test {

std::uint16_t port_of(const char* variable) {
  const char* port = std::getenv(variable);
  if (port == nullptr) throw std::runtime_error(std::string("run by barrier_test.py: ") + variable);
  return static_cast<std::uint16_t>(std::stoi(port));
}

std::string new_gid() {
  static int count = 0;
  return "gid-" + std::to_string(::getpid()) + "-" + std::to_string(++count);
}

}  // namespace concerto::test
