// The fields of W3C Trace Context.

#include <gtest/gtest.h>

#include <concerto/engine/trace.hpp>

namespace concerto {
namespace {

const std::string trace_digits = "4bf92f3577b34da6a3ce929d0e0e4736";
const std::string span_digits = "00f067aa0ba902b7";
const std::string begin = "00-" + trace_digits + "-" + span_digits;

TEST(TraceParent, NamesTraceSpanAndFlags) {
  const auto parent = TraceParent::parse(begin + "-01");
  ASSERT_TRUE(parent);
  EXPECT_EQ(parent->trace.str(), trace_digits);
  EXPECT_EQ(parent->span.str(), span_digits);
  EXPECT_TRUE(parent->is_sampled());
  EXPECT_EQ(parent->str(), begin + "-01");
  EXPECT_FALSE(TraceParent::parse(begin + "-02")->is_sampled());
  EXPECT_EQ(TraceParent().str(), "");
}

TEST(TraceParent, IsHandedOnInVersion00WithTheFlagsThatItKnows) {
  EXPECT_EQ(TraceParent::parse("cc" + begin.substr(2) + "-ff-what-comes-later")->str(),
            begin + "-03");
  EXPECT_EQ(TraceParent::parse("01" + begin.substr(2) + "-08")->str(), begin + "-00");
}

TEST(TraceParent, CountsAsAbsentWhenItIsNotAsSpecified) {
  const std::string parent = "-" + span_digits;
  const std::string zeros(32, '0');
  for (const std::string& field :
       {std::string{}, std::string{"00"}, trace_digits, begin, begin + "-0", begin + "-01-more",
        begin + "-01x", "01" + begin.substr(2) + "-01x", "ff" + begin.substr(2) + "-01",
        "0g" + begin.substr(2) + "-01", "00-" + zeros + parent + "-01",
        "00-" + trace_digits + "-0000000000000000-01", begin + "-0X",
        "00_" + trace_digits + parent + "-01", "00-" + trace_digits + "x" + span_digits + "-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736" + parent + "-01",
        "00-" + trace_digits + "-00f067aa0ba902bz-01", " " + begin + "-01"}) {
    EXPECT_FALSE(TraceParent::parse(field)) << field;
  }
}

TEST(TraceState, IsKeptWithoutBlanksAndEmptyEntries) {
  EXPECT_EQ(kept_trace_state("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7"),
            "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7");
  EXPECT_EQ(kept_trace_state(" a=1 ,, \t b@v=2 ,"), "a=1,b@v=2");
  EXPECT_EQ(kept_trace_state("0t@s=a b"), "0t@s=a b");
  EXPECT_EQ(kept_trace_state(""), "");
}

TEST(TraceState, CountsAsAbsentWhenItIsNotAsSpecified) {
  std::string many = "k0=v";
  for (std::size_t i = 1; i <= trace_state_entries_max; ++i)
    many += ",k" + std::to_string(i) + "=v";
  for (const std::string& field :
       {std::string("a"), std::string("=b"), std::string("a="), std::string("A=1"),
        std::string("a=b=c"), std::string("a@=1"), std::string("@a=1"), std::string("a@0=1"),
        std::string("a=\x01"), std::string("a=\xc3\xa4"), std::string("-a=1"),
        std::string(257, 'a') + "=1", "a=" + std::string(257, 'b'), many,
        std::string(9'000, ',')}) {
    EXPECT_EQ(kept_trace_state(field), "") << field;
  }
}

TEST(TraceState, LosesEntriesAtItsEndBeyondTheLimit) {
  const std::string entry = "=" + std::string(200, 'x');
  EXPECT_EQ(kept_trace_state("a" + entry + ",b" + entry + ",c" + entry + ",d=1"),
            "a" + entry + ",b" + entry);
}

TEST(TraceHeaders, AreFoundWhateverTheirCase) {
  EXPECT_TRUE(is_traceparent("TraceParent"));
  EXPECT_FALSE(is_traceparent("traceparents"));
  EXPECT_TRUE(is_tracestate("tracestate"));
  EXPECT_EQ(trace_among({{"X", "y"}, {"Traceparent", begin + "-01"}})->str(), begin + "-01");
  EXPECT_FALSE(trace_among({{"traceparent", "00-x"}}));
  EXPECT_FALSE(trace_among({}));
}

}  // namespace
}  // namespace concerto
