#include "mysql_opening.hpp"

#include <algorithm>
#include <chrono>
#include <fcntl.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <concerto/base/tls_rules.hpp>

namespace concerto::persist {
namespace {

/// A call runs on a stack of its own. It is memory of the process only as far as a call needs it.
constexpr std::size_t call_stack_bytes = std::size_t{256} << 10;

/// A peer that is gone without a word is noticed after so long: by the bytes that it does not
/// acknowledge, or by probes while nothing is under way. A slow statement does not count.
constexpr int gone_after_ms = 4'000;
constexpr int probe_after_s = 5, probe_pause_s = 1, probes = 4;

void set_tls(MYSQL* mysql, const MysqlOptions& options) {
  const auto file = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
  mysql_ssl_set(mysql, file(options.tls_key_file), file(options.tls_cert_file),
                file(options.tls_ca_file), nullptr, ciphers_of_tls_1_2);
  mysql_options(mysql, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
  const my_bool yes = 1;
  if (options.tls != MysqlTls::prefer) mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
  const my_bool verify = options.tls == MysqlTls::verify ? 1 : 0;
  mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
}

void set_options(MYSQL* mysql, const MysqlOptions& options, bool has_tls) {
  using std::chrono::ceil, std::chrono::seconds;
  const my_bool no = 0;
  const unsigned off = 0;
  const auto limit = static_cast<unsigned>(
      std::max<seconds::rep>(1, ceil<seconds>(options.time_limits.connect).count()));
  mysql_options(mysql, MYSQL_OPT_NONBLOCK, &call_stack_bytes);
  mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  mysql_options(mysql, MYSQL_OPT_LOCAL_INFILE, &off);
  mysql_options(mysql, MYSQL_OPT_RECONNECT, &no);
  mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &limit);
  mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &limit);
  mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &limit);
  mysql_optionsv(mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "concerto");
  if (has_tls) set_tls(mysql, options);
}

/// From now on no call may block, with TLS either. Options that a path's socket does not know are
/// no loss.
void prepare_socket(int socket) {
  const int on = 1;
  ::setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &probe_after_s, sizeof probe_after_s);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &probe_pause_s, sizeof probe_pause_s);
  ::setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
  ::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &gone_after_ms, sizeof gone_after_ms);
  ::fcntl(socket, F_SETFL, ::fcntl(socket, F_GETFL) | O_NONBLOCK);
}

}  // namespace

bool open_now(MYSQL* mysql, const MysqlOptions& options, const std::string& host,
              const std::string& database) {
  const bool is_path = is_socket_path(host);
  set_options(mysql, options, options.tls != MysqlTls::disable && !is_path);
  MYSQL* const opened = mysql_real_connect(
      mysql, is_path ? nullptr : host.c_str(), options.user.c_str(), options.password.c_str(),
      database.empty() ? nullptr : database.c_str(), options.port, is_path ? host.c_str() : nullptr,
      CLIENT_MULTI_STATEMENTS | CLIENT_FOUND_ROWS);
  if (opened == nullptr) return false;
  prepare_socket(mysql_get_socket(mysql));
  return true;
}

bool lacks_tls(MYSQL* mysql, const MysqlOptions& options, const std::string& host) {
  const bool must_encrypt = options.tls == MysqlTls::require || options.tls == MysqlTls::verify;
  return must_encrypt && !is_socket_path(host) && mysql_get_ssl_cipher(mysql) == nullptr;
}

}  // namespace concerto::persist
