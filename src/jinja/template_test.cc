#include "jinja/template.h"

#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "jinja/run.h"

namespace zp::jinja {
namespace {

const Json& variables() {
  static const Json all = {
      {"messages",
       {{{"role", "user"}, {"content", " Hi "}}, {{"role", "assistant"}, {"content", "Yes"}}}},
      {"bos_token", "<s>"}};
  return all;
}

std::string render(std::string_view source, const Json& given = variables()) {
  return Template(source, "t").render(given, 1'700'000'000);  // 2023-11-14 22:13:20 UTC
}

// "" if it isn't refused.
std::string refusal(std::string_view source, const Json& given = variables()) {
  try {
    render(source, given);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(JinjaTemplate, TakesWhiteSpaceAsTagsSay) {
  EXPECT_EQ(render("a\n  {% if true %}\nb\n  {% endif %}\nc\n"), "a\nb\nc");
  EXPECT_EQ(render("a \n {%- if true -%} \n b {%- endif +%}\nc"), "ab\nc");
  EXPECT_EQ(render("  {%+ if true %}x{% endif %}"), "  x");
  EXPECT_EQ(render("a \n {{- 'x' -}} \n b\n {{ 1 }}"), "axb\n 1");
  EXPECT_EQ(render("x\n  {# c #}\ny{#- d -#} z"), "x\nyz");
  EXPECT_EQ(render("{% raw %}{{ x }}{% endraw %}\ny"), "{{ x }}y");
  EXPECT_EQ(render("a\r\nb\rc\r\n"), "a\nb\nc");
}

TEST(JinjaTemplate, RunsLoops) {
  EXPECT_EQ(render("{% for i in [1,2,3] %}{{ loop.index }}{{ loop.revindex0 }}{{ loop.last }}"
                   "{{ loop.previtem }}{{ loop.nextitem }} {% endfor %}"),
            "12False2 21False13 30True2 ");
  EXPECT_EQ(render("{% for i in range(9) if i is odd %}{{ loop.length }}:{{ i }} {% endfor %}"),
            "4:1 4:3 4:5 4:7 ");
  EXPECT_EQ(render("{% for i in [] %}x{% else %}none{% endfor %}"), "none");
  EXPECT_EQ(render("{% for i in range(9) %}{% if i == 1 %}{% continue %}{% elif i > 3 %}{% break %}"
                   "{% endif %}{{ i }}{% endfor %}"),
            "023");
  EXPECT_EQ(render("{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k ~ v }}{% endfor %}"), "a1b2");
  EXPECT_EQ(render("{% set x = 0 %}{% for i in [1, 2] %}{% set x = i %}{% endfor %}{{ x }}"), "0");
}

TEST(JinjaTemplate, SetsVariablesAndNamespaces) {
  EXPECT_EQ(render("{% set a, b = 1, 'x' %}{{ a }}{{ b }}{% set c %}[{{ a }}]{% endset %}{{ c }}"),
            "1x[1]");
  EXPECT_EQ(render("{% set n = namespace(i=0) %}{% for k in [1, 2] %}{% set n.i = n.i + k %}"
                   "{% endfor %}{{ n.i }}"),
            "3");
  EXPECT_EQ(
      render("{% with a = 1 %}{{ a }}{% endwith %}{{ a }}|{% filter upper %}x{% endfilter %}"),
      "1|X");
}

TEST(JinjaTemplate, HidesAVariableThatALaterSetMakesItsOwn) {
  EXPECT_EQ(render("{% for i in [1] %}{{ bos_token }}{% endfor %}{% set bos_token = 1 %}"), "");
  EXPECT_EQ(render("{{ bos_token }}{% for i in [1] %}{{ bos_token }}{% endfor %}"
                   "{% set bos_token = 1 %}"),
            "<s><s>");
}

TEST(JinjaTemplate, CallsMacros) {
  EXPECT_EQ(
      render("{% macro m(a, b=a + 1) %}{{ a }}{{ b }}{% endmacro %}{{ m(1) }}{{ m(b=5, a=4) }}"),
      "1245");
  EXPECT_EQ(
      render("{% macro m() %}<{{ caller(2) }}>{% endmacro %}{% call(x) m() %}{{ x }}{% endcall %}"),
      "<2>");
  EXPECT_EQ(render("{% macro f(n) %}{{ n }}{{ f(n - 1) if n else '' }}{% endmacro %}{{ f(3) }}"),
            "3210");
  EXPECT_EQ(render("{% generation %}x{% endgeneration %}"), "x");
}

TEST(JinjaTemplate, ComputesAsPythonDoes) {
  EXPECT_EQ(render("{{ -7 // 2 }} {{ -7 % 3 }} {{ 7 / 2 }} {{ 4 / 2 }} {{ 2 ** -1 }} {{ 1e16 }} {{ "
                   "0.1 + 0.2 }}"),
            "-4 2 3.5 2.0 0.5 1e+16 0.30000000000000004");
  EXPECT_EQ(render("{{ 1 < 2 < 3 }} {{ 'b' in 'abc' }} {{ not 1 in [2] }} {{ 1 == 1.0 }} {{ 'a' ~ "
                   "1 ~ none }}"),
            "True True True True a1None");
  EXPECT_EQ(render("{{ [1, 'a\\'b', none, (1,), {'k': 2.0}] }}"),
            "[1, \"a'b\", None, (1,), {'k': 2.0}]");
  EXPECT_EQ(render("{{ 'abcd'[1:-1] }}{{ 'abc'[::-1] }}{{ [1, 2, 3][-2:] }}"), "bccba[2, 3]");
  EXPECT_EQ(render("{{ 'a' if false }}|{{ 0 or 'x' }}|{{ 'ab' * 2 }}"), "|x|abab");
}

TEST(JinjaTemplate, KnowsMethodsFiltersAndTests) {
  EXPECT_EQ(
      render(
          "{{ 'a</t>b'.split('</t>')[-1].upper() }}{{ ' x '.strip() }}{{ {'a': 1}.get('b', 2) }}"),
      "Bx2");
  EXPECT_EQ(render("{{ messages | selectattr('role', 'equalto', 'user') | map(attribute='content') "
                   "| list }}"),
            "[' Hi ']");
  EXPECT_EQ(render("{{ [3, 1] | sort | join('-') }} {{ 'a-b c' | title }} {{ x | default('d') }} "
                   "{{ '4.9' | int }}"),
            "1-3 A-B C d 4");
  EXPECT_EQ(render("{{ x is defined }}{{ 1 is odd }}{{ messages is sequence }}{{ {} is mapping }}"),
            "FalseTrueTrueTrue");
  EXPECT_EQ(render("{{ 'stra\xC3\x9F"
                   "e'.upper() }}"),
            "STRASSE");
}

TEST(JinjaTemplate, WritesJsonAsPythonDoes) {
  EXPECT_EQ(render("{{ {'a': [1, 2.0, '<\\n\xE0\xA6\x86', none, true], 'b': {}} | tojson }}"),
            "{\"a\": [1, 2.0, \"<\\n\xE0\xA6\x86\", null, true], \"b\": {}}");
  EXPECT_EQ(render("{{ {'a': [1]} | tojson(indent=2) }}"), "{\n  \"a\": [\n    1\n  ]\n}");
}

TEST(JinjaTemplate, TellsTheTimeItIsGiven) {
  EXPECT_EQ(render("{{ strftime_now('%d %b %Y, %A %-I %p') }}"), "14 Nov 2023, Tuesday 10 PM");
}

TEST(JinjaTemplate, TreatsUndefinedValuesAsJinja2Does) {
  EXPECT_EQ(render("{{ x }}{{ messages[9] }}{{ messages[0].nope }}{% for i in x %}1{% endfor %}"),
            "");
  EXPECT_EQ(refusal("\n{{ x.y }}"), "t: line 2: 'x' is undefined");
  EXPECT_EQ(refusal("{{ x + 1 }}"), "t: line 1: 'x' is undefined");
}

TEST(JinjaTemplate, GivesTheTemplatesOwnRefusal) {
  EXPECT_EQ(refusal("\n\n{{ raise_exception('Roles must alternate') }}"),
            "t: line 3: template refuses: Roles must alternate");
}

TEST(JinjaTemplate, NamesWhatItDoesNotKnow) {
  EXPECT_EQ(refusal("a\n{% include 'x' %}"), "t: line 2: tag is not supported: found include");
  EXPECT_EQ(refusal("a\n{{ 1 | urlize }}"), "t: line 2: filter is not known: found urlize");
  EXPECT_EQ(refusal("{{ 1 is prime }}"), "t: line 1: test is not known: found prime");
  EXPECT_EQ(refusal("{{ 'a'.swapcase() }}"), "t: line 1: method is not supported: found swapcase");
  EXPECT_EQ(render("{% if false %}{{ 1 | urlize }}{% endif %}"), "");
  EXPECT_EQ(refusal("{{ ''.__class__ }}"),
            "t: line 1: names that begin with __ are not supported: found __class__");
}

TEST(JinjaTemplate, RefusesWhatIsNoTemplate) {
  for (const char* source :
       {"{{ 1", "{% if 1 %}", "{% endif %}", "{{ (1 }}", "{{ }}", "{# x", "{{ 'a }}", "{% break %}",
        "{% for i in x %}{% set loop = 1 %}{% endfor %}", "\xFF"}) {
    EXPECT_NE(refusal(source), "") << source;
  }
}

TEST(JinjaTemplate, RefusesTextThatIsNoUtf8) {
  EXPECT_NE(refusal("x", {{"messages", {"\xFF"}}}).find("UTF-8"), std::string::npos);
}

// Hostile templates: each would take hours or all memory.

TEST(JinjaTemplate, BoundsTime) {
  // Turns of a loop take both.
  EXPECT_NE(
      refusal("{% for i in range(100000) %}{% for j in range(100000) %}{% endfor %}{% endfor %}")
          .find("template takes too"),
      std::string::npos);
  const char* endless[] = {
      "{% macro m(n) %}{{ m(n - 1) ~ m(n - 1) if n else '' }}{% endmacro %}{{ m(60) }}",
      "{% set s = 'a' * 10000000 %}{% for i in range(100000) %}{{ 'b' in s }}{% endfor %}",
      ("{% set n = namespace(x=[1], y=[1]) %}{% for i in range(60) %}{% set n.x = [n.x, n.x] %}"
       "{% set n.y = [n.y, n.y] %}{% endfor %}{{ n.x == n.y }}")};
  for (const char* source : endless) {
    EXPECT_NE(refusal(source).find("takes too long"), std::string::npos) << source;
  }
}

TEST(JinjaTemplate, BoundsMemory) {
  const char* endless[] = {"{{ 'a' * 10 ** 9 }}",
                           "{{ [1] * 10 ** 9 }}",
                           "{{ 'a'.center(10 ** 12) }}",
                           "{{ [[1]] | tojson(indent=10 ** 12) }}",
                           "{% set n = namespace(s='a') %}{% for i in range(100000) %}{% set n.s = "
                           "n.s + n.s %}{% endfor %}",
                           "{% set n = namespace(s='') %}{% for i in range(100000) %}{% set n.s = "
                           "n.s ~ 'abcdefgh' %}{% endfor %}"};
  for (const char* source : endless) {
    EXPECT_NE(refusal(source).find("takes too much memory"), std::string::npos) << source;
  }
  EXPECT_NE(refusal("{{ range(10 ** 12) }}").find("range is too long"), std::string::npos);
  EXPECT_NE(refusal("{% set x = 'a' * 1000000 %}{% for i in range(100) %}{{ x }}{% endfor %}")
                .find("text grows too long"),
            std::string::npos);
}

TEST(JinjaTemplate, BoundsTextByWhatItIsGiven) {
  const char* source =
      "{% for i in range(3) %}{% for m in messages %}{{ m.content }}{% endfor %}{% endfor %}";
  const std::string twice(2 << 20, 'x');
  const auto said = [](const std::string& text) {
    return Json({{"messages", Json::array({{{"role", "user"}, {"content", text}}})}});
  };
  EXPECT_EQ(render(source, said(twice)).size(), 3 * twice.size());
  EXPECT_EQ(
      refusal("{% set x = 'y' * 99999 %}{% for i in range(99) %}{{ x }}{% endfor %}", said("x"))
          .substr(0, 50),
      "t: line 1: text grows too long: expected at most 1");
}

TEST(JinjaTemplate, BoundsDepth) {
  const auto repeated = [](const std::string& text, int times) {
    std::string out;
    for (int i = 0; i < times; ++i) out += text;
    return out;
  };
  for (const std::string& source :
       {"{{ " + repeated("(", 50000) + "1" + repeated(")", 50000) + " }}",
        "{{ 1" + repeated(" + 1", 50000) + " }}", "{{ " + repeated("not ", 50000) + "1 }}",
        "{{ a" + repeated(".a", 50000) + " }}", repeated("{% if 1 %}", 50000),
        "{% set " + repeated("(", 50000) + "a" + repeated(")", 50000) + " = 1 %}",
        std::string("{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}"),
        std::string("{% set n = namespace(x=[]) %}{% for i in range(9999) %}{% set n.x = [n.x] "
                    "%}{% endfor %}"),
        std::string("{% set n = namespace(x='a') %}{% for i in range(9999) %}{% set n.x = n.x | "
                    "map('upper') %}{% endfor %}"),
        std::string("{% set n = namespace() %}{% set n.n = n %}{{ n }}")}) {
    EXPECT_NE(refusal(source).find("too deeply"), std::string::npos) << source.substr(0, 60);
  }
}

TEST(JinjaTemplate, BoundsTheTemplateItself) {
  EXPECT_NE(refusal(std::string(static_cast<std::size_t>(kMaxTemplateBytes) + 1, 'x')), "");
}

}  // namespace
}  // namespace zp::jinja
