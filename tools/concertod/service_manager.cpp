#include "service_manager.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <utility>

#include <sys/socket.h>
#include <sys/un.h>
namespace concerto::tools {
namespace {

std::optional<std::string> take_variable(const char* name) {
  const char* const value = std::getenv(name);
  if (value == nullptr) return std::nullopt;
  std::string taken = value;
  ::unsetenv(name);
  return taken;
}

Error wrong(const char* variable, const std::string& value, const std::string& why) {
  return make_error(Errc::invalid_request,
                    "the environment's " + std::string(variable) + " '" + value + "' " + why);
}

/// A datagram socket connected to the manager's: a path, or a name of the kernel's after an '@'.
Result<int> connect_to(const std::string& name) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const bool is_known = name.starts_with('/') || name.starts_with('@');
  if (!is_known || name.size() >= sizeof address.sun_path) {
    return wrong("NOTIFY_SOCKET", name, "is neither a path nor an abstract name of a socket");
  }
  std::memcpy(address.sun_path, name.data(), name.size());
  if (name.starts_with('@')) address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  const int socket = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0 || ::connect(socket, reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    const std::string why = std::strerror(errno);
    if (socket >= 0) ::close(socket);
    return wrong("NOTIFY_SOCKET", name, "cannot be reached: " + why);
  }
  return socket;
}

/// Half of what WATCHDOG_USEC says, if it is meant for this process.
Result<std::optional<std::chrono::microseconds>> take_interval() {
  const auto wait = take_variable("WATCHDOG_USEC");
  const auto process = take_variable("WATCHDOG_PID");
  if (!wait || (process && *process != std::to_string(::getpid()))) return std::nullopt;
  std::chrono::microseconds::rep allowed = 0;
  const auto [end, failed] = std::from_chars(wait->data(), wait->data() + wait->size(), allowed);
  if (failed != std::errc{} || end != wait->data() + wait->size() || allowed < 2) {
    return wrong("WATCHDOG_USEC", *wait, "is not a number of microseconds above 1");
  }
  return std::chrono::microseconds(allowed / 2);
}

}  // namespace

Result<ServiceManager> ServiceManager::from_environment() {
  ServiceManager manager;
  const auto name = take_variable("NOTIFY_SOCKET");
  CONCERTO_TRY(const auto interval, take_interval());
  if (!name) return manager;
  CONCERTO_TRY(manager.socket_, connect_to(*name));
  manager.interval_ = interval;
  return manager;
}

ServiceManager::ServiceManager(ServiceManager&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), interval_(std::exchange(other.interval_, {})) {}

ServiceManager& ServiceManager::operator=(ServiceManager&& other) noexcept {
  std::swap(socket_, other.socket_);
  std::swap(interval_, other.interval_);
  return *this;
}

ServiceManager::~ServiceManager() {
  if (socket_ >= 0) ::close(socket_);
}

void ServiceManager::reloading(SteadyTime now) const {
  // The steady clock is the manager's CLOCK_MONOTONIC.
  const auto since = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch());
  send("RELOADING=1\nMONOTONIC_USEC=", std::to_string(since.count()));
}

void ServiceManager::send(std::string_view assignments, std::string_view text) const {
  if (socket_ < 0) return;
  std::string message(assignments);
  message += text;
  // A line break would begin another assignment.
  std::replace(message.begin() + static_cast<std::ptrdiff_t>(assignments.size()), message.end(),
               '\n', ' ');
  [[maybe_unused]] const auto sent =
      ::send(socket_, message.data(), message.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
}

}  // namespace concerto::tools
