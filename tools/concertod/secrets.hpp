#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config.hpp"

namespace concerto::tools {

/// Reads the secrets that the configuration has in files of their own, such as Store.PasswordFile,
/// into the keys that they stand for.
void read_secret_files(Config& config, Findings& findings);

/// The texts of a configuration that no output may show: passwords, and what gives access in URLs.
std::vector<std::string> secrets_of(const Config& config);

/// `text` with `***` in place of each secret. For words of others (servers, libraries) that may
/// repeat what they were sent.
std::string without_secrets(std::string text, const std::vector<std::string>& secrets);

/// `text` with `***` in place of each password in `user:password@`, also where no URL can be read.
std::string masked_userinfo(std::string_view text);

/// Takes what no output may show out of the findings: a mistake may be in a value with a password.
void hide_secrets(LoadedConfig& loaded);

/// Core dumps and debuggers of other processes would show passwords and payloads. From now on only
/// root reads the memory of this process.
void forbid_core_dumps() noexcept;
void allow_core_dumps() noexcept;

}  // namespace concerto::tools
