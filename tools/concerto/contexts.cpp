#include "contexts.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <unistd.h>

#include <sys/stat.h>
#include <yaml-cpp/yaml.h>

#include "verb_error.hpp"

namespace concerto::tools {
namespace {

constexpr std::size_t file_bytes_max = std::size_t{1} << 20;
constexpr mode_t mode_of_others = 077;

struct Key {
  std::string_view name;
  std::string Context::*value;
};
constexpr Key context_keys[] = {{"name", &Context::name},
                                {"server", &Context::server},
                                {"ca", &Context::ca},
                                {"cert", &Context::cert},
                                {"key", &Context::key},
                                {"server-name", &Context::server_name},
                                {"token-file", &Context::token_file},
                                {"token-env", &Context::token_env}};

Error bad_contexts(std::string what) {
  return make_error(VerbErrc::usage, std::move(what));
}

std::string system_text(int code) {
  return error_code(code, boost::system::system_category()).message();
}

/// Closes a descriptor.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int number() const noexcept { return number_; }

 private:
  const int number_;
};

Result<Context> context_from(const YAML::Node& node, std::size_t number) {
  const std::string place = "contexts[" + std::to_string(number) + "]";
  if (!node.IsMap()) return bad_contexts(place + " is no map");
  Context context;
  for (const auto& member : node) {
    const auto key = member.first.as<std::string>();
    const Key* const known = std::find_if(std::begin(context_keys), std::end(context_keys),
                                          [&key](const Key& one) { return one.name == key; });
    if (known == std::end(context_keys)) {
      return bad_contexts(place + ": unknown key '" + key + "'" +
                          (key == "token"
                               ? "; a token is in a file (token-file) or in the environment "
                                 "(token-env)"
                               : ""));
    }
    if (!member.second.IsScalar()) return bad_contexts(place + ": '" + key + "' is no text");
    context.*known->value = member.second.as<std::string>();
  }
  if (context.name.empty()) return bad_contexts(place + " has no name");
  if (context.server.empty()) return bad_contexts(place + " has no server");
  return context;
}

Result<> write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return make_error(VerbErrc::failed, system_text(errno));
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return ok();
}

}  // namespace

std::string environment_variable(const char* name) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): one thread yet
  return value == nullptr ? std::string() : value;
}

const Context* Contexts::find(std::string_view name) const noexcept {
  const auto found =
      std::find_if(all.begin(), all.end(), [name](const Context& one) { return one.name == name; });
  return found == all.end() ? nullptr : &*found;
}

Result<std::string> contexts_path() {
  std::string path = environment_variable("CONCERTO_CONFIG");
  if (!path.empty()) return path;
  path = environment_variable("XDG_CONFIG_HOME");
  if (path.empty()) {
    path = environment_variable("HOME");
    if (path.empty())
      return bad_contexts("none of CONCERTO_CONFIG, XDG_CONFIG_HOME and HOME is set");
    path += "/.config";
  }
  return path + "/concerto/config.yml";
}

Result<Contexts> parse_contexts(const std::string& yaml) {
  Contexts contexts;
  try {
    const YAML::Node root = YAML::Load(yaml);
    if (root.IsNull()) return contexts;
    if (!root.IsMap()) return bad_contexts("the file is no map");
    for (const auto& member : root) {
      const auto key = member.first.as<std::string>();
      if (key == "current") {
        contexts.current = member.second.IsNull() ? "" : member.second.as<std::string>();
      } else if (key == "contexts") {
        if (!member.second.IsSequence()) return bad_contexts("'contexts' is no list");
        for (const auto& node : member.second) {
          CONCERTO_TRY(Context context, context_from(node, contexts.all.size()));
          if (contexts.find(context.name) != nullptr) {
            return bad_contexts("there are two contexts '" + context.name + "'");
          }
          contexts.all.push_back(std::move(context));
        }
      } else {
        return bad_contexts("unknown key '" + key + "'");
      }
    }
  } catch (const YAML::Exception& error) {
    return bad_contexts(error.what());
  }
  if (!contexts.current.empty() && contexts.find(contexts.current) == nullptr) {
    return bad_contexts("current: there is no context '" + contexts.current + "'");
  }
  return contexts;
}

