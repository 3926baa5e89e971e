#pragma once

#include <string>
#include <string_view>

#include <concerto/base/export.hpp>

namespace concerto {

/// `url` as people may see it in answers, logs, alerts and labels of metrics. `***` stands for a
/// password (`http://user:***@host`), for a user without a password (such a user may be a token),
/// and for the value of a query parameter whose name suggests a secret, such as `access_token`. The
/// stored and called URL is not changed. gRPC URLs without a scheme are accepted too.
CONCERTO_EXPORT std::string masked_url(std::string_view url);

/// `text` with every URL in it masked, for error texts and log lines. Only URLs with a scheme are
/// found. The time is linear in the length of the text. Mask a text before it is cut: a password is
/// known by the @ behind it.
CONCERTO_EXPORT std::string masked_urls(std::string_view text);

/// `url` without what follows its host, `https://host/***`. For URLs whose path or query may be a
/// secret as a whole, such as those of web hooks.
CONCERTO_EXPORT std::string masked_url_beyond_host(std::string_view url);

}  // namespace concerto
