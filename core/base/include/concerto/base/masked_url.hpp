#pragma once

#include <string>
#include <string_view>

namespace concerto {

/// `url` as people may see it, in answers, logs, alerts and labels of metrics: `***` stands for the
/// password of its user (`http://user:***@host`), for a user without one, who may be a token, and
/// for the values of query parameters whose names speak of a secret, as `access_token`. What is
/// stored and called is the URL as it came. Takes gRPC's URLs without a scheme too.
std::string masked_url(std::string_view url);

/// `text` with every URL in it masked: for error texts and log lines. A URL there has a scheme. The
/// time is linear in the length.
std::string masked_urls(std::string_view text);

}  // namespace concerto
