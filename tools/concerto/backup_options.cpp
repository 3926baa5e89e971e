#include "backup_options.hpp"

#include <memory>
#include <utility>

#include <concerto/base/counted.hpp>
#include <concerto/engine/error.hpp>

namespace concerto::tools {

Result<std::string> embedded_store_path(const std::string& text) {
  if (text.find(':') == std::string::npos && text != "env" && !text.ends_with(".yml") &&
      !text.ends_with(".yaml")) {
    return text;
  }
  CONCERTO_TRY(const StoreChoice choice,
               choose_store(text, {}, process_environment(), standard_tables()));
  if (choice.settings.driver == "leveldb") return choice.settings.path;
  return make_error(
      Errc::invalid_request,
      choice.place + " is not an embedded store; back it up with the means of the database");
}

int tell_error(const Error& error) {
  std::cerr << visible_line(error.detail) << std::endl;
  const bool is_refusal = error.code == EngineErrc::store_unavailable ||
                          error.code == Errc::invalid_request || error.code == Errc::not_supported;
  return is_refusal ? exit_refused : exit_failed;
}

persist::WorkProgress shown_on(Progress& progress, std::string what) {
  struct Shown {
    std::uint64_t done = 0;
    bool begun = false;
  };
  return [&progress, what = std::move(what), shown = std::make_shared<Shown>()](
             std::uint64_t done, std::uint64_t total) {
    if (total == 0) return true;  // it reads what the work needs
    if (!std::exchange(shown->begun, true)) progress.begin(what, total);
    progress.advance(done - shown->done);
    shown->done = done;
    return true;
  };
}

std::string to_text(const persist::CheckReport& report) {
  return counted(report.segments, "segment") + ", " + counted(report.groups, "group") + " up to " +
         std::to_string(report.last_group) + ", " + counted(report.records, "record") + ", " +
         counted(report.bytes, "byte") + "; " + counted(report.begun, "transaction") + " begun, " +
         std::to_string(report.finished) + " finished";
}

}  // namespace concerto::tools