std::string to_yaml(const Contexts& contexts) {
  YAML::Emitter yaml;
  yaml << YAML::BeginMap;
  if (!contexts.current.empty()) {
    yaml << YAML::Key << "current" << YAML::Value << YAML::DoubleQuoted << contexts.current;
  }
  yaml << YAML::Key << "contexts" << YAML::Value;
  yaml << (contexts.all.empty() ? YAML::Flow : YAML::Block) << YAML::BeginSeq;
  for (const Context& context : contexts.all) {
    yaml << YAML::BeginMap;
    for (const Key& key : context_keys) {
      const std::string& value = context.*key.value;
      if (value.empty()) continue;
      yaml << YAML::Key << std::string(key.name) << YAML::Value << YAML::DoubleQuoted << value;
    }
    yaml << YAML::EndMap;
  }
  yaml << YAML::EndSeq << YAML::EndMap;
  return std::string(yaml.c_str()) + "\n";
}

Result<std::string> read_private_file(const std::string& path, std::size_t bytes_max) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (file.number() < 0) {
    const int code = errno;
    return make_error(code == ENOENT ? VerbErrc::not_found : VerbErrc::usage,
                      "'" + path + "': " + system_text(code));
  }
  struct stat found {};
  if (::fstat(file.number(), &found) != 0)
    return bad_contexts("'" + path + "': " + system_text(errno));
  if (!S_ISREG(found.st_mode)) return bad_contexts("'" + path + "' is no regular file");
  if (found.st_uid != ::geteuid() && found.st_uid != 0) {
    return bad_contexts("'" + path + "' belongs to another user");
  }
  if ((found.st_mode & mode_of_others) != 0) {
    char mode[16];
    std::snprintf(mode, sizeof mode, "%04o", static_cast<unsigned>(found.st_mode & 07777));
    return bad_contexts("'" + path + "' has the mode " + mode +
                        ", so others may use it; chmod 600 '" + path + "'");
  }
  std::string text(bytes_max + 1, '\0');
  std::size_t size = 0;
  while (size < text.size()) {
    const ssize_t got = ::read(file.number(), text.data() + size, text.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return bad_contexts("'" + path + "': " + system_text(errno));
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  if (size > bytes_max) {
    return bad_contexts("'" + path + "' has more than " + std::to_string(bytes_max) + " bytes");
  }
  text.resize(size);
  return text;
}

Result<Contexts> load_contexts(const std::string& path) {
  Result<std::string> text = read_private_file(path, file_bytes_max);
  if (!text) {
    if (text.error().code == make_error_code(VerbErrc::not_found)) return Contexts{};
    return text.error();
  }
  Result<Contexts> contexts = parse_contexts(*text);
  if (!contexts) return bad_contexts("'" + path + "': " + contexts.error().detail);
  return contexts;
}

Result<> save_contexts(const Contexts& contexts, const std::string& path) {
  namespace fs = std::filesystem;
  const fs::path place(path);
  const auto failed = [&path](const std::string& why) {
    return make_error(VerbErrc::failed, "'" + path + "' cannot be written: " + why);
  };
  std::error_code code;
  if (place.has_parent_path() && !fs::exists(place.parent_path(), code)) {
    fs::create_directories(place.parent_path(), code);
    if (!code) fs::permissions(place.parent_path(), fs::perms::owner_all, code);
    if (code) return failed(code.message());
  }
  std::string next = path + ".XXXXXX";
  const Descriptor file(::mkostemp(next.data(), O_CLOEXEC));  // its mode is 0600
  if (file.number() < 0) return failed(system_text(errno));
  Result<> written = write_all(file.number(), to_yaml(contexts));
  if (written && (::fsync(file.number()) != 0 || ::rename(next.c_str(), path.c_str()) != 0)) {
    written = make_error(VerbErrc::failed, system_text(errno));
  }
  if (written) return ok();
  ::unlink(next.c_str());
  return failed(written.error().detail);
}

}  // namespace concerto::tools
