#include <string>
#include <system_error>
#include <utility>

#include <concerto/base/start_thread.hpp>

namespace concerto {

Result<> start_thread(std::thread& thread, const char* purpose, std::function<void()> run) {
  try {
    thread = std::thread(std::move(run));
    return ok();
  } catch (const std::system_error& failed) {
    return make_error(Errc::overloaded, std::string("the system starts no thread ") + purpose +
                                            ": " + failed.code().message());
  }
}

}  // namespace concerto
