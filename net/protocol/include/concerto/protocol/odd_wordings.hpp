#pragma once

#include <concerto/engine/wording.hpp>

namespace concerto::net {

/// All odd wordings of the protocol. They are deliberate: clients and their tests compare these
/// texts letter by letter, and people know them (page 01, section 5.2; page 02, sections 5.1 and 8;
/// page 09, Q11). Do not change the spelling or the blank at the end of no_such_url.
///
/// A coordinator behind the protocol's front ends has these wordings in
/// CoordinatorOptions::wording.
inline constexpr Wording odd_wordings{
    .cannot_submit = "cannot sumbmit.",
    .unknown_trans_type = "unknow trans type: ",
    .unknown_result =
        "your http/grpc result should be specified as in:\n"
        "http://d.dtm.pub/practice/arch.html#proto\n"
        "unkown result will be retried: ",
    .not_success = "wait result not return success: FAILURE",
    .no_such_topic = "no such a topic",
    .no_such_url = "no such an url ",
};

}  // namespace concerto::net
