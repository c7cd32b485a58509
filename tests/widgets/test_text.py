"""Text from elsewhere in Markdown and in charts: shown as it is, and bounded."""

import pytest

from widgets.shared.format import as_text, chart_text


@pytest.mark.parametrize(
    "text",
    [
        "My recipe",
        "result.json of run 20260101-000000-abcdef is damaged.",
        "95.5 % (a, b)",
        "12:30",
    ],
)
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert as_text(text) == chart_text(text) == text


@pytest.mark.parametrize(
    ("text", "markdown"),
    [
        ("![a](b)", r"!\[a\](b)"),
        ("**a** _b_ `c` ~d~ c_d", r"\*\*a\*\* \_b\_ \`c\` \~d\~ c_d"),
        ("$x$ | <b> &lt; \\", r"\$x\$ \| \<b> \&lt; \\"),
        ("# a", r"\# a"),
        ("- a", r"\- a"),
        ("a\n\n# b\t c", "a # b c"),
        ("\u202eabc\0\ud800", "abc"),
    ],
)
def test_markup_is_escaped(text: str, markdown: str) -> None:
    assert as_text(text) == markdown


@pytest.mark.parametrize(
    "text",
    [
        *("http://a.b", "https://a.b", "WWW.a.b", "a@b.c", ":smile:", ":material/home:", ":red[a]"),
        *(":100:", "a -> b", "a <= b", "a -- b", "::a", "a:b"),
    ],
)
def test_what_streamlit_replaces_in_finished_text_is_broken_up_where_nobody_sees_it(
    text: str,
) -> None:
    escaped = as_text(text)
    assert text not in escaped
    assert escaped.replace("\u2060", "").replace("\\", "") == text


def test_text_is_one_line_of_a_bounded_length() -> None:
    assert len(as_text("x " * 10_000)) == 500
    assert as_text(ValueError("It failed.")) == "It failed."
    assert as_text("") == ""


def test_a_chart_gets_no_html() -> None:
    assert chart_text('<a href="x">&amp;</a>') == '&lt;a href="x">&amp;amp;&lt;/a>'
