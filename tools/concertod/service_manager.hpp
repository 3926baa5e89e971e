#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include <concerto/base/clock.hpp>
#include <concerto/base/error.hpp>

namespace concerto::tools {

/// What a service manager (systemd with Type=notify) is told: sd_notify(3), whose protocol is a
/// datagram to the socket that NOTIFY_SOCKET names. Without that variable nobody is told anything.
/// Any thread may call the const functions.
class ServiceManager {
 public:
  /// Takes NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID out of the environment, so that no child
  /// process speaks for this one. An error names the variable and its value.
  static Result<ServiceManager> from_environment();

  ServiceManager() = default;
  ServiceManager(ServiceManager&& other) noexcept;
  ServiceManager& operator=(ServiceManager&& other) noexcept;
  ~ServiceManager();

  /// The service is up, or has ended a reload.
  void started() const { send("READY=1", {}); }
  /// The text in `systemctl status`.
  void status(std::string_view status) const { send("STATUS=", status); }
  void reloading(SteadyTime now) const;
  void stopping() const { send("STOPPING=1\nSTATUS=", "stopping"); }
  void is_alive() const { send("WATCHDOG=1", {}); }

  /// How often to call `is_alive`: twice within the time that the manager allows. None if it does
  /// not ask for it.
  std::optional<std::chrono::microseconds> watchdog_interval() const noexcept { return interval_; }

 private:
  /// A lost message is of no consequence but for READY, without which the start is seen to fail.
  void send(std::string_view assignments, std::string_view text) const;

  int socket_ = -1;  ///< connected
  std::optional<std::chrono::microseconds> interval_;
};

}  // namespace concerto::tools
